package agent

import (
	"context"
	"io"

	"github.com/vecctl/vecctl/agent/outcome"
	"github.com/vecctl/vecctl/agent/pages"
	"github.com/vecctl/vecctl/agent/pages/share"
	"github.com/vecctl/vecctl/agent/process"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// showing makes the pages that the public sees.
func (a *Agent) showing() (*pages.Pages, error) {
	o := pages.Options{
		Vault: a.store, Institution: a.InstitutionByID, Current: a.Institution, BaseURL: a.BaseURL,
		VerifyURL: func(reference string) string { return process.VerifyURL(a.BaseURL(), reference) },
		ShareURL:  func(c vault.Certificate) string { return process.ShareURL(a.BaseURL(), c) },
		Open: func(ctx context.Context, c vault.Certificate) (share.Document, error) {
			return a.outcome.Open(ctx, c)
		},
		FileName: outcome.FileName, Ask: a.askForCorrection, SendLink: a.sendSignIn,
		Desk: a, ReadForm: readForm,
		Now: a.Now, Random: a.Random, Log: a.Log,
	}
	if pdf.CanPreview() {
		o.Draw = a.draw
	}
	return pages.New(o)
}

// draw makes a picture of a certificate's first page.
func (a *Agent) draw(ctx context.Context, c vault.Certificate) ([]byte, error) {
	v, err := a.outcome.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	return pdf.Preview(ctx, readerAt{v}, c.Verified.Size())
}

// readerAt reads a stream that can be entered anywhere, for one reader.
type readerAt struct{ io.ReadSeeker }

func (r readerAt) ReadAt(p []byte, at int64) (int, error) {
	if _, err := r.Seek(at, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(r, p)
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return n, err
}

// sendSignIn has the link mailed that proves an address.
func (a *Agent) sendSignIn(ctx context.Context, to, link string) error {
	err := a.store.QueueMail(ctx, vault.NewSignInMail(a.Institution().ID, to, link, a.Now()))
	a.post.Wake()
	return err
}

// askForCorrection keeps somebody's wish, and has staff told of it.
func (a *Agent) askForCorrection(ctx context.Context, c vault.Certificate, wish vault.Correction) error {
	kept, err := a.store.AddCorrection(ctx, wish)
	if err != nil {
		return err
	}
	if err := a.store.QueueMail(ctx, vault.NewCorrectionMail(c, "", kept.Text, a.Now())); err != nil {
		// Staff see the wish in their list all the same.
		a.Log.Error("telling staff of a correction that is asked for failed", "correction", kept.ID, "error", err)
	}
	a.post.Wake()
	return nil
}

// Corrections lists the wishes for corrections of the current institution's
// certificates.
func (a *Agent) Corrections(ctx context.Context, all bool) ([]client.Correction, error) {
	found, err := a.store.Corrections(ctx, a.Institution().ID, all)
	if err != nil {
		return nil, err
	}
	shown := make([]client.Correction, len(found))
	for i, c := range found {
		shown[i] = shapeCorrection(c)
	}
	return shown, nil
}

// FinishCorrection notes that staff have seen to a wish.
func (a *Agent) FinishCorrection(ctx context.Context, id uint64) (client.Correction, error) {
	done, err := a.store.ChangeCorrection(ctx, a.Institution().ID, id, func(c vault.Correction) (vault.Correction, error) {
		return c.Finish(a.Now())
	})
	return shapeCorrection(done), err
}

func shapeCorrection(c vault.Correction) client.Correction {
	return client.Correction{
		ID: c.ID, UUID: c.Certificate, ReferenceID: c.Reference, Text: c.Text, AskedAt: c.At.UTC(), DoneAt: client.TimeOrNull(c.DoneAt),
	}
}
