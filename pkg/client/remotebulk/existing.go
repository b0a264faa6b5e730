package remotebulk

import (
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

// findIssued finds the certificates that exist already for rows.
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

// compare is the outcome of a row for which a certificate exists.
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

// sentBefore reports whether a certificate's document was made of what the row's is made
// of.
func (c *Uploader) sentBefore(r Item, issued client.Certificate) bool {
	if r.Origin == "" || c.Journal == nil {
		return false
	}
	u, ok := c.Journal.uploaded(r.Number)
	return ok && u.Origin == r.Origin && u.SHA256 == issued.File.SHA256
}

// certificateIndex finds certificates by what tells them apart.
type certificateIndex map[vault.Key]client.Certificate

func (x certificateIndex) add(c client.Certificate) {
	x[c.Content.Vault().Key()] = c
}

// of finds a row's certificate. A server that says no issue dates is believed
// about the rest.
func (x certificateIndex) of(r Item) (client.Certificate, bool) {
	c, ok := x[r.key()]
	if !ok {
		r.Certificate.IssueDate = ""
		c, ok = x[r.key()]
	}
	return c, ok
}

// perPage is what every server gives at once.
const perPage = 100

// existing finds what the vault has of rows: by going through all that it has, or
// person by person where that is less.
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

// pages gathers every page of a list.
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
