package zipstream

import (
	"bytes"
	"errors"
	"io"
	"os"

	"github.com/vecctl/vecctl/pkg/fsutil"
)

// spool keeps what is written until it is copied: in memory at first, the rest in a temporary
// file. The zero value is ready.
type spool struct {
	memory bytes.Buffer
	file   *os.File
}

// spoolMemory is how much of a spool is in memory, in bytes: the directory of about 2,000
// entries.
const spoolMemory = 256 << 10

func (s *spool) Write(p []byte) (int, error) {
	if s.memory.Len()+len(p) > spoolMemory {
		if err := s.spill(); err != nil {
			return 0, err
		}
	}
	return s.memory.Write(p)
}

// spill moves what is in memory to the file.
func (s *spool) spill() (err error) {
	if s.file == nil {
		if s.file, err = os.CreateTemp("", "vecctl-zip-*"); err != nil {
			return fsutil.DiskError(err, "keeping an archive's directory")
		}
	}
	_, err = s.memory.WriteTo(s.file)
	return fsutil.DiskError(err, "keeping an archive's directory")
}

// copyTo writes everything to w.
func (s *spool) copyTo(w io.Writer, buffer []byte) (n int64, err error) {
	if s.file != nil {
		if _, err := s.file.Seek(0, io.SeekStart); err != nil {
			return 0, fsutil.DiskError(err, "reading an archive's directory")
		}
		if n, err = io.CopyBuffer(w, struct{ io.Reader }{s.file}, buffer); err != nil {
			return n, err
		}
	}
	m, err := s.memory.WriteTo(w)
	return n + m, err
}

// discard removes the file, where there is one.
func (s *spool) discard() error {
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
