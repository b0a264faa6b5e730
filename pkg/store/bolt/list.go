package bolt

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/substring"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
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
			err = t.keep(&result, record.U64(ids[i]))
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
	counts, err := t.counts(record.U32(institution))
	index, prefix := byCreation, record.U32(institution)
	page.Total = counts.Sum()
	if status != "" {
		index, prefix = byStatus, record.Join(prefix, record.Text(string(status)))
		page.Total = counts.Of(status)
	}
	if err != nil || skip >= page.Total {
		return page, err
	}
	c := t.Bucket(index).Cursor()
	for k := tree.SeekLast(c, prefix); bytes.HasPrefix(k, prefix) && len(page.Certificates) < take; k, _ = c.Prev() {
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
	inst := record.U32(f.Institution)
	var fields []entry
	if f.Email != "" {
		fields = append(fields, entry{byEmail, record.Join(inst, record.Text(f.Email)), nil})
	}
	if f.Batch != "" {
		fields = append(fields, entry{byBatch, record.Join(inst, record.Text(f.Batch)), nil})
	}
	if f.Status != "" {
		fields = append(fields, entry{byStatus, record.Join(inst, record.Text(string(f.Status))), nil})
	}
	switch {
	case len(f.Search) >= 3:
		ids, err = substring.Candidates(f.Institution, f.Search, t.Bucket(certificates).Sequence(), t.gramList)
	case len(fields) > 0:
		ids, fields = t.Under(fields[0].bucket, fields[0].key), fields[1:]
	default:
		ids = t.Under(byCreation, inst)
	}
	if err != nil {
		return nil, err
	}
	for _, field := range fields {
		ids = slices.DeleteFunc(ids, func(id uint64) bool { return !t.Has(field.bucket, record.Join(field.key, record.U64(id))) })
	}
	if f.From != "" || f.To != "" {
		ids = t.dated(ids, f)
	}
	if f.Search != "" && len(f.Search) != 3 {
		return t.matching(ctx, ids, f.Search)
	}
	return ids, nil
}

// dated keeps those that were issued in a span of days.
func (t *txn) dated(ids []uint64, f store.Filter) []uint64 {
	var issued []uint64
	inst := record.U32(f.Institution)
	c := t.Bucket(byDate).Cursor()
	for k, _ := c.Seek(record.Join(inst, []byte(f.From))); bytes.HasPrefix(k, inst); k, _ = c.Next() {
		if f.To != "" && string(k[4:len(k)-8]) > string(f.To) {
			break
		}
		issued = append(issued, record.TailID(k))
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
		searched, err := record.Unseal(record.U64(id), t.Get(texts, record.U64(id)))
		if err != nil {
			return nil, err
		}
		if bytes.Contains(searched, []byte(term)) {
			kept = append(kept, id)
		}
	}
	return kept, nil
}
