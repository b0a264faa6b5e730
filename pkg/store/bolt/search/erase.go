package search

import (
	"strings"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// erasedText is a certificate's text, and what is to be left of it.
type erasedText struct {
	id         uint64
	owner      uint32
	text, left string
}

// Erase notes that a certificate is no longer found by its address, nor by any of
// its text but what is left of that. Each line that is left is as it was or empty;
// lines that the text had behind them are gone.
func (g *Delta) Erase(c vault.Certificate, left string) {
	from := g.change(newFacet(byEmailBucket, c.Institution, vault.FoldEmail(c.Email)), c.ID)
	from.removed = append(from.removed, place(c.ID))
	g.erased = append(g.erased, erasedText{id: c.ID, owner: c.Institution, text: c.SearchText(), left: left})
}

func (f erasedText) write(t *boltfile.Tx) error {
	key := boltfile.U64(f.id)
	if t.Get(textsBucket, key) != nil {
		return t.Put(textsBucket, key, boltfile.AddChecksum(key, append(boltfile.U32(f.owner), f.left...)))
	}
	of, p := segment(f.id), place(f.id)
	left := strings.Split(f.left, "\n")
	for n := range strings.Count(f.text, "\n") + 1 {
		line := ""
		if n < len(left) {
			line = left[n]
		}
		if err := replaceLine(t, columnKey(of, n), p, line); err != nil {
			return err
		}
	}
	for _, piece := range LostNgrams(f.owner, f.text, f.left) {
		if err := removePlace(t, ngramsBucket, boltfile.JoinKey(boltfile.U32(of), piece), p); err != nil {
			return err
		}
	}
	return f.eraseRepeats(t)
}

func replaceLine(t *boltfile.Tx, key []byte, p uint16, line string) error {
	value := t.Get(columnsBucket, key)
	if value == nil {
		return boltfile.IndexDamaged(columnsBucket, key)
	}
	body, err := boltfile.VerifyChecksum(key, value)
	if err != nil {
		return err
	}
	return t.Put(columnsBucket, key, boltfile.AddChecksum(key, Column(body).Replace(p, []byte(line))))
}

func removePlace(t *boltfile.Tx, bucket, key []byte, p uint16) error {
	var held Bitset
	if err := readBitset(t, bucket, key, &held); err != nil {
		return err
	}
	held.Remove(p)
	value := held.Encode()
	if len(value) == 0 {
		return t.Delete(bucket, key)
	}
	return t.Put(bucket, key, boltfile.AddChecksum(key, value))
}
