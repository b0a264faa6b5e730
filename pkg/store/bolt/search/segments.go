package search

import (
	"encoding/binary"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
)

// A full segment's summary stands under its number, the sets of the repeats in it
// under their own numbers behind that.

func summaryKey(of uint32) []byte { return boltfile.U32(of) }

func repeatKey(of uint32, n int) []byte {
	return binary.BigEndian.AppendUint16(boltfile.U32(of), uint16(n))
}

// writeSummary keeps a summary of a segment's texts.
func writeSummary(t *boltfile.Tx, of uint32, all []SegmentText) error {
	summary, sets := NewSummary(all)
	if err := t.Put(summariesBucket, summaryKey(of), boltfile.AddChecksum(summaryKey(of), summary)); err != nil {
		return err
	}
	for n, places := range sets {
		key := repeatKey(of, n)
		if err := t.Put(summariesBucket, key, boltfile.AddChecksum(key, places)); err != nil {
			return err
		}
	}
	return nil
}

// LacksSummaries reports whether there are full segments, and none has a summary.
func LacksSummaries(t *boltfile.Tx) bool {
	first, _ := t.Cursor(summariesBucket).First()
	return first == nil && indexedSegments(t) > 0
}

// WriteSummaries makes the summaries of all full segments.
func WriteSummaries(t *boltfile.Tx) error {
	for of := range indexedSegments(t) {
		var all []Column
		for n := 0; ; n++ {
			key := columnKey(of, n)
			value := t.Get(columnsBucket, key)
			if value == nil {
				break
			}
			body, err := boltfile.VerifyChecksum(key, value)
			if err != nil {
				return err
			}
			all = append(all, body)
		}
		if err := writeSummary(t, of, ColumnTexts(all)); err != nil {
			return err
		}
	}
	return nil
}

// eraseRepeats takes a certificate out of the sets of what its text no longer
// holds. What no text holds any more is forgotten itself.
func (f erasedText) eraseRepeats(t *boltfile.Tx) error {
	of, p := segment(f.id), place(f.id)
	value := t.Get(summariesBucket, summaryKey(of))
	if value == nil {
		return nil
	}
	body, err := boltfile.VerifyChecksum(summaryKey(of), value)
	if err != nil {
		return err
	}
	summary := Summary(body)
	left := summary
	for n := range summary.LostRepeats(f.text, f.left) {
		key := repeatKey(of, n)
		if err := removePlace(t, summariesBucket, key, p); err != nil {
			return err
		}
		if t.Get(summariesBucket, key) == nil {
			left = left.WithoutRepeat(n)
		}
	}
	if len(left) == len(summary) {
		return nil
	}
	return t.Put(summariesBucket, summaryKey(of), boltfile.AddChecksum(summaryKey(of), left))
}
