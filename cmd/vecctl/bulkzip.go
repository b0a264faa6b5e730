package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest"
)

// unpackArchive unpacks a zip of a manifest and its documents into a folder that is removed
// by the returned function, and has the request issue them.
func unpackArchive(c *cli.Context, q *adminclient.BulkRequest) (remove func(), err error) {
	name := c.Args().First()
	if c.IsSet("files") {
		return nil, usageError("a zip brings its own documents; leave --files out")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the zip %s cannot be opened; check its name and permissions", name))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the zip %s cannot be read", name))
	}
	archive, err := manifest.OpenArchive(f, info.Size(), name)
	if err != nil {
		return nil, err
	}
	if q.Manifest, err = archive.ReadManifest(); err != nil {
		return nil, err
	}
	q.Name = filepath.Join(name, filepath.FromSlash(archive.Manifest))
	if q.Files, err = os.MkdirTemp("", "vecctl-zip-*"); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "a folder for the documents of the zip cannot be made; check TMPDIR")
	}
	remove = func() { _ = os.RemoveAll(q.Files) }
	into, err := os.OpenRoot(q.Files)
	if err == nil {
		err = errors.Join(archive.Unpack(into), into.Close())
	}
	if err != nil {
		remove()
		return nil, err
	}
	return remove, nil
}
