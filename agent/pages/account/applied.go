package account

import (
	"context"

	"github.com/vecctl/vecctl/agent/pages/frame"
	"github.com/vecctl/vecctl/pkg/vault"
)

// applied is one application of the list.
type applied struct {
	Title, Name, Date, Day, Reference string
	Kind, State, Reason               string
	Link                              string // to the certificate that it became, "" for none
}

func (p *Pages) applications(ctx context.Context, v frame.View, who vault.Account) ([]applied, error) {
	found, err := p.Applications.ApplicationsOf(ctx, who)
	if err != nil {
		return nil, err
	}
	shown := make([]applied, len(found))
	for i, c := range found {
		shown[i] = p.applied(v, c)
	}
	return shown, nil
}

func (p *Pages) applied(v frame.View, c vault.Certificate) applied {
	day := vault.DateOf(c.CreatedAt, v.Institution.Zone())
	one := applied{
		Title: c.Title, Name: c.Name, Date: v.Day(day), Day: string(day), Reference: c.Reference,
		Kind: string(c.Status), State: v.T("application." + string(c.Status)),
	}
	standing := c.Validity()
	switch {
	case standing.Issued():
		one.Kind, one.State, one.Link = string(standing), v.T("state."+string(standing)), v.Link("/c/"+c.ShareToken)
	case c.Status == vault.Rejected && c.Application.Decision != nil:
		one.Reason = c.Application.Decision.Reason
	}
	return one
}
