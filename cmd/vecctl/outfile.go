package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/vecctl/vecctl/pkg/fsutil"
)

// writeTo writes a result into a file, which appears whole or not at all; "-" is standard
// output. It writes directly to a device or a pipe, which must not be replaced by a file.
func writeTo(w environment, out string, write func(io.Writer) error) error {
	if out == "-" {
		return write(w.stdout)
	}
	if info, err := os.Stat(filepath.Dir(out)); err != nil || !info.IsDir() {
		return usageError("the folder %s for %s does not exist; create it first", filepath.Dir(out), filepath.Base(out))
	}
	switch info, err := os.Stat(out); {
	case err == nil && info.IsDir():
		return usageError("%s is a folder; name a file in it with --out", out)
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(out, os.O_WRONLY, 0)
		if err != nil {
			return fsutil.DiskError(err, "opening "+out)
		}
		return errors.Join(write(f), f.Close())
	}
	return fsutil.WriteFile(out, 0o644, write)
}
