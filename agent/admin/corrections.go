package admin

import (
	"context"
	"log/slog"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
)

// CorrectionStore are where wishes for corrections are kept.
type CorrectionStore interface {
	AddCorrection(ctx context.Context, c vault.CorrectionRequest) (vault.CorrectionRequest, error)
	Corrections(ctx context.Context, institution uint32, all bool) ([]vault.CorrectionRequest, error)
	ChangeCorrection(ctx context.Context, institution uint32, id uint64,
		change func(vault.CorrectionRequest) (vault.CorrectionRequest, error)) (vault.CorrectionRequest, error)
	QueueMail(ctx context.Context, m vault.Mail) error
}

// Corrections are those for corrections of certificates.
type Corrections struct {
	Store       CorrectionStore
	Institution func() uint32 // the one whose staff is served
	MailQueued  func()        // tells that there may be a mail to send
	Now         func() time.Time
	Log         *slog.Logger
}

// RequestCorrection keeps somebody's wish, and has staff told of it.
func (w *Corrections) RequestCorrection(ctx context.Context, c vault.Certificate, wish vault.CorrectionRequest) error {
	kept, err := w.Store.AddCorrection(ctx, wish)
	if err != nil {
		return err
	}
	if err := w.Store.QueueMail(ctx, vault.NewCorrectionMail(c, "", kept.Text, w.Now())); err != nil {
		// Staff see the wish in their list all the same.
		w.Log.Error("telling staff of a correction that is asked for failed", "correction", kept.ID, "error", err)
	}
	w.MailQueued()
	return nil
}

// Corrections lists the wishes for corrections of the current institution's
// certificates.
func (w *Corrections) Corrections(ctx context.Context, all bool) ([]adminclient.CorrectionRequest, error) {
	found, err := w.Store.Corrections(ctx, w.Institution(), all)
	if err != nil {
		return nil, err
	}
	shown := make([]adminclient.CorrectionRequest, len(found))
	for i, c := range found {
		shown[i] = correctionToAPI(c)
	}
	return shown, nil
}

// FinishCorrection notes that staff have seen to a wish.
func (w *Corrections) FinishCorrection(ctx context.Context, id uint64) (adminclient.CorrectionRequest, error) {
	done, err := w.Store.ChangeCorrection(ctx, w.Institution(), id, func(c vault.CorrectionRequest) (vault.CorrectionRequest, error) {
		return c.Finish(w.Now())
	})
	return correctionToAPI(done), err
}

func correctionToAPI(c vault.CorrectionRequest) adminclient.CorrectionRequest {
	return adminclient.CorrectionRequest{
		ID: c.ID, UUID: c.Certificate, ReferenceID: c.Reference, Text: c.Text, AskedAt: c.At.UTC(), DoneAt: client.TimeOrNull(c.DoneAt),
	}
}
