package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// checkCodeFits refuses a document on which the code cannot lie where it was asked to.
func checkCodeFits(r io.ReaderAt, size int64, p vault.Placement) error {
	if p == (vault.Placement{}) {
		return nil
	}
	m, err := pdf.StampAt(p.At, p.Page, p.SizeMM, p.MarginMM)
	if err != nil {
		return err
	}
	if err := pdf.CheckStamp(r, size, m); err != nil {
		return fmt.Errorf("placing the code: %w", err)
	}
	return nil
}

// CheckPlacement refuses a place for the code that the document does not have.
func (f *Replacement) CheckPlacement(p vault.Placement) error {
	err := checkCodeFits(bytes.NewReader(f.Body), int64(len(f.Body)), p)
	if isOffPage(err) {
		return err
	}
	return nil // what else is wrong is told when it is looked into
}

func isOffPage(err error) bool {
	r, ok := errors.AsType[*pdf.Rejection](err)
	return ok && (r.Reason == pdf.NoSuchPage || r.Reason == pdf.BadPlace)
}

// Room refuses a place for the code that a received document does not have. What
// else may be wrong with the document is for its processing to say.
func (u *Uploads) Room(d *Document, p vault.Placement) error {
	return checkFileFits(p, d.File.Size, d.staged.Open)
}

// RoomOf is Room for a document that is stored.
func (u *Uploads) RoomOf(ctx context.Context, file vault.File, p vault.Placement) error {
	return checkFileFits(p, file.Size, func() (blob.File, error) { return u.Blobs.Open(ctx, file.SHA256) })
}

func checkFileFits(p vault.Placement, size int64, open func() (blob.File, error)) error {
	if p == (vault.Placement{}) {
		return nil
	}
	f, err := open()
	if err != nil {
		return err
	}
	defer f.Close()
	err = checkCodeFits(f, size, p)
	if _, ok := errors.AsType[*pdf.Rejection](err); ok && !isOffPage(err) {
		return nil
	}
	return err
}
