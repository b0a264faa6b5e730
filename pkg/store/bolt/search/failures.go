package search

import (
	"bytes"
	"encoding/binary"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// FailureGroup is the certificates that failed for one cause.
type FailureGroup struct {
	Code   string
	Count  int
	Latest uint64 // the ID of the newest one
}

func failureFacet(institution uint32, code string) facet {
	return newFacet(byFailureBucket, institution, code)
}

// Failures groups an institution's failed certificates by their cause, in the order of the
// codes; batch restricts it to one.
func Failures(t *boltfile.Tx, institution uint32, batch string) (groups []FailureGroup, err error) {
	prefix := boltfile.U32(institution)
	var held, inBatch Bitset
	c := t.Cursor(byFailureBucket)
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		body, err := boltfile.VerifyChecksum(k, v)
		if err != nil {
			return nil, err
		}
		held.Decode(body)
		code, of := string(k[4:len(k)-5]), binary.BigEndian.Uint32(k[len(k)-4:])
		if batch != "" {
			w := newFacet(byBatchBucket, institution, batch)
			if err := readBitset(t, w.bucket, w.inSegment(of), &inBatch); err != nil {
				return nil, err
			}
			held.And(&inBatch)
		}
		n := held.Len()
		if n == 0 {
			continue
		}
		if len(groups) == 0 || groups[len(groups)-1].Code != code {
			groups = append(groups, FailureGroup{Code: code})
		}
		g := &groups[len(groups)-1]
		g.Count += n
		for p := range held.Descending() { // segments ascend: the last one has the newest
			g.Latest = uint64(of)<<SegmentBits | uint64(p)
			break
		}
	}
	return groups, nil
}

// FailuresCurrent reports whether the index of causes has exactly the failed certificates. A
// program of before that index leaves it as it was.
func FailuresCurrent(t *boltfile.Tx) (bool, error) {
	indexed := map[string]*Bitset{} // by institution and segment
	var one Bitset
	c := t.Cursor(byFailureBucket)
	for k, v := c.First(); k != nil; k, v = c.Next() {
		body, err := boltfile.VerifyChecksum(k, v)
		if err != nil {
			return false, err
		}
		of := string(k[:4]) + string(k[len(k)-4:])
		if indexed[of] == nil {
			indexed[of] = &Bitset{}
		}
		one.Decode(body)
		indexed[of].Or(&one)
	}
	current := true
	err := eachFailedSegment(t, func(institution, of uint32, failed *Bitset) error {
		key := string(boltfile.U32(institution)) + string(boltfile.U32(of))
		current = current && indexed[key] != nil && *indexed[key] == *failed
		delete(indexed, key)
		return nil
	})
	return current && len(indexed) == 0, err
}

// WriteFailures makes the index of causes anew; codeOf returns why a certificate failed.
func WriteFailures(t *boltfile.Tx, codeOf func(id uint64) string) error {
	var old [][]byte
	c := t.Cursor(byFailureBucket)
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		old = append(old, bytes.Clone(k))
	}
	for _, k := range old {
		if err := t.Delete(byFailureBucket, k); err != nil {
			return err
		}
	}
	var changes Delta
	err := eachFailedSegment(t, func(institution, of uint32, failed *Bitset) error {
		for p := range failed.Descending() {
			id := uint64(of)<<SegmentBits | uint64(p)
			if code := codeOf(id); code != "" {
				changes.add(failureFacet(institution, code), id)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return changes.Write(t)
}

// eachFailedSegment goes through the sets of failed certificates, one for each institution
// and segment.
func eachFailedSegment(t *boltfile.Tx, each func(institution, of uint32, failed *Bitset) error) error {
	status := boltfile.TerminatedText(string(vault.Failed))
	var failed Bitset
	c := t.Cursor(byStatusBucket)
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if len(k) != 4+len(status)+4 || !bytes.Equal(k[4:4+len(status)], status) {
			continue
		}
		body, err := boltfile.VerifyChecksum(k, v)
		if err != nil {
			return err
		}
		failed.Decode(body)
		if err := each(binary.BigEndian.Uint32(k), binary.BigEndian.Uint32(k[len(k)-4:]), &failed); err != nil {
			return err
		}
	}
	return nil
}
