package web

import (
	"context"
	"net/http"
	"strconv"

	"github.com/vecctl/vecctl/agent/web/layout"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// ownedCertificates is what is needed of the store to show what was issued to somebody.
type ownedCertificates interface {
	OwnedBy(ctx context.Context, account string, page, perPage int) (store.Page, error)
}

// ownApplications is where an account's applications are found, the latest first.
type ownApplications interface {
	ApplicationsOf(ctx context.Context, who vault.Account) ([]vault.Certificate, error)
}

// certificatesPerPage is how many certificates are shown at once.
const certificatesPerPage = 50

// accountData is what the page shows.
type accountData struct {
	Email, Count, SignOut string
	Data                  string // address of the form that downloads what is known
	Certificates          []certificateRow
	Newer, Older          string // addresses, "" for none
	Applications          []applicationRow
	Received              bool // the visitor has just applied
}

// certificateRow is one certificate of the list.
type certificateRow struct {
	Title, Name, Issuer, Date, Day, Reference string
	Validity, State, Link                     string
}

// requireVisitor returns the account of the visitor; where there is none, it answers, and ok is
// false.
func (p *accountPages) requireVisitor(w http.ResponseWriter, r *http.Request, v layout.PageContext) (who vault.Account, ok bool) {
	who, ok, err := p.Visitor(r)
	switch {
	case err != nil:
		p.Layout.RenderError(w, r, err)
		return vault.Account{}, false
	case !ok:
		http.Redirect(w, r, v.Link("/sign-in"), http.StatusSeeOther)
	}
	return who, ok
}

// serveAccount shows an account's certificates.
func (p *accountPages) serveAccount(w http.ResponseWriter, r *http.Request) {
	v := p.Layout.CurrentPageContext(r)
	who, ok := p.requireVisitor(w, r, v)
	if !ok {
		return
	}
	n, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || n < 1 {
		n = 1
	}
	found, err := p.Certificates.OwnedBy(r.Context(), who.ID, n, certificatesPerPage)
	if err != nil {
		p.Layout.RenderError(w, r, err)
		return
	}
	page := accountData{Email: who.Email, Count: v.T("me.count", found.Total), SignOut: v.Link("/sign-out"), Data: v.Link("/me/data")}
	for _, c := range found.Certificates {
		page.Certificates = append(page.Certificates, p.certificateRow(v, c))
	}
	if n > 1 {
		page.Newer = v.LinkWith("/me", "page", strconv.Itoa(n-1))
	}
	if found.Total > n*certificatesPerPage {
		page.Older = v.LinkWith("/me", "page", strconv.Itoa(n+1))
	}
	if n == 1 {
		if page.Applications, err = p.applicationRows(r.Context(), v, who); err != nil {
			p.Layout.RenderError(w, r, err)
			return
		}
		page.Received = r.URL.Query().Get("applied") == "1" && len(page.Applications) > 0
	}
	p.Layout.RenderPage(w, r, http.StatusOK, layout.Page{PageContext: v, Title: v.T("me")}, p.accountPage, page)
}

func (p *accountPages) certificateRow(v layout.PageContext, c vault.Certificate) certificateRow {
	who, known := p.Institutions.ByID(c.Institution)
	validity := c.ValidityOn(who.Today(p.Layout.Now()))
	row := certificateRow{
		Title: c.Title, Name: c.Name, Date: v.FormatDate(c.IssueDate), Day: string(c.IssueDate), Reference: c.Reference,
		Validity: string(validity), State: v.T("state." + string(validity)), Link: v.Link("/c/" + c.ShareToken),
	}
	if c.ShareToken == "" {
		row.Link = v.Link("/v/" + c.Reference)
	}
	if known {
		row.Issuer = who.Name
	}
	return row
}
