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
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

//go:embed verify.html home.html
var files embed.FS

// Vault is what is needed of the store.
type Vault interface {
	Referred(ctx context.Context, reference string) (vault.Certificate, error)
	Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error)
}

// Options are what the page is made of.
type Options struct {
	Vault Vault
	Frame *frame.Frame
	// Institution finds the one that issued a certificate; Current is whose page it is
	// where there is none.
	Institution func(id uint32) (vault.Institution, bool)
	Current     func() vault.Institution
	VerifyURL   func(reference string) string
	Log         *slog.Logger
}

// Pages are the verification page and the one that asks for a reference ID.
type Pages struct {
	Options
	verdict, home frame.Body
}

// New reads the pages' templates.
func New(o Options) (*Pages, error) {
	p := &Pages{Options: o}
	var err error
	if p.verdict, err = o.Frame.Parse(files, "verify.html"); err != nil {
		return nil, err
	}
	p.home, err = o.Frame.Parse(files, "home.html")
	return p, err
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
	standing               vault.Standing
	certificate            vault.Certificate
	institution            vault.Institution
	successor, predecessor string // reference IDs
}

// find looks a reference ID up.
func (p *Pages) find(ctx context.Context, reference string) (finding, error) {
	c, err := p.Vault.Referred(ctx, reference)
	if fault.Is(err, fault.NotFound) {
		return finding{standing: vault.Unknown, institution: p.Current()}, nil
	}
	if err != nil {
		return finding{}, err
	}
	f := finding{standing: c.Standing(), certificate: c}
	var ok bool
	if f.institution, ok = p.Institution(c.Institution); !ok {
		return f, fmt.Errorf("institution %d is missing", c.Institution)
	}
	if f.successor, err = p.relative(ctx, c.Institution, c.SupersededBy); err != nil {
		return f, err
	}
	f.predecessor, err = p.relative(ctx, c.Institution, c.Supersedes)
	return f, err
}

// relative is the reference ID of a predecessor or successor, "" where there is
// none that was issued.
func (p *Pages) relative(ctx context.Context, institution uint32, uuid string) (string, error) {
	if uuid == "" {
		return "", nil
	}
	c, err := p.Vault.Certificate(ctx, institution, uuid)
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	return c.Reference, err
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
	f, err := p.find(r.Context(), reference)
	status := http.StatusOK
	switch {
	case err != nil:
		p.Log.Error("verifying a certificate failed", "error", err)
		f, status = finding{institution: p.Current()}, http.StatusInternalServerError
	case f.standing == vault.Unknown:
		status = http.StatusNotFound
	}
	if wantsJSON(r.Header.Get("Accept")) {
		p.answer(w, status, reference, f, err)
		return
	}
	v := p.Frame.View(r, f.institution)
	if err != nil {
		p.Frame.Note(w, r, status, v, "broken")
		return
	}
	title := v.T("verdict." + string(f.standing))
	p.Frame.Show(w, r, status, frame.Page{View: v, Title: title}, p.verdict, p.content(v, f, title, reference))
}

// content is what the page shows.
type content struct {
	finding
	Mark, Verdict, Text      string
	Reference, Name, Date    string
	RevokedSince             string
	Successor, Predecessor   related
	SHA256, Same, URL, Enter string
	Lang                     string
}

// related is another certificate and its page.
type related struct{ Reference, Link string }

// Standing is a word for the page's looks.
func (c content) Standing() string { return string(c.standing) }

// Issued tells whether there is more to say than the verdict.
func (c content) Issued() bool { return c.standing.Issued() }

// Certificate is for the template, which shows parts of it.
func (c content) Certificate() vault.Certificate { return c.certificate }

// Institution is for the template, too.
func (c content) Institution() string { return c.institution.Name }

func (p *Pages) content(v frame.View, f finding, verdict, reference string) content {
	c := content{
		finding: f, Mark: frame.Mark(f.standing), Verdict: verdict, Text: v.T("verdict." + string(f.standing) + ".text"),
		Reference: f.certificate.Reference, Enter: v.Link("/v"), Lang: v.Asked(),
	}
	if f.standing == vault.Unknown {
		c.Reference = reference
		return c
	}
	c.URL = p.VerifyURL(c.Reference)
	if !f.standing.Issued() {
		return c
	}
	c.Name, c.Date = f.shownName(), v.Day(f.certificate.IssueDate)
	c.Successor, c.Predecessor = relatedOf(v, f.successor), relatedOf(v, f.predecessor)
	if why := f.certificate.Revocation; why != nil {
		c.RevokedSince = v.Since(why.At)
	}
	if doc := f.certificate.Verified; doc != nil {
		c.SHA256, c.Same = doc.SHA256, v.T("check.same")
		if f.standing != vault.Genuine {
			c.Same = v.T("check.same." + string(f.standing))
		}
	}
	return c
}

func relatedOf(v frame.View, reference string) related {
	if reference == "" {
		return related{}
	}
	return related{reference, v.Link("/v/" + reference)}
}

// serveHome asks for a reference ID.
func (p *Pages) serveHome(w http.ResponseWriter, r *http.Request) {
	v := p.Frame.View(r, p.Current())
	p.Frame.Show(w, r, http.StatusOK, frame.Page{View: v, Title: v.T("home")}, p.home, struct{ Enter, Lang string }{v.Link("/v"), v.Asked()})
}

// longestReference is more than any reference ID is long, with room for what
// people type around it.
const longestReference = 100

// search leads to the page of a reference ID that was typed in.
func (p *Pages) search(w http.ResponseWriter, r *http.Request) {
	typed := strings.ToUpper(strings.Join(strings.Fields(r.FormValue("reference")), ""))
	v := p.Frame.View(r, p.Current())
	to := v.Link("/")
	if typed != "" && len(typed) <= longestReference {
		to = v.Link("/v/" + url.PathEscape(typed))
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
