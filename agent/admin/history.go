package admin

import (
	"context"
	"slices"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Bounds of a story.
const (
	maxHistoryEvents = 500 // of the beginning, and as many of the end
	maxHistoryChain  = 50  // corrections in each direction
)

// Story is everything that is known of one certificate.
func (d *Certificates) Story(ctx context.Context, name string) (adminclient.CertificateHistory, error) {
	c, err := d.Store.Certificate(ctx, d.Institution(), name)
	if err != nil {
		return adminclient.CertificateHistory{}, err
	}
	s := adminclient.CertificateHistory{Certificate: d.ToAPI(c), Events: []adminclient.CertificateEvent{}}
	events, err := d.Store.Events(ctx, c.ID)
	if err != nil {
		return s, err
	}
	if n := len(events); n > 2*maxHistoryEvents {
		events = slices.Concat(events[:maxHistoryEvents], events[n-maxHistoryEvents:])
	}
	for _, e := range events {
		s.Events = append(s.Events, *d.EventToAPI(e))
	}
	before, err := d.correctionChain(ctx, c, func(c vault.Certificate) string { return c.Supersedes })
	if err != nil {
		return s, err
	}
	after, err := d.correctionChain(ctx, c, func(c vault.Certificate) string { return c.SupersededBy })
	slices.Reverse(before)
	s.Chain = slices.Concat(before, []client.Certificate{s.Certificate}, after)
	return s, err
}

// Issued finds a certificate by its reference ID, whichever institution of the home
// issued it.
func (d *Certificates) Issued(ctx context.Context, reference string) (client.Certificate, error) {
	c, err := d.Store.ByReference(ctx, reference)
	if err != nil {
		return client.Certificate{}, err
	}
	return d.ToAPI(c), nil
}

// correctionChain follows a chain of corrections in one direction.
func (d *Certificates) correctionChain(ctx context.Context, c vault.Certificate, next func(vault.Certificate) string) ([]client.Certificate, error) {
	var chain []client.Certificate
	for len(chain) < maxHistoryChain && next(c) != "" {
		other, err := d.Store.Certificate(ctx, c.Institution, next(c))
		if fault.Is(err, fault.NotFound) {
			break
		}
		if err != nil {
			return nil, err
		}
		c = other
		chain = append(chain, d.ToAPI(c))
	}
	return chain, nil
}
