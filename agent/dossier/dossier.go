// Package dossier is what is known of one certificate, and what staff do to it
// after it was issued.
package dossier

import (
	"context"
	"io"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Records are what is needed of the store.
type Records interface {
	Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error)
	Referred(ctx context.Context, reference string) (vault.Certificate, error)
	Events(ctx context.Context, id uint64) ([]vault.Event, error)
	Change(ctx context.Context, institution uint32, name string, change store.Change) (vault.Certificate, error)
}

// Dossier opens those of the certificates of the institution whose staff is served.
type Dossier struct {
	Records     Records
	Institution func() uint32
	// Succeed makes a corrected successor of a certificate; without a file it has
	// the document of the one before.
	Succeed    func(ctx context.Context, name string, m vault.Mend, file *staff.NewFile) (vault.Certificate, error)
	Shape      func(vault.Certificate) client.Certificate
	ShapeEvent func(vault.Event) *staff.CertificateEvent
	Mailed     func() // tells that there is news, and perhaps a mail to send
	Wake       func() // tells that there is work
	Now        func() time.Time
	Random     io.Reader
}

// Revoke takes a certificate back and returns its UUID; its recipient is told
// where that is asked for.
func (d *Dossier) Revoke(ctx context.Context, name, reason string, tell bool) (string, error) {
	now := d.Now()
	c, err := d.Records.Change(ctx, d.Institution(), name, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		c, fx, err := c.Revoke(reason, now)
		if err == nil && tell {
			fx.Mails = append(fx.Mails, c.MailTo(vault.MailRevoked, now))
		}
		return c, fx, err
	})
	if err != nil {
		return "", err
	}
	d.Mailed()
	return c.UUID, nil
}

// Reshare gives a certificate's view-and-share page another address and returns its
// UUID.
func (d *Dossier) Reshare(ctx context.Context, name string) (string, error) {
	token, err := vault.NewShareToken(d.Random)
	if err != nil {
		return "", err
	}
	now := d.Now()
	c, err := d.Records.Change(ctx, d.Institution(), name, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Reshare(token, now)
	})
	return c.UUID, err
}

// Reissue makes a corrected successor of a certificate and returns its UUID.
func (d *Dossier) Reissue(ctx context.Context, name string, m staff.Mend) (string, error) {
	next, err := d.Succeed(ctx, name, vault.Mend{Name: m.Name, Email: m.Email, Title: m.Title, Details: m.Details,
		Placement: (*vault.Placement)(m.QR)}, m.File)
	if err != nil {
		return "", err
	}
	d.Wake()
	return next.UUID, nil
}
