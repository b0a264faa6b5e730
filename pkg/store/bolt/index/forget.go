package index

import (
	"strings"

	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/substring"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Forget takes a certificate's address and its text out of the index, but for the
// lines of what is left of the text.
func (g *Changes) Forget(t *tree.Tx, c vault.Certificate, left string) error {
	address := g.change(wordOf(byEmail, c.Institution, vault.FoldEmail(c.Email)), c.ID)
	address.removed = append(address.removed, place(c.ID))
	of := segment(c.ID)
	if of >= full(t) {
		key := record.U64(c.ID)
		return t.Put(texts, key, record.Seal(key, []byte(string(record.U32(c.Institution))+left)))
	}
	if err := blank(t, c.ID, left); err != nil {
		return err
	}
	stay := map[string]bool{}
	for piece := range substring.Index([]substring.Text{{Owner: c.Institution, Place: place(c.ID), Text: left}}) {
		stay[string(piece)] = true
	}
	for piece := range substring.Index([]substring.Text{{Owner: c.Institution, Place: place(c.ID), Text: c.SearchText()}}) {
		if stay[string(piece)] {
			continue
		}
		gone := change{removed: []uint16{place(c.ID)}}
		if err := gone.write(t, pieces, record.Join(record.U32(of), piece)); err != nil {
			return err
		}
	}
	return nil
}

// blank overwrites the lines of a text in its segment's columns, but for those that
// are left.
func blank(t *tree.Tx, id uint64, left string) error {
	lines := strings.Split(left, "\n")
	for n := 0; ; n++ {
		key := columnKey(segment(id), n)
		value := t.Get(columns, key)
		if value == nil {
			return nil
		}
		if n < len(lines) && lines[n] != "" {
			continue
		}
		body, err := record.Unseal(key, value)
		if err != nil {
			return err
		}
		if err := t.Put(columns, key, record.Seal(key, substring.Column(body).Blank(place(id)))); err != nil {
			return err
		}
	}
}
