// Package verify is the page to which the code on a document leads: it says at
// first sight what the certificate counts for, and compares the file in hand.
package verify

import (
	"context"
	"embed"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/vecctl/vecctl/agent/pages/frame"
	"github.com/vecctl/vecctl/agent/pages/kin"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

//go:embed verify.html home.html
var files embed.FS

// Vault is what is needed of the store.
type Vault interface {
	ByReference(ctx context.Context, reference string) (vault.Certificate, error)
	Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error)
	// Version is another number after each change of a certificate.
	Version(reference string) uint64
}

// Options are what the page is made of.
type Options struct {
	Vault Vault
	Frame *frame.Frame
	// Institution finds the one that issued a certificate.
	Institution func(id uint32) (vault.Institution, bool)
	VerifyURL   func(reference string) string
	Log         *slog.Logger
}

// Pages are the verification page and the one that asks for a reference ID.
type Pages struct {
	Options
	verdict, home frame.Body
	quick         *quick
}

// New reads the pages' templates.
func New(o Options) (*Pages, error) {
	p := &Pages{Options: o, quick: newQuick()}
	return p, o.Frame.ParseAll(files, map[string]*frame.Body{"verify.html": &p.verdict, "home.html": &p.home})
}

// Route adds the pages' addresses. Links are printed in either case.
func (p *Pages) Route(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", p.serveHome)
	mux.HandleFunc("GET /v", p.search)
	mux.HandleFunc("GET /v/{reference}", p.serve)
	mux.HandleFunc("GET /V/{reference}", p.serve)
}

// finding is what is found out about a reference ID.
type finding struct {
	standing               vault.Validity
	certificate            vault.Certificate
	institution            vault.Institution
	successor, predecessor string // reference IDs
}

// find looks a reference ID up.
func (p *Pages) find(ctx context.Context, reference string) (finding, error) {
	c, err := p.Vault.ByReference(ctx, reference)
	if fault.Is(err, fault.NotFound) {
		return finding{standing: vault.ValidityUnknown, institution: p.Frame.Current()}, nil
	}
	if err != nil {
		return finding{}, err
	}
	if c.Validity() == vault.ValidityUnknown {
		return finding{standing: vault.ValidityUnknown, institution: p.Frame.Current()}, nil
	}
	f := finding{standing: c.Validity(), certificate: c}
	var ok bool
	if f.institution, ok = p.Institution(c.Institution); !ok {
		return f, fmt.Errorf("institution %d is missing", c.Institution)
	}
	f.successor, f.predecessor, err = kin.Of(ctx, p.Vault, c)
	return f, err
}

// shownName is the recipient's name as the institution lets it be shown.
func (f finding) shownName() string {
	if f.institution.PartialNames {
		return vault.PartialName(f.certificate.Name)
	}
	return f.certificate.Name
}

func (p *Pages) serve(w http.ResponseWriter, r *http.Request) {
	reference := r.PathValue("reference")
	asJSON := wantsJSON(r.Header.Get("Accept"))
	if !asJSON && p.serveKnown(w, r, reference) {
		return
	}
	version := p.Vault.Version(reference)
	f, err := p.find(r.Context(), reference)
	status := http.StatusOK
	switch {
	case err != nil && frame.Gone(r):
		return
	case err != nil:
		p.Log.Error("verifying a certificate failed", "error", err)
		f, status = finding{institution: p.Frame.Current()}, http.StatusInternalServerError
	case f.standing == vault.ValidityUnknown:
		status = http.StatusNotFound
	}
	if asJSON {
		p.answer(w, status, reference, f, err)
		return
	}
	if k, ok := knownOf(f, version); err == nil && ok {
		p.quick.remember(k)
		if p.send(w, r, k, f.institution) {
			return
		}
	}
	v := p.Frame.View(r, f.institution)
	if err != nil {
		p.Frame.Note(w, r, status, v, "broken")
		return
	}
	title := v.T("verdict." + string(f.standing))
	p.Frame.Show(w, r, status, frame.Page{View: v, Title: title}, p.verdict, p.content(v, f, title, reference))
}

// content is what the page shows. It is flat, and texts only: templates are quickest
// with such.
type content struct {
	Standing, Mark, Verdict, Text  string
	Issued, Known                  bool
	Title, Name, Day, Date         string
	Institution, Reference         string
	RevokedSince, Reason           string
	Successor, SuccessorLink       string
	Predecessor, PredecessorLink   string
	SHA256, Same, URL, Enter, Lang string
}

func (p *Pages) content(v frame.View, f finding, verdict, reference string) *content {
	c := &content{
		Standing: string(f.standing), Mark: frame.Mark(f.standing), Verdict: verdict, Text: v.T("verdict." + string(f.standing) + ".text"),
		Known: f.standing != vault.ValidityUnknown, Issued: f.standing.Issued(),
		Institution: f.institution.Name, Reference: f.certificate.Reference,
	}
	if !c.Known {
		c.Reference, c.Enter, c.Lang = reference, v.Link("/v"), v.Asked()
		return c
	}
	c.URL = p.VerifyURL(c.Reference)
	if !c.Issued {
		return c
	}
	c.Title, c.Name = f.certificate.Title, f.shownName()
	c.Day, c.Date = string(f.certificate.IssueDate), v.Day(f.certificate.IssueDate)
	if f.successor != "" {
		c.Successor, c.SuccessorLink = f.successor, v.Link("/v/"+f.successor)
	}
	if f.predecessor != "" {
		c.Predecessor, c.PredecessorLink = f.predecessor, v.Link("/v/"+f.predecessor)
	}
	if why := f.certificate.Revocation; why != nil {
		c.RevokedSince, c.Reason = v.Since(why.At), why.Reason
	}
	if doc := f.certificate.Verified; doc != nil {
		c.SHA256, c.Same = doc.SHA256, v.T("check.same")
		if f.standing != vault.ValidityGenuine {
			c.Same = v.T("check.same." + string(f.standing))
		}
	}
	return c
}

// serveHome asks for a reference ID.
func (p *Pages) serveHome(w http.ResponseWriter, r *http.Request) {
	v := p.Frame.Own(r)
	p.Frame.Show(w, r, http.StatusOK, frame.Page{View: v, Title: v.T("home")}, p.home, struct{ Enter, Lang string }{v.Link("/v"), v.Asked()})
}

// longestReference is more than any reference ID is long, with room for what
// people type around it.
const longestReference = 100

// search leads to the page of a reference ID that was typed in.
func (p *Pages) search(w http.ResponseWriter, r *http.Request) {
	typed := strings.ToUpper(strings.Join(strings.Fields(r.FormValue("reference")), ""))
	v := p.Frame.Own(r)
	to := v.Link("/")
	if typed != "" && len(typed) <= longestReference {
		to = v.Link("/v/" + url.PathEscape(typed))
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
