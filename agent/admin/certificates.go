// Package admin is what the staff of an institution see and do: certificates,
// corrections, failures, webhooks, mails, keys, tokens, erasure and the audit
// trail.
package admin

import (
	"context"
	"io"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// CertificateStore are what is needed of the store.
type CertificateStore interface {
	Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error)
	ByReference(ctx context.Context, reference string) (vault.Certificate, error)
	Events(ctx context.Context, id uint64) ([]vault.Event, error)
	Change(ctx context.Context, institution uint32, name string, change store.Change) (vault.Certificate, error)
}

// Certificates opens those of the certificates of the institution whose staff is served.
type Certificates struct {
	Store       CertificateStore
	Institution func() uint32
	// Replace makes a corrected successor of a certificate; without a file it has
	// the document of the one before.
	Replace    func(ctx context.Context, name string, m vault.Amendment, file *adminclient.NewFile) (vault.Certificate, error)
	ToAPI      func(vault.Certificate) client.Certificate
	EventToAPI func(vault.Event) *adminclient.CertificateEvent
	MailQueued func() // tells that there is news, and perhaps a mail to send
	Wake       func() // tells that there is work
	Now        func() time.Time
	Random     io.Reader
}

// Revoke takes a certificate back and returns its UUID; its recipient is told
// where that is asked for.
func (d *Certificates) Revoke(ctx context.Context, name, reason string, tell bool) (string, error) {
	now := d.Now()
	c, err := d.Store.Change(ctx, d.Institution(), name, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		c, fx, err := c.Revoke(reason, now)
		if err == nil && tell {
			fx.Mails = append(fx.Mails, c.MailTo(vault.MailRevoked, now))
		}
		return c, fx, err
	})
	if err != nil {
		return "", err
	}
	d.MailQueued()
	return c.UUID, nil
}

// Reshare gives a certificate's view-and-share page another address and returns its
// UUID.
func (d *Certificates) Reshare(ctx context.Context, name string) (string, error) {
	token, err := vault.NewShareToken(d.Random)
	if err != nil {
		return "", err
	}
	now := d.Now()
	c, err := d.Store.Change(ctx, d.Institution(), name, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.ReplaceShareToken(token, now)
	})
	return c.UUID, err
}

// Reissue makes a corrected successor of a certificate and returns its UUID.
func (d *Certificates) Reissue(ctx context.Context, name string, m adminclient.Amendment) (string, error) {
	next, err := d.Replace(ctx, name, vault.Amendment{Changes: m.Changes, Placement: (*vault.Placement)(m.QR)}, m.File)
	if err != nil {
		return "", err
	}
	d.Wake()
	return next.UUID, nil
}
