package agent

import (
	"context"
	"errors"
	"io"

	"github.com/vecctl/vecctl/agent/api/form"
	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// apiIntake is the intake as the API knows it.
type apiIntake struct{ *intake.Uploads }

// apiDocument is an intake's document as the API knows it.
type apiDocument struct{ *intake.Document }

func (d apiDocument) Describe() vault.File { return d.File }

func (d apiIntake) Receive(ctx context.Context, r io.Reader, name string) (form.Upload, error) {
	received, err := d.Uploads.Receive(ctx, r, name)
	switch {
	case errors.Is(err, intake.ErrTooLarge):
		return nil, form.ErrFileTooLarge
	case errors.Is(err, intake.ErrWrongType):
		return nil, form.ErrFileType
	case err != nil:
		return nil, err
	}
	return apiDocument{received}, nil
}

func (d apiIntake) KeepFile(ctx context.Context, who vault.Institution, one form.Upload,
	reply func(apiaccess.Upload) (*apiaccess.StoredResponse, error)) (apiaccess.Upload, error) {
	received, err := d.received(one)
	if err != nil {
		return apiaccess.Upload{}, err
	}
	return d.Uploads.KeepFile(ctx, who, received, reply)
}

func (d apiIntake) IssueOne(ctx context.Context, who vault.Institution, draft vault.Draft, one form.Upload,
	reply func([]vault.Certificate) (apiaccess.StoredResponse, error)) (vault.Certificate, []store.Conflict, error) {
	received, err := d.received(one)
	if err != nil {
		return vault.Certificate{}, nil, err
	}
	return d.Uploads.IssueOne(ctx, who, draft, received, reply)
}

// Room implements api.Intake.
func (d apiIntake) Room(one form.Upload, p vault.Placement) error {
	received, err := d.received(one)
	if err != nil {
		return err
	}
	return d.Uploads.Room(received, p)
}

func (apiIntake) received(one form.Upload) (*intake.Document, error) {
	own, ok := one.(apiDocument)
	if !ok {
		return nil, errors.New("a document did not come in through this door")
	}
	return own.Document, nil
}
