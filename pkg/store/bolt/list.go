package bolt

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// List implements store.Certificates. One part of the filter chooses the index
// that is walked, from the newest entry down; the others are tested on the record.
func (s *Store) List(ctx context.Context, f store.Filter, page, perPage int) (store.Page, error) {
	f.Email = vault.FoldEmail(f.Email)
	f.Search = strings.ReplaceAll(vault.Fold(vault.Clean(f.Search)), "\n", " ")
	var result store.Page
	err := s.read(ctx, func(t *txn) error {
		l := lister{t: t, filter: f, skip: skipped(page, perPage), take: perPage}
		if err := l.walk(ctx); err != nil {
			return err
		}
		result = l.page
		return nil
	})
	return result, err
}

// skipped is the number of entries before a page.
func skipped(page, perPage int) int {
	if page-1 > math.MaxInt/max(perPage, 1) {
		return math.MaxInt
	}
	return max(page-1, 0) * perPage
}

type lister struct {
	t          *txn
	filter     store.Filter
	skip, take int
	page       store.Page
}

func (l *lister) walk(ctx context.Context) error {
	f, inst := l.filter, u32(l.filter.Institution)
	rest := f
	switch {
	case len(f.Search) >= 3:
		ids, err := l.t.containing(f.Institution, f.Search)
		if err != nil {
			return err
		}
		if len(f.Search) == 3 {
			rest.Search = "" // the index has told all
		}
		return l.walkIDs(ctx, ids, rest)
	case f.Email != "":
		rest.Email = ""
		return l.walkIndex(ctx, byEmail, join(inst, text(f.Email)), rest)
	case f.Batch != "":
		rest.Batch = ""
		return l.walkIndex(ctx, byBatch, join(inst, text(f.Batch)), rest)
	case f.Status != "":
		rest.Status = ""
		return l.walkIndex(ctx, byStatus, join(inst, text(string(f.Status))), rest)
	case f.From != "" || f.To != "":
		rest.From, rest.To = "", ""
		return l.walkIDs(ctx, l.t.dated(f), rest)
	}
	return l.walkIndex(ctx, byCreation, inst, rest)
}

// walkIDs goes through candidates, ascending IDs, from their end.
func (l *lister) walkIDs(ctx context.Context, ids []uint64, rest store.Filter) error {
	for i := len(ids) - 1; i >= 0; i-- {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := l.consider(u64(ids[i]), rest); err != nil {
			return err
		}
	}
	return nil
}

// walkIndex goes through the entries under a prefix, from the last one back.
func (l *lister) walkIndex(ctx context.Context, index, prefix []byte, rest store.Filter) error {
	all, known, err := l.t.size(index, prefix, rest)
	if err != nil {
		return err
	}
	if known && l.skip >= all {
		l.page.Total = all
		return nil
	}
	c := l.t.bucket(index).Cursor()
	n := 0
	for k := seekLast(c, prefix); bytes.HasPrefix(k, prefix); k, _ = c.Prev() {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if len(k) != len(prefix)+8 {
			continue // a longer text that begins like the wanted one and a zero byte
		}
		if known && len(l.page.Certificates) == l.take {
			break
		}
		if err := l.consider(k[len(k)-8:], rest); err != nil {
			return err
		}
	}
	if known {
		l.page.Total = all
	}
	return nil
}

// dated lists the IDs, ascending, of certificates issued in a span of days.
func (t *txn) dated(f store.Filter) []uint64 {
	var ids []uint64
	inst := u32(f.Institution)
	c := t.bucket(byDate).Cursor()
	for k, _ := c.Seek(join(inst, []byte(f.From))); bytes.HasPrefix(k, inst); k, _ = c.Next() {
		if f.To != "" && string(k[4:len(k)-8]) > string(f.To) {
			break
		}
		ids = append(ids, tailID(k))
	}
	slices.Sort(ids)
	return ids
}

// size is the number of entries under a prefix where it is counted already and
// nothing else restricts the list.
func (t *txn) size(index, prefix []byte, rest store.Filter) (n int, known bool, err error) {
	institution := rest.Institution
	rest.Institution = 0
	if rest != (store.Filter{}) {
		return 0, false, nil
	}
	switch {
	case bytes.Equal(index, byCreation):
		c, err := t.counts(u32(institution))
		return c.Sum(), true, err
	case bytes.Equal(index, byStatus):
		c, err := t.counts(u32(institution))
		return c.Of(vault.Status(prefix[4 : len(prefix)-1])), true, err
	}
	return 0, false, nil
}

// seekLast positions a cursor on the last key under a prefix.
func seekLast(c cursor, prefix []byte) []byte {
	end := append(bytes.Clone(prefix), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	k, _ := c.Seek(end)
	if k == nil {
		k, _ = c.Last()
		return k
	}
	k, _ = c.Prev()
	return k
}

type cursor interface {
	Seek([]byte) (key, value []byte)
	Last() (key, value []byte)
	Prev() (key, value []byte)
}

// consider counts a candidate if it passes the rest of the filter, and keeps it
// if it lies on the page.
func (l *lister) consider(id []byte, rest store.Filter) error {
	if rest.Search != "" {
		searched, err := unseal(id, l.t.get(texts, id))
		if err != nil || !bytes.Contains(searched, []byte(rest.Search)) {
			return err
		}
	}
	rest.Search = ""
	onPage := l.page.Total >= l.skip && len(l.page.Certificates) < l.take
	institution := rest.Institution
	rest.Institution = 0
	if !onPage && rest == (store.Filter{}) {
		l.page.Total++
		return nil
	}
	c, err := l.t.certificate(id)
	if err != nil {
		return err
	}
	if c.Institution != institution || !passes(c, rest) {
		return nil
	}
	if onPage {
		l.page.Certificates = append(l.page.Certificates, c)
	}
	l.page.Total++
	return nil
}

func passes(c vault.Certificate, f store.Filter) bool {
	return (f.Status == "" || c.Status == f.Status) &&
		(f.Email == "" || vault.FoldEmail(c.Email) == f.Email) &&
		(f.Batch == "" || c.Batch == f.Batch) &&
		(f.From == "" || c.IssueDate >= f.From) &&
		(f.To == "" || c.IssueDate <= f.To)
}
