package batch

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// How many documents a preview has at most: as files of their own, and on the contact sheet.
const (
	maxPreviews = 10
	maxSheet    = 60
)

// preview writes what the documents of a dry run will look like: the first ones that a
// template makes, and a contact sheet of all kinds.
func (r *run) preview() error {
	if r.request.Preview == "" || !r.request.DryRun {
		return nil
	}
	if err := makeResultsFolder(r.request.Preview, 0o755); err != nil {
		return err
	}
	if err := r.previewTemplated(); err != nil {
		return err
	}
	return r.contactSheet()
}

// previewTemplated writes the first documents that a template makes, stamped with a key
// that is thrown away: they look as issued ones do, and cannot be taken for them.
func (r *run) previewTemplated() error {
	key, cert, err := pdf.NewSelfSigned(rand.Reader, "vecctl preview, not issued", r.Now(), 1)
	if err != nil {
		return err
	}
	signer, err := pdf.LoadSigner(key, cert)
	if err != nil {
		return err
	}
	seal := pdf.NewStamper(signer)
	written := 0
	for _, c := range r.candidates {
		if c.Renderer == nil || len(c.Problems) > 0 || written == maxPreviews {
			continue
		}
		page, err := r.previewOf(seal, c)
		if err != nil {
			return fault.At(fmt.Sprintf("row %d", c.Row.Number), err)
		}
		if err := r.writePreview(fmt.Sprintf("row-%d.pdf", c.Row.Number), page); err != nil {
			return err
		}
		written++
	}
	return nil
}

func (r *run) writePreview(name string, body []byte) error {
	name = filepath.Join(r.request.Preview, name)
	err := os.WriteFile(name, body, 0o644) //nolint:gosec // as readable as what the person makes
	if err != nil {
		return fault.Wrap(fault.Invalid, fsutil.DiskError(err, "writing a preview"), fmt.Sprintf("the preview %s cannot be written", name))
	}
	return nil
}

// contactSheet writes the pages with their codes, several to a sheet: all those first on
// which the code would cover something, then the others, in the order of the rows.
func (r *run) contactSheet() error {
	looked := r.filter(func(c *intake.RowResult) bool { return c.Coverage() != nil })
	if len(looked) == 0 {
		return nil
	}
	files, err := OpenFiles(r.request)
	if err != nil {
		return err
	}
	defer files.Close()
	shown := slices.Clone(looked)
	slices.SortStableFunc(shown, func(a, b *intake.RowResult) int {
		return cmp.Compare(sheetRank(a), sheetRank(b))
	})
	shown = shown[:min(len(shown), maxSheet)]
	slices.SortFunc(shown, func(a, b *intake.RowResult) int { return cmp.Compare(a.Row.Number, b.Row.Number) })
	sheet := pdf.NewContactSheet(fmt.Sprintf("Preview, not issued: where the code goes on %d of %d documents", len(shown), len(looked)))
	for _, c := range shown {
		err := r.addToSheet(sheet, files, c)
		if errors.Is(err, pdf.ErrSheetFull) {
			break
		}
		if err != nil {
			return fault.At(fmt.Sprintf("row %d", c.Row.Number), err)
		}
	}
	var b bytes.Buffer
	if err := sheet.Write(&b); err != nil {
		return err
	}
	const name = "contact-sheet.pdf"
	if err := r.writePreview(name, b.Bytes()); err != nil {
		return err
	}
	r.notes = append(r.notes, fmt.Sprintf("%s shows the code on %d of %d documents", filepath.Join(r.request.Preview, name), sheet.Len(), len(looked)))
	return nil
}

// sheetRank is 0 for a document on which the code covers something.
func sheetRank(c *intake.RowResult) int {
	if c.Coverage().Covers() {
		return 0
	}
	return 1
}

func (r *run) addToSheet(sheet *pdf.ContactSheet, files *os.Root, c *intake.RowResult) error {
	m, err := r.sampleStamp(c)
	if err != nil {
		return err
	}
	label := fmt.Sprintf("row %d", c.Row.Number)
	if c.Renderer == nil && isPlain(c.Path()) {
		label += ", " + c.Path()
	}
	if at := c.Coverage(); at.Covers() {
		label += ": covers " + at.Describe()
	}
	if c.Renderer != nil {
		document, err := c.Document()
		if err != nil {
			return err
		}
		return sheet.Add(bytes.NewReader(document), int64(len(document)), m, label)
	}
	f, err := files.Open(filepath.FromSlash(c.Path()))
	if err != nil {
		return fsutil.DiskError(err, "opening a document")
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fsutil.DiskError(err, "looking at a document")
	}
	return sheet.Add(f, info.Size(), m, label)
}

// isPlain reports whether a name can be printed in the sheet's font.
func isPlain(name string) bool {
	return !strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c > '~' })
}

// sampleStamp is the mark of a row's document, with a link to nothing.
func (r *run) sampleStamp(c *intake.RowResult) (pdf.Stamp, error) {
	p := c.Draft.Placement
	m, err := pdf.StampAt(p.At, p.Page, p.SizeMM, p.MarginMM)
	m.URL, m.Caption, m.SignedAt = r.Institutions.Links().Verify(sampleReference), sampleReference, r.Now()
	return m, err
}

func (r *run) previewOf(seal *pdf.Stamper, c *intake.RowResult) ([]byte, error) {
	document, err := c.Document()
	if err != nil {
		return nil, err
	}
	m, err := r.sampleStamp(c)
	if err != nil {
		return nil, err
	}
	tail, err := seal.Stamp(pdf.Source{R: bytes.NewReader(document), Size: int64(len(document))}, m)
	if err != nil {
		return nil, err
	}
	return slices.Concat(document, tail.Bytes), nil
}

// sampleReference is printed under the code where nothing is issued.
const sampleReference = "VEC-IC-00000000000000000"
