package backup

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

// Restore puts a backup into a folder that does not exist, or is empty. All of it
// is written into another folder beside, checked there, by check too, and made
// durable, before that one gets the name. Nothing stays of a restore that fails.
// Where dir is a link, it stays one, and the folder that it names is filled.
func (s Chain) Restore(ctx context.Context, dir string, check func(staged string) error) (found Contents, err error) {
	if err := CheckEmpty(dir); err != nil {
		return found, err
	}
	if dir, err = resolveLink(dir); err != nil {
		return found, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return found, fsutil.DiskError(err, "making the folder of the home")
	}
	if err := removeStaged(dir); err != nil {
		return found, err
	}
	staged, err := os.MkdirTemp(filepath.Dir(dir), stagedPrefix(dir)+"*")
	if err != nil {
		return found, fsutil.DiskError(err, "making a folder beside the home")
	}
	back, err := removeEmpty(dir)
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(staged), back())
		}
	}()
	if err != nil {
		return found, err
	}
	x := newExtractor(ctx, staged)
	found, err = s.Read(x.ctx, x.visit)
	if err := x.end(err); err != nil {
		return found, err
	}
	if check != nil {
		if err := check(staged); err != nil {
			return found, err
		}
	}
	if err := fsutil.FlushTree(staged); err != nil {
		return found, err
	}
	return found, fsutil.Publish([]fsutil.Pending{{Temp: staged, Name: dir}})
}

// stagedPrefix begins the names of folders that a restore of a home fills.
func stagedPrefix(dir string) string {
	return fmt.Sprintf(".vecctl-restore-%08x-", crc32.ChecksumIEEE([]byte(filepath.Base(dir))))
}

// removeStaged removes what an interrupted restore of a home left beside it.
func removeStaged(dir string) error {
	entries, err := os.ReadDir(filepath.Dir(dir))
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), stagedPrefix(dir)) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(filepath.Dir(dir), e.Name())))
		}
	}
	return fsutil.DiskError(err, "removing a half-restored home")
}

// CheckEmpty refuses a folder with something in it.
func CheckEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fsutil.DiskError(err, "looking at the home")
	case len(entries) > 0:
		return fault.Newf(fault.Conflict, "there is a home in %s already, or something else; a backup is restored only into an empty one: move that away, or name another with --home", dir)
	}
	return nil
}

// resolveLink is the folder that a link leads to, and any other path itself.
func resolveLink(dir string) (string, error) {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return dir, nil
	}
	folder, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fault.Newf(fault.Invalid, "%s is a link to a folder that does not exist; make the folder that it names, or name another home with --home", dir)
	}
	return folder, fsutil.DiskError(err, "looking at the home")
}

// removeEmpty removes an empty folder, since another will get its name; back puts it there
// again. One that cannot be removed is better known before all is read than after.
func removeEmpty(dir string) (back func() error, err error) {
	nothing := func() error { return nil }
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nothing, nil
	}
	if err != nil {
		return nothing, fsutil.DiskError(err, "looking at the home")
	}
	if err := os.Remove(dir); err != nil {
		return nothing, fault.Wrap(fault.Invalid, err, fmt.Sprintf(
			"the folder %s cannot be replaced by the home, as where a disk is mounted on it; name one in it, which need not be there: --home %s",
			dir, filepath.Join(dir, "home")))
	}
	return func() error { return os.Mkdir(dir, info.Mode().Perm()) }, nil
}

// extractor writes members into a folder, a few at a time.
type extractor struct {
	root   string
	ctx    context.Context // ends when a write has failed
	writes *errgroup.Group
	bodies chan []byte
	made   map[string]bool // folders
}

const writers = 2

func newExtractor(ctx context.Context, root string) *extractor {
	x := &extractor{root: root, bodies: make(chan []byte, 2*writers), made: map[string]bool{"": true, ".": true}}
	x.writes, x.ctx = errgroup.WithContext(ctx)
	x.writes.SetLimit(writers)
	for range cap(x.bodies) {
		x.bodies <- nil
	}
	return x
}

// end waits for the writes; the error of one goes before that of reading, which
// it ended.
func (x *extractor) end(read error) error {
	if err := x.writes.Wait(); err != nil {
		return err
	}
	return read
}

// visit is a Visit.
func (x *extractor) visit(m Entry, body io.Reader) error {
	if dir := path.Dir(m.Name); !x.made[dir] {
		if err := os.MkdirAll(x.path(dir), 0o700); err != nil {
			return fsutil.DiskError(err, "restoring a folder")
		}
		x.made[dir] = true
	}
	if m.Size > maxReadAhead {
		return x.write(m, func(f *os.File) error { _, err := io.Copy(f, body); return err })
	}
	var buffer []byte
	select {
	case buffer = <-x.bodies:
	case <-x.ctx.Done():
		return x.ctx.Err()
	}
	if int64(cap(buffer)) < m.Size {
		buffer = make([]byte, maxReadAhead)
	}
	if _, err := io.ReadFull(body, buffer[:m.Size]); err != nil {
		return err
	}
	x.writes.Go(func() error {
		defer func() { x.bodies <- buffer }()
		return x.write(m, func(f *os.File) error { _, err := f.Write(buffer[:m.Size]); return err })
	})
	return nil
}

func (x *extractor) path(name string) string { return filepath.Join(x.root, filepath.FromSlash(name)) }

// write makes a file; none of that name can be there.
func (x *extractor) write(m Entry, fill func(*os.File) error) error {
	path := x.path(m.Name)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fsutil.DiskError(err, "restoring a file")
	}
	if err := errors.Join(fill(f), f.Close(), os.Chtimes(path, m.Modified, m.Modified)); err != nil {
		if _, ok := fault.Message(err); ok {
			return err
		}
		return fsutil.DiskError(err, fmt.Sprintf("restoring %s", filepath.Base(path)))
	}
	return nil
}
