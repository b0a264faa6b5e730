package home

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

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
	path := d.logKeyPath(institution)
	text, err := os.ReadFile(path)
	switch {
	case err == nil:
		return transparency.ParseKey(string(text))
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fsutil.DiskError(err, "reading the log's key")
	}
	return d.NewLogKey(random, institution, name)
}

func (d Dir) logKeyPath(institution uint32) string {
	return filepath.Join(d.LogKeys(), fmt.Sprintf("institution-%d.key", institution))
}

// NewLogKey draws a key for a new log of an institution, in place of the one that is there.
func (d Dir) NewLogKey(random io.Reader, institution uint32, name string) (*transparency.Key, error) {
	key, err := transparency.NewKey(random, name)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(d.LogKeys(), 0o700); err != nil {
		return nil, fsutil.DiskError(err, "making the folder of log keys")
	}
	if err := fsutil.ReplaceFile(d.logKeyPath(institution), []byte(key.String()+"\n")); err != nil {
		return nil, err
	}
	if _, err := os.Stat(d.logPlacePath()); errors.Is(err, fs.ErrNotExist) {
		return key, d.KeepLogKeysHere()
	}
	return key, nil
}

// logPlacePath is the file that says which folder the keys were drawn in.
func (d Dir) logPlacePath() string { return filepath.Join(d.LogKeys(), "place") }

// LogKeysMoved reports whether the folder of log keys is another one than that in which the logs
// grew: somebody copied the home, or moved it to another file system. A folder of an earlier version
// does not say, and is taken for the same.
func (d Dir) LogKeysMoved() (bool, error) {
	was, err := os.ReadFile(d.logPlacePath())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fsutil.DiskError(err, "reading where the log's keys were")
	}
	is, known := folderNumber(d.LogKeys())
	return known && strings.TrimSpace(string(was)) != is, nil
}

// KeepLogKeysHere records that the logs grow in this folder from now on.
func (d Dir) KeepLogKeysHere() error {
	number, known := folderNumber(d.LogKeys())
	if !known {
		return nil
	}
	return fsutil.ReplaceFile(d.logPlacePath(), []byte(number+"\n"))
}
