package agent

import (
	"context"

	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Revoke takes a certificate back and returns its UUID; its recipient is told
// where that is asked for.
func (a *Agent) Revoke(ctx context.Context, name, reason string, tell bool) (string, error) {
	now := a.Now()
	c, err := a.store.Change(ctx, a.Institution().ID, name, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		c, fx, err := c.Revoke(reason, now)
		if err == nil && tell {
			fx.Mails = append(fx.Mails, c.MailTo(vault.MailRevoked, now))
		}
		return c, fx, err
	})
	if err != nil {
		return "", err
	}
	a.feed.News()
	a.post.Wake()
	return c.UUID, nil
}

// Reshare gives a certificate's view-and-share page another address and returns its
// UUID.
func (a *Agent) Reshare(ctx context.Context, name string) (string, error) {
	token, err := vault.NewShareToken(a.Random)
	if err != nil {
		return "", err
	}
	now := a.Now()
	c, err := a.store.Change(ctx, a.Institution().ID, name, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Reshare(token, now)
	})
	return c.UUID, err
}

// Reissue makes a corrected successor of a certificate and returns its UUID.
func (a *Agent) Reissue(ctx context.Context, name string, m client.Mend) (string, error) {
	var file *intake.NewFile
	if m.File != nil {
		if err := a.Accepting(); err != nil {
			return "", err
		}
		file = &intake.NewFile{Name: m.File.Name, Body: m.File.Body}
	}
	made, err := a.uploads.Reissue(ctx, a.store, a.Institution(), name,
		vault.Mend{Name: m.Name, Email: m.Email, Title: m.Title, Details: m.Details}, file)
	if err != nil {
		return "", err
	}
	a.wake()
	return made.Next.UUID, nil
}
