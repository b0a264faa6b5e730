package api

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

const (
	defaultPerPage = 15
	maxPerPage     = 100
	maxTermBytes   = 1000
	listParameters = "applicant_email search batch_id status page per_page from to issue_date_from issue_date_to " +
		"sort_field sort_order customer_id generated_at_from generated_at_to expires_from expires_to"
)

// listQuery is what a list call asks for.
type listQuery struct {
	Filter        store.Filter // of the caller's choice: neither institution nor source
	Page, PerPage int          // both from 1
	Order         ordering
	Generated     [2]vault.Date // the first and the last day, in UTC; "" does not restrict
	given         url.Values    // as they came
}

// parseListQuery reads a list call's parameters; each that is wrong is a field of the
// error. Of two with one name the last counts.
func parseListQuery(v url.Values) (listQuery, error) {
	get := func(name string) string {
		if all := v[name]; len(all) > 0 {
			return all[len(all)-1]
		}
		return ""
	}
	bad := arrayErrors(v)
	q := listQuery{given: v, Filter: store.Filter{
		Email: get("applicant_email"), Search: get("search"), Batch: get("batch_id"),
	}}
	for _, name := range []string{"applicant_email", "search", "batch_id"} {
		if s := get(name); len(s) > maxTermBytes || !utf8.ValidString(s) {
			bad = append(bad, fault.Field{Name: name, Message: fmt.Sprintf("The %s field must be text of at most %d bytes.", strings.ReplaceAll(name, "_", " "), maxTermBytes)})
		}
	}
	if s := get("status"); s != "" {
		status, ok := vault.ParseStatus(s)
		if !ok {
			bad = append(bad, fault.Field{Name: "status", Message: "The selected status is invalid."})
		}
		q.Filter.Status = status
	}
	number := func(name string, standard, most int) int {
		s := get(name)
		if s == "" {
			return standard
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > most {
			bad = append(bad, fault.Field{Name: name, Message: fmt.Sprintf("The %s field must be a number from 1 to %d.", name, most)})
			return standard
		}
		return n
	}
	const lastPage = 1 << 30
	q.Page, q.PerPage = number("page", 1, lastPage), number("per_page", defaultPerPage, maxPerPage)
	date := func(name string) vault.Date {
		s := get(name)
		if s == "" {
			return ""
		}
		d, err := vault.ParseDate(s)
		if err != nil {
			bad = append(bad, fault.Field{Name: name, Message: fmt.Sprintf("The %s field must match the format YYYY-MM-DD.", name)})
		}
		return d
	}
	// The reference has longer names for them.
	q.Generated = [2]vault.Date{date("generated_at_from"), date("generated_at_to")}
	q.Filter.From, q.Filter.To = cmp.Or(date("from"), date("issue_date_from")), cmp.Or(date("to"), date("issue_date_to"))
	q.Filter.EndsFrom, q.Filter.EndsTo = date("expires_from"), date("expires_to")
	if get("customer_id") != "" {
		bad = append(bad, fault.Field{Name: "customer_id", Message: "The customer id field is prohibited: this vault numbers no customers. Select with applicant_email."})
	}
	order, wrong := parseOrdering(get("sort_field"), get("sort_order"))
	q.Order = order
	return q, fault.InvalidFields(append(bad, wrong...))
}

// arrayErrors complains of parameters that are lists, as PHP writes them: a filter that is
// passed over would select everything.
func arrayErrors(v url.Values) (bad []fault.Field) {
	for _, given := range slices.Sorted(maps.Keys(v)) {
		if name, _, is := strings.Cut(given, "["); is && slices.Contains(strings.Fields(listParameters), name) {
			bad = append(bad, fault.Field{Name: name, Message: fmt.Sprintf("The %s field must be a string.", strings.ReplaceAll(name, "_", " "))})
		}
	}
	return bad
}

// links says where a page lies in its list. It is called once, in the end, since it
// turns the pages of what was given. The path is the list's own address.
func (q listQuery) links(path string, entries, total int) (client.Links, client.Meta) {
	last := max(1, (total+q.PerPage-1)/q.PerPage)
	meta := client.Meta{CurrentPage: q.Page, LastPage: last, Path: path, PerPage: q.PerPage, Total: total}
	if entries > 0 {
		meta.From, meta.To = new((q.Page-1)*q.PerPage+1), new((q.Page-1)*q.PerPage+entries)
	}
	link := func(n int, is bool) *string {
		if !is {
			return nil
		}
		q.given.Set("page", strconv.Itoa(n))
		return new(path + "?" + q.given.Encode())
	}
	links := client.Links{First: link(1, true), Last: link(last, true), Prev: link(q.Page-1, q.Page > 1), Next: link(q.Page+1, q.Page < last)}
	meta.Links = append(meta.Links, client.PageLink{URL: links.Prev, Label: "&laquo; Previous"})
	for before, n := range q.around(last) {
		if n > before+1 {
			meta.Links = append(meta.Links, client.PageLink{Label: "..."})
		}
		meta.Links = append(meta.Links, client.PageLink{URL: link(n, true), Label: strconv.Itoa(n), Active: n == q.Page})
	}
	meta.Links = append(meta.Links, client.PageLink{URL: links.Next, Label: "Next &raquo;"})
	return links, meta
}

// around iterates over the pages that are linked from a page, each with the one before it: the
// first two, the last two, and those near.
func (q listQuery) around(last int) iter.Seq2[int, int] {
	const near = 3
	return func(yield func(int, int) bool) {
		before := 0
		for _, reach := range [][2]int{{1, 2}, {q.Page - near, q.Page + near}, {last - 1, last}} {
			for n := max(reach[0], before+1); n <= min(reach[1], last); n++ {
				if !yield(before, n) {
					return
				}
				before = n
			}
		}
	}
}
