package home

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/transparency"
)

// LogKeys is the folder of the keys that sign the logs of issued certificates. It is in no
// backup: a restored home must not continue a log that may have grown since, so it begins
// another one.
func (d Dir) LogKeys() string { return d.join("log-keys") }

// LogKey loads the key of an institution's log, and draws one when there is none. The name
// becomes a part of the new log's name.
func (d Dir) LogKey(random io.Reader, institution uint32, name string) (*transparency.Key, error) {
	path := filepath.Join(d.LogKeys(), fmt.Sprintf("institution-%d.key", institution))
	text, err := os.ReadFile(path)
	switch {
	case err == nil:
		return transparency.ParseKey(string(text))
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fsutil.DiskError(err, "reading the log's key")
	}
	key, err := transparency.NewKey(random, name)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(d.LogKeys(), 0o700); err != nil {
		return nil, fsutil.DiskError(err, "making the folder of log keys")
	}
	return key, fsutil.ReplaceFile(path, []byte(key.String()+"\n"))
}
