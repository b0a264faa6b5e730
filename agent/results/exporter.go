// Package results writes the results of a batch for people: its verified PDFs and
// its reports as files.
package results

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/vault"
)

// UpdateStore is what is needed of the store.
type UpdateStore interface {
	Tail(ctx context.Context, id uint64) ([]byte, error)
}

// Keep says what lies in the home's folders of results besides the reports.
type Keep string

// The ways of keeping verified PDFs as files.
const (
	// KeepLinks shares disk blocks with the stored documents where the file system can, and
	// copies elsewhere.
	KeepLinks Keep = "link"
	// KeepCopies writes every byte anew.
	KeepCopies Keep = "copy"
	// KeepNone keeps no verified PDFs: each can be downloaded.
	KeepNone Keep = "none"
)

// Exporter writes the results of batches.
type Exporter struct {
	Updates UpdateStore
	Blobs   blob.Store
	Keep    Keep // "" is KeepLinks

	reports sync.Mutex // held while a report is changed
}

// Open returns a verified PDF as a stream: the document's bytes, then the tail.
// The caller closes it.
func (w *Exporter) Open(ctx context.Context, c vault.Certificate) (*Verified, error) {
	if c.Verified == nil {
		return nil, fault.New(fault.NotFound, "Verified PDF not found. The certificate may still be processing.")
	}
	tail, err := w.Updates.Tail(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	document, err := w.Blobs.Open(ctx, c.Verified.Document.SHA256)
	if err != nil {
		return nil, err
	}
	info, err := document.Stat()
	if err == nil && (info.Size() != c.Verified.Document.Size || int64(len(tail)) != c.Verified.TailSize) {
		err = fault.New(fault.Damaged, "a stored document is not as long as it was; restore the home from a backup")
	}
	if err != nil {
		return nil, errors.Join(err, document.Close())
	}
	return &Verified{document: document, length: info.Size(), update: tail}, nil
}

// Verified is a verified PDF.
type Verified struct {
	document blob.File
	length   int64 // of the document
	update   []byte
	at       int64 // where Read goes on
}

// WriteTo copies the whole PDF.
func (v *Verified) WriteTo(w io.Writer) (int64, error) {
	// Between two files the kernel copies by itself.
	n, err := io.Copy(w, v.document)
	if err != nil {
		return n, err
	}
	m, err := io.Copy(w, bytes.NewReader(v.update))
	return n + m, err
}

// writeFile is WriteTo for an empty file.
func (v *Verified) writeFile(f *os.File, keep Keep) (err error) {
	if keep == KeepCopies {
		// The kernel, which copies between two files by itself, would share blocks.
		_, err = io.Copy(f, struct{ io.Reader }{v.document})
	} else {
		_, err = fsutil.CopyShared(f, v.document, v.length)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(v.update)
	return err
}

// Close lets go of the document.
func (v *Verified) Close() error { return v.document.Close() }

// Export writes the verified PDFs of approved certificates into a folder. One
// that lies there already at its full length is left alone. A stored document that is
// damaged keeps its own PDF from being written, not the others'; damaged says why, by
// the certificate's ID.
func (w *Exporter) Export(ctx context.Context, dir string, certificates []vault.Certificate) (damaged map[uint64]error, err error) {
	files := make([]fsutil.Pending, 0, len(certificates))
	for _, c := range certificates {
		name := filepath.Join(dir, c.VerifiedFileName())
		if isExported(name, *c.Verified) {
			continue
		}
		// A name of its own for each, so that what a crash leaves is overwritten.
		temp := filepath.Join(dir, "."+c.Reference+".part")
		err := w.copyOne(ctx, temp, c)
		if fault.Is(err, fault.Damaged) {
			if damaged == nil {
				damaged = map[uint64]error{}
			}
			damaged[c.ID] = err
			continue
		}
		files = append(files, fsutil.Pending{Temp: temp, Name: name})
		if err != nil {
			discardPending(files)
			return nil, err
		}
	}
	if err := fsutil.Publish(files); err != nil {
		discardPending(files)
		return nil, err
	}
	return damaged, nil
}

// isExported reports whether a file is a verified PDF as it is now. Files of one length differ
// where a time stamp was added later.
func isExported(name string, v vault.Verified) bool {
	info, err := os.Stat(name)
	if err != nil || info.Size() != v.Size() || len(v.Earlier) == 0 {
		return err == nil && info.Size() == v.Size()
	}
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return err == nil && hex.EncodeToString(sum.Sum(nil)) == v.SHA256
}

// discardPending removes temporary files that will get no name; on a full disk they would
// be in the way.
func discardPending(files []fsutil.Pending) {
	for _, f := range files {
		_ = os.Remove(f.Temp)
	}
}

func (w *Exporter) copyOne(ctx context.Context, temp string, c vault.Certificate) error {
	v, err := w.Open(ctx, c)
	if err != nil {
		return fault.At("certificate "+c.Reference, err)
	}
	defer v.Close()
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fsutil.DiskError(err, "writing a verified PDF")
	}
	err = v.writeFile(f, w.Keep)
	return fsutil.DiskError(errors.Join(err, f.Close()), "writing a verified PDF")
}

// Names of the tables of rejected rows, for programs and for spreadsheets.
const (
	rejectedName     = "rejected.csv"
	rejectedBookName = "rejected.xlsx"
)

// WriteReport writes report.csv and, when rows were rejected, rejected.csv and
// rejected.xlsx. When none were, it removes those of an earlier run. The report of a run of
// rejected rows joins that of the run that rejected them.
func (w *Exporter) WriteReport(dir string, rows []manifest.ReportRow, m *manifest.Manifest) error {
	w.reports.Lock()
	defer w.reports.Unlock()
	rejected := map[int]string{}
	for _, row := range rows {
		if row.Status == string(client.RowRejected) {
			rejected[row.Row] = row.Error
		}
	}
	report, path, book := filepath.Join(dir, "report.csv"), filepath.Join(dir, rejectedName), filepath.Join(dir, rejectedBookName)
	if err := errors.Join(fsutil.RemoveTemp(report), fsutil.RemoveTemp(path), fsutil.RemoveTemp(book)); err != nil {
		return err
	}
	write := func(w io.Writer) error { return manifest.WriteReport(w, rows) }
	if m.IsRejected() {
		earlier, err := readReport(report)
		if err != nil {
			return err
		}
		came := cameWith(rows, m)
		if merged := mergeReports(earlier, rows, came); merged != nil {
			write = func(w io.Writer) error { return manifest.WriteTable(w, merged) }
			if m, err = withEarlierRejected(path, m, rejected, came); err != nil {
				return err
			}
		}
	}
	if err := fsutil.WriteFile(report, 0o600, write); err != nil {
		return err
	}
	if len(rejected) == 0 {
		for _, name := range []string{path, book} {
			if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fsutil.DiskError(err, "removing old rejected rows")
			}
		}
		return nil
	}
	if err := fsutil.WriteFile(path, 0o600, func(w io.Writer) error { return manifest.WriteRejected(w, m, rejected) }); err != nil {
		return err
	}
	return fsutil.WriteFile(book, 0o600, func(w io.Writer) error { return manifest.WriteRejectedWorkbook(w, m, rejected) })
}

// readingName is the file beside report.csv that says how the manifest was read.
const readingName = "report.txt"

// WriteReading writes how the manifest was read, and what was odd about it, beside
// report.csv.
func WriteReading(dir string, lines []string) error {
	path := filepath.Join(dir, readingName)
	if err := fsutil.RemoveTemp(path); err != nil {
		return err
	}
	return fsutil.WriteFile(path, 0o600, func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
		return err
	})
}
