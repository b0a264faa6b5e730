package index

import (
	"encoding/binary"

	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/substring"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
)

// A full segment's summary stands under its number, the sets of the repeats in it
// under their own numbers behind that.

func summaryKey(of uint32) []byte { return record.U32(of) }

func repeatKey(of uint32, n int) []byte {
	return binary.BigEndian.AppendUint16(record.U32(of), uint16(n))
}

// summarise keeps a summary of a segment's texts.
func summarise(t *tree.Tx, of uint32, all []substring.Text) error {
	summary, sets := substring.Summarise(all)
	if err := t.Put(summaries, summaryKey(of), record.Seal(summaryKey(of), summary)); err != nil {
		return err
	}
	for n, places := range sets {
		key := repeatKey(of, n)
		if err := t.Put(summaries, key, record.Seal(key, places)); err != nil {
			return err
		}
	}
	return nil
}

// LacksSummaries tells whether there are full segments, and none has a summary.
func LacksSummaries(t *tree.Tx) bool {
	first, _ := t.Cursor(summaries).First()
	return first == nil && full(t) > 0
}

// Summarise makes the summaries of all full segments.
func Summarise(t *tree.Tx) error {
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
		if err := summarise(t, of, substring.Texts(all)); err != nil {
			return err
		}
	}
	return nil
}

// forgetRepeats takes a certificate out of the sets of what its text no longer
// holds. What no text holds any more is forgotten itself.
func (f forgotten) forgetRepeats(t *tree.Tx) error {
	of, p := segment(f.id), place(f.id)
	value := t.Get(summaries, summaryKey(of))
	if value == nil {
		return nil
	}
	body, err := record.Unseal(summaryKey(of), value)
	if err != nil {
		return err
	}
	summary := substring.Summary(body)
	left := summary
	for n := range summary.Lost(f.text, f.left) {
		key := repeatKey(of, n)
		if err := removePlace(t, summaries, key, p); err != nil {
			return err
		}
		if t.Get(summaries, key) == nil {
			left = left.Without(n)
		}
	}
	if len(left) == len(summary) {
		return nil
	}
	return t.Put(summaries, summaryKey(of), record.Seal(summaryKey(of), left))
}
