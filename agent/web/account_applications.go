package web

import (
	"context"

	"github.com/vecctl/vecctl/agent/web/layout"
	"github.com/vecctl/vecctl/pkg/vault"
)

// applicationRow is one application of the list.
type applicationRow struct {
	Title, Name, Date, Day, Reference string
	Kind, State, Reason               string
	Link                              string // to the certificate that it became, "" for none
}

func (p *accountPages) applicationRows(ctx context.Context, v layout.PageContext, who vault.Account) ([]applicationRow, error) {
	found, err := p.Applications.ApplicationsOf(ctx, who)
	if err != nil {
		return nil, err
	}
	rows := make([]applicationRow, len(found))
	for i, c := range found {
		rows[i] = p.applicationRow(v, c)
	}
	return rows, nil
}

func (p *accountPages) applicationRow(v layout.PageContext, c vault.Certificate) applicationRow {
	day := vault.DateOf(c.CreatedAt, v.Institution.Zone())
	row := applicationRow{
		Title: c.Title, Name: c.Name, Date: v.FormatDate(day), Day: string(day), Reference: c.Reference,
		Kind: string(c.Status), State: v.T("application." + string(c.Status)),
	}
	validity := c.Validity()
	switch {
	case validity.Issued():
		row.Kind, row.State, row.Link = string(validity), v.T("state."+string(validity)), v.Link("/c/"+c.ShareToken)
	case c.Status == vault.Rejected && c.Application.Decision != nil:
		row.Reason = c.Application.Decision.Reason
	}
	return row
}
