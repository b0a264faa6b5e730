package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Revoke revokes a certificate and returns its UUID. Its recipient gets a mail where
// notify is set.
func (s *Service) Revoke(ctx context.Context, name, reason string, notify bool) (string, error) {
	now := s.now()
	c, err := s.store.Change(ctx, s.institutionID(ctx), name, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		c, fx, err := c.Revoke(reason, now)
		if err == nil && notify {
			fx.Mails = append(fx.Mails, c.MailTo(vault.MailRevoked, now))
		}
		return c, fx, err
	})
	if err != nil {
		return "", err
	}
	s.events.PublishChange()
	s.mailQueue.Wake()
	return c.UUID, nil
}

// Reshare gives a certificate's view-and-share page a new address and returns the
// certificate's UUID.
func (s *Service) Reshare(ctx context.Context, name string) (string, error) {
	token, err := vault.NewShareToken(s.random)
	if err != nil {
		return "", err
	}
	now := s.now()
	c, err := s.store.Change(ctx, s.institutionID(ctx), name, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.ReplaceShareToken(token, now)
	})
	return c.UUID, err
}

// Reissue makes a corrected successor of a certificate and returns its UUID. Without
// a new file it has the document of its predecessor.
func (s *Service) Reissue(ctx context.Context, name string, q adminclient.Amendment) (string, error) {
	m := vault.Amendment{Changes: q.Changes, Placement: (*vault.Placement)(q.QR)}
	var file *intake.Replacement
	if q.File != nil {
		if err := s.disk.Accepting(); err != nil {
			return "", err
		}
		file = &intake.Replacement{Name: q.File.Name, Body: q.File.Body, Origin: q.File.Origin}
	}
	institution := s.institutions.Acting(ctx)
	if q.Renew {
		m.IssueDate = institution.Today(s.now())
	}
	if err := s.checkPlacement(ctx, institution.ID, name, m, file); err != nil {
		return "", err
	}
	made, err := s.uploads.Reissue(ctx, s.store, institution, name, m, file)
	if err != nil {
		return "", err
	}
	s.work.Wake()
	return made.Next.UUID, nil
}

// checkPlacement refuses a correction whose document has no room for the code where it
// is to go.
func (s *Service) checkPlacement(ctx context.Context, institution uint32, name string, m vault.Amendment, file *intake.Replacement) error {
	if file == nil && m.Placement == nil {
		return nil
	}
	c, err := s.store.Certificate(ctx, institution, name)
	if err != nil {
		return err
	}
	at := c.Placement
	if m.Placement != nil {
		at = *m.Placement
	}
	if file != nil {
		return file.CheckPlacement(at)
	}
	return s.uploads.RoomOf(ctx, c.File, at)
}

// Bounds of a history.
const (
	maxHistoryEvents = 500 // of the beginning, and as many of the end
	maxHistoryChain  = 50  // corrections in each direction
)

// History returns everything that is known of one certificate.
func (s *Service) History(ctx context.Context, name string) (adminclient.CertificateHistory, error) {
	c, err := s.store.Certificate(ctx, s.institutionID(ctx), name)
	if err != nil {
		return adminclient.CertificateHistory{}, err
	}
	h := adminclient.CertificateHistory{Certificate: s.toAPI(c), Events: []adminclient.CertificateEvent{}}
	found, err := s.store.Events(ctx, c.ID)
	if err != nil {
		return h, err
	}
	if n := len(found); n > 2*maxHistoryEvents {
		found = slices.Concat(found[:maxHistoryEvents], found[n-maxHistoryEvents:])
	}
	for _, e := range found {
		h.Events = append(h.Events, *eventToAPI(e))
	}
	before, err := s.correctionChain(ctx, c, func(c vault.Certificate) string { return c.Supersedes })
	if err != nil {
		return h, err
	}
	after, err := s.correctionChain(ctx, c, func(c vault.Certificate) string { return c.SupersededBy })
	slices.Reverse(before)
	h.Chain = slices.Concat(before, []client.Certificate{h.Certificate}, after)
	return h, err
}

// correctionChain follows a chain of corrections in one direction.
func (s *Service) correctionChain(ctx context.Context, c vault.Certificate, next func(vault.Certificate) string) ([]client.Certificate, error) {
	var chain []client.Certificate
	for len(chain) < maxHistoryChain && next(c) != "" {
		other, err := s.store.Certificate(ctx, c.Institution, next(c))
		if fault.Is(err, fault.NotFound) {
			break
		}
		if err != nil {
			return nil, err
		}
		c = other
		chain = append(chain, s.toAPI(c))
	}
	return chain, nil
}

// Issued finds a certificate by its reference ID, or by the SHA-256 of its verified PDF in
// hexadecimal, whichever institution of the home issued it.
func (s *Service) Issued(ctx context.Context, reference string) (client.Certificate, error) {
	if len(reference) == hex.EncodedLen(sha256.Size) {
		found, err := s.store.ByVerifiedSHA256(ctx, reference)
		if err != nil {
			return client.Certificate{}, err
		}
		if found[0] == nil {
			return client.Certificate{}, fault.New(fault.NotFound, "Certificate not found.")
		}
		return s.toAPI(*found[0]), nil
	}
	c, err := s.store.ByReference(ctx, reference)
	if err != nil {
		return client.Certificate{}, err
	}
	return s.toAPI(c), nil
}
