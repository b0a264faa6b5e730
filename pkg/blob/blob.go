// Package blob keeps whole files under the SHA-256 of their content. A file is
// there whole or not at all, and it is durable before anyone may name it.
//
//	blobs/
//	  ab/ab12...   one file a content, 256 folders
//	  tmp/         what is being written; emptied when the store is opened
package blob

import (
	"context"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

// Store is a folder of blobs. It is safe for concurrent use within the one
// process that owns the home.
type Store struct {
	root string
	// sweepLock is held while names appear and while unreferenced ones go, so that
	// a blob is not swept at the moment in which somebody stores it again.
	sweepLock sync.Mutex
	holds     atomic.Int32 // by how many nothing may be swept
	buffers   sync.Pool
}

// Open makes the folders that are missing and removes what an interrupted
// process left half-written.
func Open(root string) (*Store, error) {
	s := &Store{root: root}
	s.buffers.New = func() any { b := make([]byte, 128<<10); return &b }
	for _, folder := range []string{s.temp(), filepath.Join(root, "ff")} { // a home that was restored may lack some
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
		if err := removeFile(filepath.Join(s.temp(), e.Name())); err != nil {
			return nil, fsutil.DiskError(err, "removing a half-written file")
		}
	}
	return s, nil
}

func (s *Store) makeFolders() error {
	if err := os.MkdirAll(s.temp(), 0o700); err != nil {
		return fsutil.DiskError(err, "making the blob folder")
	}
	for i := range Folders {
		err := os.Mkdir(filepath.Join(s.root, fmt.Sprintf("%02x", i)), 0o700)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return fsutil.DiskError(err, "making the blob folder")
		}
	}
	return fsutil.FlushFolder(s.root)
}

func (s *Store) temp() string { return filepath.Join(s.root, "tmp") }

func (s *Store) path(sum string) string { return filepath.Join(s.root, sum[:2], sum) }

// Staged is content that was read to its end but is not stored yet.
type Staged struct {
	SHA256    string // lower-case hexadecimal
	Size      int64
	HashState []byte // SHA-256's running state after the last byte
	path      string
}

// Stage reads r to its end into a temporary file. Content of more than limit
// bytes is an Invalid error.
func (s *Store) Stage(r io.Reader, limit int64) (*Staged, error) {
	f, err := os.CreateTemp(s.temp(), "in-*")
	if err != nil {
		return nil, fsutil.DiskError(err, "making a temporary file")
	}
	st, err := s.fill(f, r, limit)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, errors.Join(err, removeFile(f.Name()))
	}
	return st, nil
}

func (s *Store) fill(f *os.File, r io.Reader, limit int64) (*Staged, error) {
	st, err := s.digest(f, r, limit)
	if err != nil {
		return nil, err
	}
	st.path = f.Name()
	return st, nil
}

// Digest reads r to its end and keeps nothing but its hash and size; for those
// who want to know whether they have a content already.
func (s *Store) Digest(r io.Reader, limit int64) (*Staged, error) {
	return s.digest(io.Discard, r, limit)
}

func (s *Store) digest(w io.Writer, r io.Reader, limit int64) (*Staged, error) {
	buf := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buf)
	hash := sha256.New()
	var size int64
	for {
		n, err := fillUp(*buf, r)
		if n > 0 {
			if size += int64(n); size > limit {
				return nil, fault.Newf(fault.Invalid, "the file is larger than %d MB", limit>>20)
			}
			hash.Write((*buf)[:n])
			if _, err := w.Write((*buf)[:n]); err != nil {
				return nil, fsutil.DiskError(err, "storing a document")
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading a document: %w", err)
		}
	}
	state, err := hash.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("keeping the hash state: %w", err)
	}
	return &Staged{SHA256: hex.EncodeToString(hash.Sum(nil)), Size: size, HashState: state}, nil
}

// fillUp reads until a buffer is full, so that what comes in small pieces is
// written in large ones. Its error is the reader's.
func fillUp(buf []byte, r io.Reader) (n int, err error) {
	for n < len(buf) && err == nil {
		var more int
		more, err = r.Read(buf[n:])
		n += more
	}
	return n, err
}

// Open opens the staged content for reading.
func (st *Staged) Open() (*os.File, error) {
	f, err := os.Open(st.path)
	if err != nil {
		return nil, fsutil.DiskError(err, "opening a document")
	}
	return f, nil
}

// Discard drops content that will not be stored. It may be called twice, and
// after a commit.
func (st *Staged) Discard() {
	if st.path != "" {
		// What stays behind is removed when the store is opened next.
		_ = removeFile(st.path)
		st.path = ""
	}
}

// Commit stores staged contents; when it returns they are durable and may be
// named. A content that is here already is kept as it is and counts as new for
// the sweep.
func (s *Store) Commit(staged ...*Staged) error {
	s.sweepLock.Lock()
	defer s.sweepLock.Unlock()
	files := make([]fsutil.Pending, 0, len(staged))
	seen := make(map[string]bool, len(staged))
	now := time.Now()
	for _, st := range staged {
		if st.path == "" {
			continue
		}
		name := s.path(st.SHA256)
		if seen[name] || os.Chtimes(name, now, now) == nil {
			st.Discard()
			continue
		}
		seen[name] = true
		files = append(files, fsutil.Pending{Temp: st.path, Name: name})
	}
	if err := fsutil.Publish(files); err != nil {
		return err
	}
	for _, st := range staged {
		st.path = ""
	}
	return nil
}

// Get opens a stored content.
func (s *Store) Get(sum string) (*os.File, error) {
	if !validSum(sum) {
		return nil, fault.New(fault.Invalid, "that is not a content's name")
	}
	f, err := os.Open(s.path(sum))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(fault.Damaged, err, "a stored document is missing from the home's blobs folder; restore it from a backup")
	}
	if err != nil {
		return nil, fsutil.DiskError(err, "opening a stored document")
	}
	return f, nil
}

func validSum(sum string) bool {
	b, err := hex.DecodeString(sum)
	return err == nil && len(b) == sha256.Size
}

// Hold keeps contents from being swept until release is called, which must be
// once; for those who copy what a moment's records name.
func (s *Store) Hold() (release func()) {
	s.sweepLock.Lock() // a sweep that is under way ends first
	defer s.sweepLock.Unlock()
	s.holds.Add(1)
	return func() { s.holds.Add(-1) }
}

// List returns the names of all contents, in order.
func (s *Store) List(ctx context.Context) ([]string, error) {
	var all []string
	for i := range Folders {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		entries, err := os.ReadDir(filepath.Join(s.root, fmt.Sprintf("%02x", i)))
		if err != nil {
			return nil, fsutil.DiskError(err, "listing stored documents")
		}
		for _, e := range entries {
			if validSum(e.Name()) {
				all = append(all, e.Name())
			}
		}
	}
	return all, nil
}

// Folders is how many folders the contents lie in.
const Folders = 256

// Sweep removes contents that were stored before a moment and that nobody
// refers to, and returns how many. It stops early when ctx ends.
func (s *Store) Sweep(ctx context.Context, before time.Time, referenced func(sum string) (bool, error)) (int, error) {
	removed := 0
	for i := range Folders {
		n, err := s.SweepFolder(ctx, i, before, referenced)
		if removed += n; err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// SweepFolder is Sweep in one folder, from 0 to Folders-1.
func (s *Store) SweepFolder(ctx context.Context, folder int, before time.Time, referenced func(sum string) (bool, error)) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	dir := filepath.Join(s.root, fmt.Sprintf("%02x", folder))
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, fsutil.DiskError(err, "listing stored documents")
	}
	removed := 0
	for _, e := range entries {
		gone, err := s.sweepOne(filepath.Join(dir, e.Name()), before, referenced)
		if err != nil {
			return removed, err
		}
		if gone {
			removed++
		}
	}
	return removed, nil
}

// Remove removes a document that nothing needs any more, whatever its age, and
// reports whether it did.
func (s *Store) Remove(sum string, referenced func(sum string) (bool, error)) (bool, error) {
	if !validSum(sum) {
		return false, nil
	}
	return s.sweepOne(s.path(sum), time.Unix(1<<40, 0), referenced)
}

func (s *Store) sweepOne(path string, before time.Time, referenced func(string) (bool, error)) (bool, error) {
	s.sweepLock.Lock()
	defer s.sweepLock.Unlock()
	if s.holds.Load() > 0 {
		return false, nil
	}
	info, err := os.Lstat(path)
	if err != nil || !info.ModTime().Before(before) || !validSum(filepath.Base(path)) {
		return false, nil
	}
	used, err := referenced(filepath.Base(path))
	if err != nil || used {
		return false, err
	}
	return true, removeFile(path)
}

// removeFile removes a file that may be gone already.
func removeFile(path string) error {
	_, err := fsutil.RemoveFile(path)
	return err
}
