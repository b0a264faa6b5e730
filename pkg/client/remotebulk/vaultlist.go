package remotebulk

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// vaultList is what was read of the vault's own list of certificates.
type vaultList struct {
	client *client.Client
	certs  map[string]client.Certificate // by UUID, as they were read last
	dated  map[vault.Key][]string        // UUIDs by e-mail, title and date
	// undated has the UUIDs of certificates without a date, by e-mail and title.
	undated map[vault.Key][]string
	before  map[string]bool // the certificates that were listed before anything was sent

	total          int             // of the list, as far as it is known
	front          string          // the first page's UUIDs when the list was read for all rows; "" before that
	frontTotal     int             // the list's length then
	seen           map[string]bool // the certificates of the present reading
	ignoresEmail   bool            // the vault does not filter by e-mail
	shared         bool            // people may have one e-mail, title and date
	viewsTellDates bool
	viewsTried     bool
}

func newVaultList(c *client.Client, shared bool) vaultList {
	return vaultList{client: c, shared: shared, certs: map[string]client.Certificate{}, dated: map[vault.Key][]string{},
		undated: map[vault.Key][]string{}, before: map[string]bool{}}
}

// row is what a row is found by.
type row struct {
	key, undated vault.Key // with its date, and without
	name         string
	content      client.Content
}

func newRow(r Item) row {
	return row{r.key(), undatedKey(r.Certificate.Content), vault.Clean(r.Certificate.Name), r.Certificate.Content}
}

// mayBe reports whether a certificate with the row's e-mail and title may be the row's. Where
// people share addresses, that of another person is not: the external ID tells them apart where both have
// one, else the name.
func (l *vaultList) mayBe(r row, c client.Certificate) bool {
	return !l.shared || r.content.Vault().SamePerson(c.Content.Vault())
}

// undatedKey identifies a certificate whose date is not known.
func undatedKey(c client.Content) vault.Key {
	c.IssueDate = ""
	return c.Vault().Key()
}

// add keeps what the list says about a certificate.
func (l *vaultList) add(c client.Certificate) {
	if l.seen != nil {
		l.seen[c.UUID] = true
	}
	had, known := l.certs[c.UUID]
	if known && c.IssueDate == "" {
		c.IssueDate = had.IssueDate // a view told it
	}
	l.certs[c.UUID] = c
	switch {
	case c.IssueDate != "" && (!known || had.IssueDate == ""):
		key := c.Content.Vault().Key()
		l.dated[key] = append(l.dated[key], c.UUID)
		bare := undatedKey(c.Content)
		l.undated[bare] = slices.DeleteFunc(l.undated[bare], func(uuid string) bool { return uuid == c.UUID })
	case c.IssueDate == "" && !known:
		key := undatedKey(c.Content)
		l.undated[key] = append(l.undated[key], c.UUID)
	}
}

// showsDates reports whether the vault says when certificates were issued; known is false
// where no certificate was read yet.
func (l *vaultList) showsDates() (shows, known bool) {
	for _, c := range l.certs {
		if c.IssueDate != "" {
			return true, true
		}
	}
	return false, len(l.certs) > 0
}

// exact returns the certificate with a row's e-mail, title and date. Of several, it is
// the one with the row's name, and of those the first issued.
func (l *vaultList) exact(r row) (client.Certificate, bool) {
	var best client.Certificate
	name := r.name
	for _, uuid := range l.dated[r.key] {
		c := l.certs[uuid]
		if !l.mayBe(r, c) {
			continue
		}
		better := best.UUID == "" || c.Name == name && best.Name != name ||
			(c.Name == name) == (best.Name == name) && (c.SupersededBy != nil || best.SupersededBy == nil && c.ID < best.ID)
		if better {
			best = c
		}
	}
	return best, best.UUID != ""
}

// withoutDate returns the certificates that may be a row's but for their date, which the
// vault does not tell.
func (l *vaultList) withoutDate(r row) (all []client.Certificate) {
	for _, uuid := range l.undated[r.undated] {
		if c := l.certs[uuid]; l.mayBe(r, c) {
			all = append(all, c)
		}
	}
	return all
}

// perPage is a page size that every server accepts.
const perPage = 100

// maxPages ends the reading of a list that has no end.
const maxPages = 1 << 17

// page reads one page and keeps what it says.
func (l *vaultList) page(ctx context.Context, f client.Filter) (client.Page[client.Certificate], error) {
	f.PerPage = perPage
	page, err := l.client.List(ctx, f)
	if err != nil {
		return page, err
	}
	for _, one := range page.Data {
		l.add(one)
	}
	if f == (client.Filter{Page: f.Page, PerPage: perPage}) {
		l.total = max(page.Meta.Total, len(page.Data))
	}
	return page, nil
}

// read reads the list until each of some rows has been seen, or to its end. It reads either
// all pages or those of each person, whichever needs fewer calls. If the list shrinks
// meanwhile, entries move to pages that were read already: it is read once more.
func (l *vaultList) read(ctx context.Context, rows []row, isSeen func(n int) bool) error {
	l.seen = map[string]bool{}
	defer func() { l.seen = nil }()
	first, err := l.page(ctx, client.Filter{Page: 1})
	if err != nil {
		return err
	}
	l.front, l.frontTotal = frontOf(first), l.total
	people := map[string]string{}
	for n, r := range rows {
		if !isSeen(n) {
			people[vault.FoldEmail(r.content.Email)] = r.content.Email
		}
	}
	if len(people) == 0 || !first.HasNext() {
		return nil
	}
	pages := (l.total + perPage - 1) / perPage
	if pages > len(people)+1 && !l.ignoresEmail {
		return l.readPeople(ctx, slices.Sorted(maps.Values(people)))
	}
	total := l.total
	missing, err := l.readPages(ctx, 2, len(rows), isSeen)
	if err == nil && missing && l.total < total {
		_, err = l.readPages(ctx, 1, len(rows), isSeen)
	}
	return err
}

// frontOf identifies the first page of a list.
func frontOf(p client.Page[client.Certificate]) string {
	var b strings.Builder
	for _, c := range p.Data {
		b.WriteString(c.UUID)
	}
	return b.String()
}

// readPages reads pages until n rows have been seen, or to the end of the list. It reports
// whether some have not.
func (l *vaultList) readPages(ctx context.Context, from, n int, isSeen func(n int) bool) (missing bool, err error) {
	open := make([]int, n)
	for i := range open {
		open[i] = i
	}
	for n := from; n < maxPages; n++ {
		page, err := l.page(ctx, client.Filter{Page: n})
		if err != nil {
			return true, err
		}
		if open = slices.DeleteFunc(open, isSeen); len(open) == 0 || len(page.Data) == 0 || !page.HasNext() {
			break
		}
	}
	return len(open) > 0, nil
}

// readPeople reads the certificates of each address. A vault that answers with others does
// not filter: it is read as a whole.
func (l *vaultList) readPeople(ctx context.Context, emails []string) error {
	for _, email := range emails {
		for n := 1; n < maxPages; n++ {
			page, err := l.page(ctx, client.Filter{Email: email, Page: n})
			if err != nil {
				return err
			}
			if slices.ContainsFunc(page.Data, func(c client.Certificate) bool { return vault.FoldEmail(c.Email) != vault.FoldEmail(email) }) {
				l.ignoresEmail = true
				_, err = l.readPages(ctx, 1, 1, func(int) bool { return false })
				return err
			}
			if len(page.Data) == 0 || !page.HasNext() {
				break
			}
		}
	}
	return nil
}

// hasNews reports whether the list has changed, at its front or in its length, since it was
// read.
func (l *vaultList) hasNews(ctx context.Context) (bool, error) {
	total, front := l.frontTotal, l.front
	first, err := l.page(ctx, client.Filter{Page: 1})
	if err != nil {
		return false, err
	}
	return l.total != total || frontOf(first) != front, nil
}

// learnDates views certificates whose dates the list does not tell, if views tell them.
func (l *vaultList) learnDates(ctx context.Context, some []client.Certificate) error {
	for _, c := range some {
		if l.viewsTried && !l.viewsTellDates {
			return nil
		}
		viewed, err := l.client.Certificate(ctx, c.UUID)
		if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Forbidden) {
			l.viewsTried = true
			continue
		}
		if err != nil {
			return err
		}
		l.viewsTried = true
		if viewed.IssueDate != "" {
			l.viewsTellDates = true
			c.IssueDate = viewed.IssueDate
			l.add(c)
		}
	}
	return nil
}
