package bolt

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/substring"
	"github.com/vecctl/vecctl/pkg/vault"
)

// List implements store.Certificates. Which certificates are selected is found
// in the indexes alone; only the records of the page are read.
func (s *Store) List(ctx context.Context, f store.Filter, page, perPage int) (store.Page, error) {
	f.Email = vault.FoldEmail(f.Email)
	f.Search = strings.ReplaceAll(vault.Fold(vault.Clean(f.Search)), "\n", " ")
	skip := skipped(page, perPage)
	return read(ctx, s, func(t *txn) (result store.Page, err error) {
		if f == (store.Filter{Institution: f.Institution, Status: f.Status}) {
			return t.newest(f.Institution, f.Status, skip, perPage)
		}
		ids, err := t.selected(ctx, f)
		result.Total = len(ids)
		for i := len(ids) - 1 - skip; err == nil && i >= 0 && len(result.Certificates) < perPage; i-- {
			err = t.keep(&result, u64(ids[i]))
		}
		return result, err
	})
}

func (t *txn) keep(page *store.Page, id []byte) error {
	c, err := t.certificate(id)
	page.Certificates = append(page.Certificates, c)
	return err
}

// skipped is the number of entries before a page.
func skipped(page, perPage int) int {
	if page-1 > math.MaxInt/max(perPage, 1) {
		return math.MaxInt
	}
	return max(page-1, 0) * perPage
}

// newest reads a page where the entries are counted already: of all
// certificates, or of all in one state.
func (t *txn) newest(institution uint32, status vault.Status, skip, take int) (page store.Page, err error) {
	counts, err := t.counts(u32(institution))
	index, prefix := byCreation, u32(institution)
	page.Total = counts.Sum()
	if status != "" {
		index, prefix = byStatus, join(prefix, text(string(status)))
		page.Total = counts.Of(status)
	}
	if err != nil || skip >= page.Total {
		return page, err
	}
	c := t.bucket(index).Cursor()
	for k := seekLast(c, prefix); bytes.HasPrefix(k, prefix) && len(page.Certificates) < take; k, _ = c.Prev() {
		if skip--; skip >= 0 {
			continue
		}
		if err := t.keep(&page, k[len(k)-8:]); err != nil {
			return page, err
		}
	}
	return page, nil
}

// selected lists the IDs, ascending, that a filter selects. One field's index
// gives the candidates; the others' are asked about each.
func (t *txn) selected(ctx context.Context, f store.Filter) (ids []uint64, err error) {
	inst := u32(f.Institution)
	var fields []entry
	if f.Email != "" {
		fields = append(fields, entry{byEmail, join(inst, text(f.Email)), nil})
	}
	if f.Batch != "" {
		fields = append(fields, entry{byBatch, join(inst, text(f.Batch)), nil})
	}
	if f.Status != "" {
		fields = append(fields, entry{byStatus, join(inst, text(string(f.Status))), nil})
	}
	switch {
	case len(f.Search) >= 3:
		ids, err = substring.Candidates(f.Institution, f.Search, t.bucket(certificates).Sequence(), t.gramList)
	case len(fields) > 0:
		ids, fields = t.under(fields[0]), fields[1:]
	default:
		ids = t.under(entry{byCreation, inst, nil})
	}
	if err != nil {
		return nil, err
	}
	for _, field := range fields {
		ids = slices.DeleteFunc(ids, func(id uint64) bool { return !t.has(field.bucket, join(field.key, u64(id))) })
	}
	if f.From != "" || f.To != "" {
		ids = t.dated(ids, f)
	}
	if f.Search != "" && len(f.Search) != 3 {
		return t.matching(ctx, ids, f.Search)
	}
	return ids, nil
}

// under lists the IDs that stand behind a prefix in an index.
func (t *txn) under(e entry) (ids []uint64) {
	c := t.bucket(e.bucket).Cursor()
	for k, _ := c.Seek(e.key); k != nil && bytes.HasPrefix(k, e.key); k, _ = c.Next() {
		if len(k) == len(e.key)+8 { // no text that goes on behind a zero byte
			ids = append(ids, tailID(k))
		}
	}
	return ids
}

func (t *txn) has(bucket, key []byte) bool {
	k, _ := t.bucket(bucket).Cursor().Seek(key)
	return bytes.Equal(k, key)
}

// dated keeps those that were issued in a span of days.
func (t *txn) dated(ids []uint64, f store.Filter) []uint64 {
	var issued []uint64
	inst := u32(f.Institution)
	c := t.bucket(byDate).Cursor()
	for k, _ := c.Seek(join(inst, []byte(f.From))); bytes.HasPrefix(k, inst); k, _ = c.Next() {
		if f.To != "" && string(k[4:len(k)-8]) > string(f.To) {
			break
		}
		issued = append(issued, tailID(k))
	}
	slices.Sort(issued)
	return slices.DeleteFunc(ids, func(id uint64) bool {
		_, ok := slices.BinarySearch(issued, id)
		return !ok
	})
}

// matching keeps those whose text holds a term.
func (t *txn) matching(ctx context.Context, ids []uint64, term string) ([]uint64, error) {
	kept := ids[:0]
	for i, id := range ids {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		searched, err := unseal(u64(id), t.get(texts, u64(id)))
		if err != nil {
			return nil, err
		}
		if bytes.Contains(searched, []byte(term)) {
			kept = append(kept, id)
		}
	}
	return kept, nil
}

// seekLast positions a cursor on the last key under a prefix.
func seekLast(c *bbolt.Cursor, prefix []byte) []byte {
	end := append(bytes.Clone(prefix), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	if k, _ := c.Seek(end); k == nil {
		k, _ = c.Last()
		return k
	}
	k, _ := c.Prev()
	return k
}
