package remotebulk

import (
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

// findIssued finds the rows' existing certificates.
func (c *Uploader) findIssued(ctx context.Context, open []int) error {
	if len(open) == 0 {
		return nil
	}
	found, err := c.existing(ctx, open)
	if err != nil {
		return err
	}
	for _, i := range open {
		if issued, ok := found.of(c.rows[i]); ok {
			c.outcomes[i] = c.compare(c.rows[i], issued)
		}
	}
	return nil
}

// compare returns the outcome of a row with an existing certificate.
func (c *Uploader) compare(r Item, issued client.Certificate) Outcome {
	if issued.SupersededBy != nil {
		return Outcome{Status: client.RowUnchanged, Certificate: &issued}
	}
	given, was := r.Certificate.Vault(), issued.Content.Vault()
	for _, f := range vault.Fields() {
		// Not every vault says what it does not require.
		comparable := f.Required || f.Later && f.Get(was) != ""
		if comparable && !f.Unique && vault.Clean(f.Get(given)) != f.Get(was) {
			return Outcome{client.RowRejected, &issued, fmt.Sprintf("row %d, %s: this differs from what was issued as %s (%q)", r.Number, f.Key, issued.ReferenceID, f.Get(was))}
		}
	}
	if issued.File.SHA256 != "" && issued.File.SHA256 != r.SHA256 && !c.sentBefore(r, issued) {
		return Outcome{client.RowRejected, &issued, fmt.Sprintf("row %d, file: this differs from what was issued as %s (%q)", r.Number, issued.ReferenceID, issued.File.Name)}
	}
	return Outcome{Status: client.RowUnchanged, Certificate: &issued}
}

// sentBefore reports whether a certificate's document was made from the same content as the
// row's.
func (c *Uploader) sentBefore(r Item, issued client.Certificate) bool {
	if r.Origin == "" || c.Journal == nil {
		return false
	}
	u, ok := c.Journal.uploaded(r.Number)
	return ok && u.Origin == r.Origin && u.SHA256 == issued.File.SHA256
}

// certificateIndex has certificates by their identifying content.
type certificateIndex map[vault.Key]client.Certificate

func (x certificateIndex) add(c client.Certificate) {
	x[c.Content.Vault().Key()] = c
}

// of finds a row's certificate. If a server does not return issue dates, it matches without.
func (x certificateIndex) of(r Item) (client.Certificate, bool) {
	c, ok := x[r.key()]
	if !ok {
		r.Certificate.IssueDate = ""
		c, ok = x[r.key()]
	}
	return c, ok
}

// perPage is a page size that every server accepts.
const perPage = 100

// existing finds the vault's certificates for rows. It reads either the whole list, or the
// list of each person if that needs fewer calls.
func (c *Uploader) existing(ctx context.Context, places []int) (certificateIndex, error) {
	found := certificateIndex{}
	first, err := c.Client.List(ctx, client.Filter{PerPage: 1})
	if err != nil || first.Meta.Total == 0 {
		return found, err
	}
	people := map[string]string{}
	for _, i := range places {
		email := c.rows[i].Certificate.Email
		people[vault.FoldEmail(email)] = email
	}
	if first.Meta.Total/perPage < len(people) {
		return found, c.pages(ctx, client.Filter{}, found)
	}
	for _, email := range people {
		if err := c.pages(ctx, client.Filter{Email: email}, found); err != nil {
			return found, err
		}
	}
	return found, nil
}

// pages reads every page of a list.
func (c *Uploader) pages(ctx context.Context, f client.Filter, into certificateIndex) error {
	f.PerPage = perPage
	for f.Page = 1; ; f.Page++ {
		page, err := c.Client.List(ctx, f)
		if err != nil {
			return err
		}
		for _, one := range page.Data {
			into.add(one)
		}
		if f.Page >= page.Meta.LastPage {
			return nil
		}
	}
}
