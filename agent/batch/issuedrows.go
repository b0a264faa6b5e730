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

// IssuedStore is where what was issued is found.
type IssuedStore interface {
	FindBatch(ctx context.Context, institution uint32, digest string) (vault.Batch, error)
	List(ctx context.Context, f store.Filter, page, perPage int) (store.Page, error)
	KeyHolders(ctx context.Context, institution uint32, keys []vault.Key) ([]*vault.Certificate, error)
}

// issuedRows finds the certificates that say the same as rows of a manifest,
// without a look at the documents. An undated row has one only when this very
// manifest made it.
func issuedRows(ctx context.Context, all IssuedStore, institution uint32, m *manifest.Manifest) (map[int]*vault.Certificate, error) {
	earlier, err := issuedOf(ctx, all, institution, m)
	if err != nil {
		return nil, err
	}
	var dated []manifest.Row
	var keys []vault.Key
	found := map[int]*vault.Certificate{}
	for _, row := range m.Rows {
		d := draftOf(row)
		switch c := earlier[d.Key()]; {
		case len(row.Problems) > 0:
		case d.IssueDate != "":
			dated, keys = append(dated, row), append(keys, d.Key())
		case c != nil && sameContent(c, row):
			found[row.Number] = c
		}
	}
	holders, err := all.KeyHolders(ctx, institution, keys)
	if err != nil {
		return nil, err
	}
	for i, c := range holders {
		if c != nil && sameContent(c, dated[i]) {
			found[dated[i].Number] = c
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
// without issue date; within one manifest that is the only one of its kind.
func issuedOf(ctx context.Context, all IssuedStore, institution uint32, m *manifest.Manifest) (map[vault.Key]*vault.Certificate, error) {
	batch, err := all.FindBatch(ctx, institution, fmt.Sprintf("%x", m.Digest))
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	const group = 1000
	byKey := map[vault.Key]*vault.Certificate{}
	for n := 1; ; n++ {
		page, err := all.List(ctx, store.Filter{Institution: institution, Batch: batch.ID}, n, group)
		if err != nil {
			return nil, err
		}
		for _, c := range page.Certificates {
			byKey[vault.Content{Email: c.Email, Title: c.Title}.Key()] = &c
		}
		if len(page.Certificates) < group {
			return byKey, nil
		}
	}
}
