package batch

import (
	"context"
	"fmt"
	"path"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// issuedRows finds the certificates that say the same as rows of a manifest,
// without a look at the documents. An undated row has one only when this very
// manifest made it.
func (i *Issuer) issuedRows(ctx context.Context, institution vault.Institution, m *manifest.Manifest) (map[int]*vault.Certificate, error) {
	earlier, err := i.issuedOf(ctx, institution.ID, m)
	if err != nil {
		return nil, err
	}
	var dated []manifest.Row
	var drafts []*vault.Draft
	found := map[int]*vault.Certificate{}
	for _, row := range m.Rows {
		d := draftOf(row)
		switch {
		case len(row.Problems) > 0:
		case d.IssueDate != "":
			dated, drafts = append(dated, row), append(drafts, &d)
		default:
			for _, c := range earlier[d.Content.Key()] {
				if sameContent(c, row) {
					found[row.Number] = c
				}
			}
		}
	}
	holders, err := i.Intake.Claims(institution).Find(ctx, drafts)
	if err != nil {
		return nil, err
	}
	for n, c := range holders {
		if c != nil && sameContent(c, dated[n]) {
			found[dated[n].Number] = c
		}
	}
	return found, nil
}

func draftOf(row manifest.Row) vault.Draft {
	return vault.Draft{Content: row.Content}.Clean()
}

// sameContent reports whether a row says what was issued, as far as can be told
// without its document.
func sameContent(c *vault.Certificate, row manifest.Row) bool {
	if vault.Fold(path.Base(row.File)) != vault.Fold(c.File.Name) {
		return false
	}
	d := draftOf(row)
	d.File = c.File
	return c.SupersededBy != "" || len(c.Differs(d)) == 0
}

// issuedOf returns the certificates of the batch that a manifest made, by key
// without issue date; within one manifest there is one of each kind and person.
func (i *Issuer) issuedOf(ctx context.Context, institution uint32, m *manifest.Manifest) (map[vault.Key][]*vault.Certificate, error) {
	batch, err := i.Store.FindBatch(ctx, institution, fmt.Sprintf("%x", m.Digest))
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	const group = 1000
	byKey := map[vault.Key][]*vault.Certificate{}
	for n := 1; ; n++ {
		page, err := i.Store.List(ctx, store.Filter{Institution: institution, Batch: batch.ID}, n, group)
		if err != nil {
			return nil, err
		}
		for _, c := range page.Certificates {
			key := vault.Content{Email: c.Email, Title: c.Title}.Key()
			byKey[key] = append(byKey[key], &c)
		}
		if len(page.Certificates) < group {
			return byKey, nil
		}
	}
}
