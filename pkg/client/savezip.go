package client

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/zipstream"
)

// zipDestination saves documents in a ZIP. Until it is whole it is NAME.part, and NAME.part.json
// says what it is of.
type zipDestination struct {
	saver  *saver
	out    string
	file   *os.File
	buffer *bufio.Writer
	zip    *zipstream.Writer
	// known has the documents of an earlier run, by name.
	known map[string]bool
}

// openZip opens an archive: a new one, or that of a run which was interrupted.
func openZip(s *saver, out string) (destination, error) {
	if info, err := os.Stat(out); err == nil && !info.Mode().IsRegular() {
		return nil, fault.Newf(fault.Invalid, "%s is not a file; name another one", out)
	}
	d := &zipDestination{saver: s, out: out, known: map[string]bool{}}
	_, resumed, err := s.readUnfinished(d.note(), out)
	if err != nil {
		return nil, err
	}
	if d.file, err = os.OpenFile(d.part(), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, fsutil.DiskError(err, "writing the archive")
	}
	d.buffer = bufio.NewWriterSize(d.file, 256<<10)
	d.zip = zipstream.NewWriter(d.buffer)
	if resumed {
		err = d.resume()
	} else {
		err = errors.Join(d.file.Truncate(0), s.writeUnfinished(d.note(), s.newUnfinished()))
	}
	if err != nil {
		return nil, errors.Join(fsutil.DiskError(err, "writing the archive"), d.close())
	}
	return d, nil
}

func (d *zipDestination) part() string { return d.out + ".part" }
func (d *zipDestination) note() string { return d.out + ".part.json" }

// resume takes over the whole documents of an earlier run and goes on behind them.
func (d *zipDestination) resume() error {
	old := zipstream.NewReader(d.file)
	for {
		e, err := old.Next()
		if err != nil {
			break // its end, whole or not
		}
		reason := &strings.Builder{}
		reference, skipped := strings.CutSuffix(e.Name, SkippedSuffix)
		if skipped {
			_, err = io.Copy(reason, old)
		} else {
			_, err = io.Copy(io.Discard, old)
		}
		if err != nil {
			break
		}
		if err := d.zip.Resume(e); err != nil {
			return err
		}
		if skipped {
			d.saver.report.skip(reference, reason.String())
		} else {
			reference = vault.ReferenceInFileName("-" + e.Name) // some are only the reference ID
			d.known[e.Name] = true
			d.saver.report.add(true)
		}
		d.saver.after = reference
	}
	if err := d.file.Truncate(d.zip.Offset()); err != nil {
		return err
	}
	_, err := d.file.Seek(d.zip.Offset(), io.SeekStart)
	return err
}

func (d *zipDestination) has(f savedFile) (bool, error) { return d.known[f.Name], nil }

func (d *zipDestination) put(f savedFile, content io.Reader) error {
	err := d.zip.Add(zipstream.Entry{Name: f.Name, Size: f.Size, CRC32: f.CRC32, Modified: time.Unix(0, 0)}, content)
	return d.diskError(err)
}

// diskError gives an error of the archive its kind; those of the vault have theirs.
func (d *zipDestination) diskError(err error) error {
	return fsutil.DiskError(err, "writing the archive")
}

func (d *zipDestination) checkpoint() error { return d.diskError(d.buffer.Flush()) }

func (d *zipDestination) finish() error {
	if err := errors.Join(d.zip.Close(), d.buffer.Flush(), d.file.Close()); err != nil {
		return d.diskError(err)
	}
	if err := fsutil.Publish([]fsutil.Pending{{Temp: d.part(), Name: d.out}}); err != nil {
		return err
	}
	return d.diskError(os.Remove(d.note()))
}

func (d *zipDestination) close() error {
	d.zip.Discard()
	err := d.file.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	if d.saver.report.Total == 0 { // there is nothing to continue
		_ = os.Remove(d.part())
		_ = os.Remove(d.note())
	}
	return d.diskError(err)
}
