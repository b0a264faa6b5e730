package client

import (
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

// folderDestination saves documents as files of a folder. Each appears whole.
type folderDestination struct {
	saver   *saver
	dir     string
	pending []fsutil.Pending
}

// partSuffix ends the name of a document that is being written.
const partSuffix = ".part"

// noteName is the file that says how far an unfinished download of a folder is.
const noteName = ".vecctl-download.json"

// openFolder opens a folder and makes it where it does not exist.
func openFolder(s *saver, dir string) (destination, error) {
	d := &folderDestination{saver: s, dir: dir}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, fault.Newf(fault.Invalid, "%s is a file; name a folder, or an archive that ends in .zip", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fsutil.DiskError(err, "making the folder")
	}
	u, resumed, err := s.readUnfinished(d.note(), dir)
	if err != nil {
		return nil, err
	}
	if resumed {
		s.after, s.report.Skipped = u.After, append(s.report.Skipped, u.Report.Skipped...)
		s.report.Unchanged = u.Report.Unchanged + u.Report.Downloaded
		s.report.Total = s.report.Unchanged + len(s.report.Skipped)
		return d, nil
	}
	return d, s.writeUnfinished(d.note(), s.newUnfinished())
}

func (d *folderDestination) note() string { return filepath.Join(d.dir, noteName) }

// has compares with the file of that name.
func (d *folderDestination) has(f savedFile) (bool, error) {
	file, err := os.Open(filepath.Join(d.dir, f.Name))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fsutil.DiskError(err, "reading a document")
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || f.Size != 0 && info.Size() != f.Size {
		return false, fsutil.DiskError(err, "reading a document")
	}
	if f.CRC32 == 0 {
		return f.Size != 0, nil // a file has its name only when it is whole
	}
	sum := crc32.NewIEEE()
	if _, err := io.Copy(sum, file); err != nil {
		return false, fsutil.DiskError(err, "reading a document")
	}
	return sum.Sum32() == f.CRC32, nil
}

func (d *folderDestination) put(f savedFile, content io.Reader) error {
	temp := filepath.Join(d.dir, "."+f.ReferenceID+partSuffix)
	file, err := os.OpenFile(temp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fsutil.DiskError(err, "writing a document")
	}
	n, err := io.Copy(file, content)
	if err == nil && n != f.Size {
		err = io.ErrUnexpectedEOF
	}
	if err = errors.Join(err, file.Close()); err != nil {
		_ = os.Remove(temp)
		return fsutil.DiskError(err, "writing a document")
	}
	if !f.Skipped {
		_ = os.Remove(filepath.Join(d.dir, f.ReferenceID+SkippedSuffix)) // of an earlier run
	}
	d.pending = append(d.pending, fsutil.Pending{Temp: temp, Name: filepath.Join(d.dir, f.Name)})
	return nil
}

// checkpoint names what was written.
func (d *folderDestination) checkpoint() error {
	if err := fsutil.Publish(d.pending); err != nil {
		return err
	}
	d.pending = nil
	u := d.saver.newUnfinished()
	u.After, u.Report = d.saver.after, d.saver.report
	return d.saver.writeUnfinished(d.note(), u)
}

func (d *folderDestination) finish() error {
	if err := fsutil.Publish(d.pending); err != nil {
		return err
	}
	d.removeParts()
	return fsutil.DiskError(os.Remove(d.note()), "ending the download")
}

// removeParts removes what runs that were killed were writing.
func (d *folderDestination) removeParts() {
	left, _ := filepath.Glob(filepath.Join(d.dir, ".VEC-*"+partSuffix)) // the pattern is right
	for _, name := range left {
		_ = os.Remove(name)
	}
}

func (d *folderDestination) close() error {
	if d.saver.report.Total == 0 {
		_ = os.Remove(d.note())
		_ = os.Remove(d.dir) // where it is empty
	}
	return nil
}
