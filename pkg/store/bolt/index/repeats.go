package index

import (
	"encoding/binary"

	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/substring"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
)

// The repeats of a segment stand under its number, their sets under their own numbers
// behind it. There are segments
// without any.

func repeatKey(of uint32, n int) []byte {
	return binary.BigEndian.AppendUint16(record.U32(of), uint16(n))
}

// fillRepeats keeps what a segment's texts have in common.
func fillRepeats(t *tree.Tx, of uint32, all []substring.Text) error {
	found, sets := substring.Common(all)
	if len(sets) == 0 {
		return nil
	}
	if err := t.Put(repeats, record.U32(of), record.Seal(record.U32(of), found)); err != nil {
		return err
	}
	for n, places := range sets {
		key := repeatKey(of, n)
		if err := t.Put(repeats, key, record.Seal(key, places)); err != nil {
			return err
		}
	}
	return nil
}

// FillRepeats keeps them for all segments of a file that has none.
func FillRepeats(t *tree.Tx) error {
	if first, _ := t.Cursor(repeats).First(); first != nil {
		return nil
	}
	for of := range full(t) {
		var all []substring.Column
		for n := 0; ; n++ {
			key := columnKey(of, n)
			value := t.Get(columns, key)
			if value == nil {
				break
			}
			body, err := record.Unseal(key, value)
			if err != nil {
				return err
			}
			all = append(all, body)
		}
		if err := fillRepeats(t, of, substring.Texts(all)); err != nil {
			return err
		}
	}
	return nil
}

// forgetRepeats takes a certificate out of the sets of what its text no longer
// holds. What no text holds any more is forgotten itself.
func (f forgotten) forgetRepeats(t *tree.Tx) error {
	of, p := segment(f.id), place(f.id)
	value := t.Get(repeats, record.U32(of))
	if value == nil {
		return nil
	}
	body, err := record.Unseal(record.U32(of), value)
	if err != nil {
		return err
	}
	found := substring.Repeats(body)
	left := found
	for n := range found.Lost(f.text, f.left) {
		key := repeatKey(of, n)
		if err := removePlace(t, repeats, key, p); err != nil {
			return err
		}
		if t.Get(repeats, key) == nil {
			left = left.Without(n)
		}
	}
	if len(left) == len(found) {
		return nil
	}
	return t.Put(repeats, record.U32(of), record.Seal(record.U32(of), left))
}
