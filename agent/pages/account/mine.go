package account

import (
	"context"
	"net/http"
	"strconv"

	"github.com/vecctl/vecctl/agent/pages/frame"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Owned is what is needed of the store to show what was issued to somebody.
type Owned interface {
	OwnedBy(ctx context.Context, account string, page, perPage int) (store.Page, error)
}

// Applications is where an account's applications are found, the latest first.
type Applications interface {
	ApplicationsOf(ctx context.Context, who vault.Account) ([]vault.Certificate, error)
}

// perPage is how many certificates are shown at once.
const perPage = 50

// mine is what the page shows.
type mine struct {
	Email, Count, SignOut string
	Certificates          []owned
	Newer, Older          string // addresses, "" for none
	Applications          []applied
	Received              bool // the visitor has just applied
}

// owned is one certificate of the list.
type owned struct {
	Title, Name, Issuer, Date, Day, Reference string
	Standing, State, Link                     string
}

// serveMine shows an account's certificates.
func (p *Pages) serveMine(w http.ResponseWriter, r *http.Request) {
	v := p.Frame.Own(r)
	who, ok, err := p.Visitor(r)
	if err != nil {
		p.Frame.Broken(w, r, err)
		return
	}
	if !ok {
		http.Redirect(w, r, v.Link("/sign-in"), http.StatusSeeOther)
		return
	}
	n, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || n < 1 {
		n = 1
	}
	found, err := p.Owned.OwnedBy(r.Context(), who.ID, n, perPage)
	if err != nil {
		p.Frame.Broken(w, r, err)
		return
	}
	page := mine{Email: who.Email, Count: v.T("me.count", found.Total), SignOut: v.Link("/sign-out")}
	for _, c := range found.Certificates {
		page.Certificates = append(page.Certificates, p.owned(v, c))
	}
	if n > 1 {
		page.Newer = v.LinkWith("/me", "page", strconv.Itoa(n-1))
	}
	if found.Total > n*perPage {
		page.Older = v.LinkWith("/me", "page", strconv.Itoa(n+1))
	}
	if n == 1 {
		if page.Applications, err = p.applications(r.Context(), v, who); err != nil {
			p.Frame.Broken(w, r, err)
			return
		}
		page.Received = r.URL.Query().Get("applied") == "1" && len(page.Applications) > 0
	}
	p.Frame.Show(w, r, http.StatusOK, frame.Page{View: v, Title: v.T("me")}, p.mine, page)
}

func (p *Pages) owned(v frame.View, c vault.Certificate) owned {
	standing := c.Validity()
	one := owned{
		Title: c.Title, Name: c.Name, Date: v.Day(c.IssueDate), Day: string(c.IssueDate), Reference: c.Reference,
		Standing: string(standing), State: v.T("state." + string(standing)), Link: v.Link("/c/" + c.ShareToken),
	}
	if c.ShareToken == "" {
		one.Link = v.Link("/v/" + c.Reference)
	}
	if who, ok := p.Institution(c.Institution); ok {
		one.Issuer = who.Name
	}
	return one
}
