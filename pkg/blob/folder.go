package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/pkg/fsutil"
)

// Folder is a Store in a folder that one process owns.
//
//	blobs/
//	  ab/ab12...   one file per content, a folder for each part
//	  tmp/         what is staged; emptied when the folder is opened
type Folder struct {
	root   string
	hasher Hasher
	// sweepLock is held while names appear and while unreferenced ones go, so that
	// a content is not swept at the moment in which it is stored again.
	sweepLock sync.Mutex
	holds     atomic.Int32
	failure   fsutil.FlushFailure
}

var _ Store = (*Folder)(nil)

// OpenFolder makes the folders that are missing and removes what an interrupted
// process left half-written.
func OpenFolder(root string) (*Folder, error) {
	s := &Folder{root: root}
	for _, folder := range []string{s.temp(), s.part(Parts - 1)} { // a home that was restored may lack some
		if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
			if err := s.makeFolders(); err != nil {
				return nil, err
			}
		}
	}
	left, err := os.ReadDir(s.temp())
	if err != nil {
		return nil, fsutil.DiskError(err, "opening the blob folder")
	}
	for _, e := range left {
		if _, err := fsutil.RemoveFile(filepath.Join(s.temp(), e.Name())); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Folder) makeFolders() error {
	if err := os.MkdirAll(s.temp(), 0o700); err != nil {
		return fsutil.DiskError(err, "making the blob folder")
	}
	for i := range Parts {
		if err := os.Mkdir(s.part(i), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return fsutil.DiskError(err, "making the blob folder")
		}
	}
	return fsutil.FlushFolder(s.root)
}

func (s *Folder) temp() string { return filepath.Join(s.root, "tmp") }

func (s *Folder) part(n int) string { return filepath.Join(s.root, fmt.Sprintf("%02x", n)) }

func (s *Folder) path(sum string) string { return filepath.Join(s.root, sum[:2], sum) }

// stagedFile is a temporary file; "" once it has its name or was removed.
type stagedFile struct{ path string }

// Open implements StagedContent.
func (f *stagedFile) Open() (File, error) {
	opened, err := os.Open(f.path)
	if err != nil {
		return nil, fsutil.DiskError(err, "opening a document")
	}
	return opened, nil
}

// Discard implements StagedContent. What stays behind is removed when the folder is opened
// next.
func (f *stagedFile) Discard() {
	if f.path != "" {
		_, _ = fsutil.RemoveFile(f.path)
		f.path = ""
	}
}

// Stage implements Store.
func (s *Folder) Stage(ctx context.Context, r io.Reader, limit int64) (*Staged, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(s.temp(), "in-*")
	if err != nil {
		return nil, fsutil.DiskError(err, "making a temporary file")
	}
	content := &stagedFile{path: f.Name()}
	digest, err := s.hasher.Copy(f, r, limit)
	if err = errors.Join(err, f.Close()); err != nil {
		content.Discard()
		return nil, err
	}
	return &Staged{Digest: digest, Content: content}, nil
}

// WaitFailure returns why nothing more is committed as soon as that is so, and the error of ctx
// when that ends before.
func (s *Folder) WaitFailure(ctx context.Context) error { return s.failure.Wait(ctx) }

// Commit implements Store. After a flush that failed nothing more is committed: nobody knows
// what lies on the disk.
func (s *Folder) Commit(ctx context.Context, staged ...*Staged) error {
	if err := errors.Join(ctx.Err(), s.failure.Err()); err != nil {
		return err
	}
	s.sweepLock.Lock()
	defer s.sweepLock.Unlock()
	pending := make([]fsutil.Pending, 0, len(staged))
	committed := make([]*stagedFile, 0, len(staged))
	seen := make(map[string]bool, len(staged))
	var existing []string
	now := time.Now()
	for _, st := range staged {
		content, ok := st.Content.(*stagedFile)
		if !ok || content.path == "" {
			continue
		}
		name := s.path(st.SHA256)
		if seen[name] {
			content.Discard()
			continue
		}
		seen[name] = true
		if os.Chtimes(name, now, now) == nil {
			// It may have been named by a process that was killed before the name was durable.
			existing = append(existing, name)
			content.Discard()
			continue
		}
		pending = append(pending, fsutil.Pending{Temp: content.path, Name: name})
		committed = append(committed, content)
	}
	if err := fsutil.Publish(pending, existing...); err != nil {
		if fsutil.IsFlushFailure(err) {
			return s.failure.Set("the folder of documents", s.root, err)
		}
		return err
	}
	for _, content := range committed {
		content.path = ""
	}
	return nil
}

// Open implements Store.
func (s *Folder) Open(ctx context.Context, sum string) (File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !ValidSum(sum) {
		return nil, InvalidSum()
	}
	f, err := os.Open(s.path(sum))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Missing(err)
	}
	if err != nil {
		return nil, fsutil.DiskError(err, "opening a stored document")
	}
	return f, nil
}

// Hold implements Store.
func (s *Folder) Hold(ctx context.Context) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.sweepLock.Lock() // a removal that is under way ends first
	defer s.sweepLock.Unlock()
	s.holds.Add(1)
	return func() { s.holds.Add(-1) }, nil
}

// List implements Store.
func (s *Folder) List(ctx context.Context) ([]string, error) {
	var all []string
	for i := range Parts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		entries, err := os.ReadDir(s.part(i))
		if err != nil {
			return nil, fsutil.DiskError(err, "listing stored documents")
		}
		for _, e := range entries {
			if ValidSum(e.Name()) {
				all = append(all, e.Name())
			}
		}
	}
	return all, nil
}

// Sweep implements Store.
func (s *Folder) Sweep(ctx context.Context, part int, before time.Time, referenced Referenced) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	entries, err := os.ReadDir(s.part(part))
	if err != nil {
		return 0, fsutil.DiskError(err, "listing stored documents")
	}
	removed := 0
	for _, e := range entries {
		gone, err := s.remove(ctx, e.Name(), before, referenced)
		if err != nil {
			return removed, err
		}
		if gone {
			removed++
		}
	}
	return removed, nil
}

// Remove implements Store.
func (s *Folder) Remove(ctx context.Context, sum string, referenced Referenced) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	return s.remove(ctx, sum, time.Unix(1<<40, 0), referenced)
}

// remove removes a content that was last stored before a moment and is not referenced.
func (s *Folder) remove(ctx context.Context, sum string, before time.Time, referenced Referenced) (bool, error) {
	if !ValidSum(sum) {
		return false, nil
	}
	s.sweepLock.Lock()
	defer s.sweepLock.Unlock()
	if s.holds.Load() > 0 {
		return false, nil
	}
	info, err := os.Lstat(s.path(sum))
	if err != nil || !info.ModTime().Before(before) {
		return false, nil
	}
	needed, err := referenced(ctx, sum)
	if err != nil || needed {
		return false, err
	}
	return fsutil.RemoveFile(s.path(sum))
}
