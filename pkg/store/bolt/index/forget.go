package index

import (
	"strings"

	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/set"
	"github.com/vecctl/vecctl/pkg/store/bolt/substring"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

// forgotten is a certificate's text, and what is to be left of it.
type forgotten struct {
	id         uint64
	owner      uint32
	text, left string
}

// Forget notes that a certificate is no longer found by its address, nor by any of
// its text but what is left of that, which has as many lines, each as it was or
// empty.
func (g *Changes) Forget(c vault.Certificate, left string) {
	from := g.change(wordOf(byEmail, c.Institution, vault.FoldEmail(c.Email)), c.ID)
	from.removed = append(from.removed, place(c.ID))
	g.forgotten = append(g.forgotten, forgotten{id: c.ID, owner: c.Institution, text: c.SearchText(), left: left})
}

func (f forgotten) write(t *tree.Tx) error {
	key := record.U64(f.id)
	if t.Get(texts, key) != nil {
		return t.Put(texts, key, record.Seal(key, append(record.U32(f.owner), f.left...)))
	}
	of, p := segment(f.id), place(f.id)
	for n, line := range strings.Split(f.left, "\n") {
		if err := replaceLine(t, columnKey(of, n), p, line); err != nil {
			return err
		}
	}
	for _, piece := range substring.Lost(f.owner, f.text, f.left) {
		if err := removePlace(t, pieces, record.Join(record.U32(of), piece), p); err != nil {
			return err
		}
	}
	return f.forgetRepeats(t)
}

func replaceLine(t *tree.Tx, key []byte, p uint16, line string) error {
	value := t.Get(columns, key)
	if value == nil {
		return record.Misplaced(columns, key)
	}
	body, err := record.Unseal(key, value)
	if err != nil {
		return err
	}
	return t.Put(columns, key, record.Seal(key, substring.Column(body).Replace(p, []byte(line))))
}

func removePlace(t *tree.Tx, bucket, key []byte, p uint16) error {
	var held set.Set
	if err := read(t, bucket, key, &held); err != nil {
		return err
	}
	held.Remove(p)
	value := held.Encode()
	if len(value) == 0 {
		return t.Delete(bucket, key)
	}
	return t.Put(bucket, key, record.Seal(key, value))
}
