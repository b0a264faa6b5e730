package api

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// listStore is a store with certificates, newest last; nothing is filtered but Below.
type listStore struct {
	Store

	all   []vault.Certificate
	total int // as it says; 0 is the truth
	read  int
}

func (s *listStore) List(_ context.Context, f store.Filter, page, perPage int) (store.Page, error) {
	var found []vault.Certificate
	for _, c := range slices.Backward(s.all) {
		if f.Below == 0 || c.ID < f.Below {
			found = append(found, c)
		}
	}
	result := store.Page{Total: max(len(found), s.total)}
	from := min((page-1)*perPage, len(found))
	result.Certificates = found[from:min(from+perPage, len(found))]
	s.read += len(result.Certificates)
	return result, nil
}

func (s *listStore) ByID(_ context.Context, ids ...uint64) (found []vault.Certificate, err error) {
	for _, id := range ids {
		found = append(found, s.all[id-1])
	}
	return found, nil
}

func someCertificates(n int) *listStore {
	s := &listStore{}
	begun := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		c := vault.Certificate{ID: uint64(i + 1), Status: vault.Failed, UpdatedAt: begun.Add(time.Duration((i*7)%n) * time.Second)}
		c.Name, c.Email, c.IssueDate = []string{"Żaneta", "ann", "Zoe"}[i%3]+fmt.Sprint(i/3), fmt.Sprintf("P%d@example.com", (i*11)%n), vault.Date(fmt.Sprintf("2026-05-%02d", 1+(i*5)%9))
		if i%4 != 0 {
			c.Status, c.Verified, c.ApprovedAt = vault.Approved, &vault.Verified{}, begun.Add(time.Duration((i*13)%n)*time.Hour)
		}
		s.all = append(s.all, c)
	}
	return s
}

// TestOrdering compares each order with a sort of everything, page by page.
func TestOrdering(t *testing.T) {
	t.Parallel()
	const n = 37
	s := someCertificates(n)
	a := New(Options{Store: s})
	for _, field := range append(sortFields(), "") {
		for _, order := range []string{"asc", "desc", "ASC", ""} {
			want := slices.Clone(s.all)
			o := ordering{field: strings.TrimPrefix(field, "created_at")}
			slices.SortStableFunc(want, func(x, y vault.Certificate) int { return strings.Compare(o.key(x), o.key(y)) })
			if strings.EqualFold(order, "desc") || order == "" && field == "" {
				slices.Reverse(want)
			}
			for _, perPage := range []int{1, 5, 36, 37, 38, 100} {
				var got []uint64
				for page := 1; page <= n/perPage+2; page++ {
					q, err := parseListQuery(url.Values{"sort_field": {field}, "sort_order": {order}, "page": {fmt.Sprint(page)}, "per_page": {fmt.Sprint(perPage)}})
					if err != nil {
						t.Fatal(err)
					}
					found, err := a.selectPage(t.Context(), q)
					if err != nil || found.Total != n {
						t.Fatalf("%s %s: %d %v", field, order, found.Total, err)
					}
					for _, c := range found.Certificates {
						got = append(got, c.ID)
					}
				}
				for i, c := range want {
					if len(got) != n || got[i] != c.ID {
						t.Fatalf("%q %q by %d: %v", field, order, perPage, got)
					}
				}
			}
		}
	}
	for _, q := range []url.Values{{"sort_field": {"colour"}}, {"sort_order": {"up"}}, {"customer_id": {"7"}}, {"generated_at_from": {"now"}}, {"sort_field[]": {"name"}}} {
		if _, err := parseListQuery(q); len(fault.FieldsOf(err)) != 1 {
			t.Errorf("%v: %v", q, err)
		}
	}
}

// TestGeneratedAt selects by the day of the approval.
func TestGeneratedAt(t *testing.T) {
	t.Parallel()
	s := someCertificates(100)
	a := New(Options{Store: s})
	for _, tt := range [][2]string{{"2026-06-02", ""}, {"", "2026-06-01"}, {"2026-06-02", "2026-06-03"}, {"2026-07-01", ""}, {"2026-05-01", ""}} {
		q, err := parseListQuery(url.Values{"generated_at_from": {tt[0]}, "generated_at_to": {tt[1]}, "per_page": {"100"}})
		if err != nil {
			t.Fatal(err)
		}
		found, err := a.selectPage(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var want []uint64
		for _, c := range slices.Backward(s.all) {
			day := c.ApprovedAt.Format(time.DateOnly)
			if c.Verified != nil && (tt[0] == "" || day >= tt[0]) && (tt[1] == "" || day <= tt[1]) {
				want = append(want, c.ID)
			}
		}
		if found.Total != len(want) || !slices.EqualFunc(found.Certificates, want, func(c vault.Certificate, id uint64) bool { return c.ID == id }) {
			t.Errorf("%v: %d, want %d", tt, found.Total, len(want))
		}
	}
}

// TestTooManyToSort refuses at once what would have to be read as a whole.
func TestTooManyToSort(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]url.Values{"sort_field": {"sort_field": {"name"}}, "generated_at_from": {"generated_at_to": {"2026-06-01"}}} {
		s := someCertificates(1000)
		s.total = maxSorted + 1
		a := New(Options{Store: s})
		q, err := parseListQuery(v)
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.selectPage(t.Context(), q)
		if bad := fault.FieldsOf(err); len(bad) != 1 || bad[0].Name != name || !strings.Contains(bad[0].Message, "10001 are selected") || s.read > 500 {
			t.Errorf("%s: %v, %d were read", name, err, s.read)
		}
		q.Order, q.Generated = ordering{ascending: true}, [2]vault.Date{}
		if _, err := a.selectPage(t.Context(), q); err != nil {
			t.Errorf("oldest first: %v", err)
		}
	}
}
