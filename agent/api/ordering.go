package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// maxSorted is how many certificates are read to sort them or to select them by the moment of
// their approval: the store has an index for neither. Reading so many takes about a third of a
// second.
const maxSorted = 10_000

// ordering is how a list is sorted. The zero value is newest first.
type ordering struct {
	field     string // "" is created_at
	ascending bool
}

// sortFields are VEC.digital's.
func sortFields() []string {
	return []string{"name", "email", "status", "issue_date", "generated_at", "created_at", "updated_at"}
}

// parseOrdering reads how a list is to be sorted. A field without an order ascends.
func parseOrdering(field, order string) (o ordering, bad []fault.Field) {
	if field != "" && !slices.Contains(sortFields(), field) {
		bad = append(bad, fault.Field{Name: "sort_field", Message: "The selected sort field is invalid: it is one of " + strings.Join(sortFields(), ", ") + "."})
	}
	switch strings.ToLower(order) {
	case "", "asc", "desc":
	default:
		bad = append(bad, fault.Field{Name: "sort_order", Message: "The selected sort order is invalid: it is asc or desc."})
	}
	o.ascending = strings.EqualFold(order, "asc") || order == "" && field != ""
	if field != "created_at" {
		o.field = field
	}
	return o, bad
}

// key is what a certificate is sorted by. What is not known comes before everything else.
func (o ordering) key(c vault.Certificate) string {
	moment := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format("2006-01-02T15:04:05.000000000")
	}
	switch o.field {
	case "name":
		return vault.Fold(c.Name)
	case "email":
		return vault.FoldEmail(c.Email)
	case "status":
		return string(c.Status)
	case "issue_date":
		return string(c.IssueDate)
	case "generated_at":
		return moment(generatedAt(c))
	case "updated_at":
		return moment(c.UpdatedAt)
	}
	return ""
}

// generatedAt is when the verified PDF was made; the zero time where there is none.
func generatedAt(c vault.Certificate) time.Time {
	if c.Verified == nil {
		return time.Time{}
	}
	return c.ApprovedAt
}

// selectPage returns the page that a query asks for.
func (a *API) selectPage(ctx context.Context, q listQuery) (store.Page, error) {
	switch {
	case q.Generated != [2]vault.Date{}:
		return a.sortedPage(ctx, q, "generated_at_from")
	case q.Order.field != "":
		return a.sortedPage(ctx, q, "sort_field")
	case q.Order.ascending:
		return a.oldestFirst(ctx, q)
	}
	return a.Store.List(ctx, q.Filter, q.Page, q.PerPage)
}

// oldestFirst returns a page of the list turned round: it lies in one page of the list as the
// store has it, or in two.
func (a *API) oldestFirst(ctx context.Context, q listQuery) (store.Page, error) {
	all, err := a.Store.List(ctx, q.Filter, 1, 1)
	if err != nil {
		return all, err
	}
	end := all.Total - (q.Page-1)*q.PerPage // in the store's list
	page := store.Page{Total: all.Total}
	if q.Page-1 > all.Total/q.PerPage || end <= 0 {
		return page, nil
	}
	begin := max(0, end-q.PerPage)
	for n := begin/q.PerPage + 1; (n-1)*q.PerPage < end; n++ {
		part, err := a.Store.List(ctx, q.Filter, n, q.PerPage)
		if err != nil {
			return page, err
		}
		offset := (n - 1) * q.PerPage
		from, to := max(0, begin-offset), min(len(part.Certificates), end-offset)
		if from < to {
			page.Certificates = append(page.Certificates, part.Certificates[from:to]...)
		}
	}
	slices.Reverse(page.Certificates)
	return page, nil
}

// place is a certificate on its way into an order.
type place struct {
	id  uint64
	key string
}

// sortedPage reads everything that a query selects and returns one page of it, sorted. Field is
// the one to complain of where that is too much.
func (a *API) sortedPage(ctx context.Context, q listQuery, field string) (store.Page, error) {
	places, err := a.places(ctx, q, field)
	if err != nil {
		return store.Page{}, err
	}
	slices.SortFunc(places, func(x, y place) int {
		order := cmp.Or(cmp.Compare(x.key, y.key), cmp.Compare(x.id, y.id))
		if q.Order.ascending {
			return order
		}
		return -order
	})
	page := store.Page{Total: len(places)}
	if q.Page-1 > len(places)/q.PerPage {
		return page, nil
	}
	var ids []uint64
	for _, p := range places[min((q.Page-1)*q.PerPage, len(places)):min(q.Page*q.PerPage, len(places))] {
		ids = append(ids, p.id)
	}
	page.Certificates, err = a.Store.ByID(ctx, ids...)
	return page, err
}

// places are those of all certificates that a query selects, newest first.
func (a *API) places(ctx context.Context, q listQuery, field string) (places []place, err error) {
	const some = 500
	f := q.Filter
	for {
		part, err := a.Store.List(ctx, f, 1, some)
		if err != nil {
			return nil, err
		}
		if f.Below == 0 && part.Total > maxSorted {
			return nil, fault.InvalidFields([]fault.Field{{Name: field, Message: fmt.Sprintf(
				"The %s field takes at most %d certificates at a time, and %d are selected; narrow the selection with other filters, such as batch_id, status or issue_date_from.",
				strings.ReplaceAll(field, "_", " "), maxSorted, part.Total)}})
		}
		for _, c := range part.Certificates {
			f.Below = c.ID
			if q.wasGenerated(c) {
				places = append(places, place{c.ID, q.Order.key(c)})
			}
		}
		if len(part.Certificates) < some {
			return places, nil
		}
	}
}

// wasGenerated reports whether a certificate was approved on one of the days that a query names.
func (q listQuery) wasGenerated(c vault.Certificate) bool {
	if q.Generated == [2]vault.Date{} {
		return true
	}
	at := generatedAt(c)
	if at.IsZero() {
		return false
	}
	day, from, to := vault.Date(at.UTC().Format(time.DateOnly)), q.Generated[0], q.Generated[1]
	return (from == "" || day >= from) && (to == "" || day <= to)
}
