package api

import (
	"net/url"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
)

// A page behind the last has one before it, as in Laravel's lists.
func TestLinksBehindTheEnd(t *testing.T) {
	t.Parallel()
	q, err := parseListQuery(url.Values{"page": {"9"}, "per_page": {"10"}})
	if err != nil {
		t.Fatal(err)
	}
	links, meta := q.links("http://127.0.0.1:7780/business/certificate-vault", 0, 25)
	if links.Prev == nil || !strings.Contains(*links.Prev, "page=8") || links.Next != nil || !strings.Contains(*links.Last, "page=3") {
		t.Errorf("%+v", links)
	}
	if meta.From != nil || meta.LastPage != 3 || meta.CurrentPage != 9 {
		t.Errorf("%+v", meta)
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("page=2&per_page=100&status=failed&from=2026-01-01&to=2026-12-31&search=x&applicant_email=a@example.com&batch_id=b")
	f.Add("page=99999999999999999999&per_page=-1&status=&from=x")
	f.Fuzz(func(t *testing.T, raw string) {
		values, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		q, err := parseListQuery(values)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || len(fault.FieldsOf(err)) == 0 {
				t.Errorf("%q: %v", raw, err)
			}
			return
		}
		if q.Page < 1 || q.PerPage < 1 || q.PerPage > maxPerPage {
			t.Errorf("%q: page %d of %d each", raw, q.Page, q.PerPage)
		}
		links, meta := q.links("http://127.0.0.1:7780/business/certificate-vault", 0, 1000)
		for _, link := range []*string{links.First, links.Last, links.Prev, links.Next} {
			if link == nil {
				continue
			}
			u, err := url.Parse(*link)
			if err != nil {
				t.Fatalf("%q: link %q: %v", raw, *link, err)
			}
			// Behind the last page, the one before may be behind it too.
			if again, err := parseListQuery(u.Query()); err != nil || again.Filter != q.Filter || again.Page > max(meta.LastPage, q.Page-1) {
				t.Errorf("%q: link %q is another list: %v", raw, *link, err)
			}
		}
	})
}
