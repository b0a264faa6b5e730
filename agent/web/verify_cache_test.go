package web

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/agent/web/layout"
	"github.com/vecctl/vecctl/pkg/vault"
)

// oneCertificate is a vault of one certificate that counts how often it is read.
type oneCertificate struct {
	c     vault.Certificate
	reads int
	at    uint64
}

func (o *oneCertificate) ByReference(context.Context, string) (vault.Certificate, error) {
	o.reads++
	return o.c, nil
}
func (o *oneCertificate) Certificate(context.Context, uint32, string) (vault.Certificate, error) {
	return o.c, nil
}
func (o *oneCertificate) ByVerifiedSHA256(_ context.Context, sums ...string) ([]*vault.Certificate, error) {
	return make([]*vault.Certificate, len(sums)), nil
}
func (o *oneCertificate) Version(string) uint64 { return o.at }

// cachedSite is a verification page of one certificate.
type cachedSite struct {
	*testing.T
	vault *oneCertificate
	all   institutions.Fixed
	who   *vault.Institution // of all
	pages *verifyPages
}

func newCachedSite(t *testing.T) *cachedSite {
	t.Helper()
	s := &cachedSite{T: t, vault: &oneCertificate{}, all: institutions.Fixed{Base: "https://x.example/a&b", All: []vault.Institution{{
		ID: 1, Name: "Northgate <b>&amp;</b> \"Institute\"", TimeZone: "UTC", Policy: &vault.ApplicationPolicy{Who: vault.AnyoneMayApply}}}}}
	s.who = &s.all.All[0]
	f, err := layout.New(layout.Options{Institutions: s.all, Now: func() time.Time { return time.Date(2026, 6, 15, 9, 0, 0, 0, time.UTC) }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s.pages, err = newVerifyPages(verifyOptions{Store: s.vault, Layout: f, Institutions: s.all,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// holds changes what the certificate says.
func (s *cachedSite) holds(c vault.Content) {
	s.vault.at++
	s.vault.reads = 0
	s.vault.c = vault.Certificate{Identity: vault.Identity{Reference: "VEC-IC-20260123456789ABC"}, Institution: 1, Status: vault.Approved,
		Content: c, Verified: &vault.Verified{SHA256: strings.Repeat("ab", 32)}}
}

// page returns the answer to a request.
func (s *cachedSite) page(query, accept string) string {
	r := httptest.NewRequest(http.MethodGet, "/v/"+s.vault.c.Reference+query, nil)
	r.Header.Set("Accept", accept)
	r.SetPathValue("reference", s.vault.c.Reference)
	w := httptest.NewRecorder()
	s.pages.serve(w, r)
	return w.Body.String()
}

// drawn returns what the template makes of the certificate.
func (s *cachedSite) drawn(query string) string {
	s.Helper()
	r := httptest.NewRequest(http.MethodGet, "/v/"+s.vault.c.Reference+query, nil)
	view := s.pages.Layout.PageContext(r, *s.who)
	title := view.T("verdict.genuine")
	var out bytes.Buffer
	found := verifyResult{validity: vault.ValidityGenuine, certificate: s.vault.c, institution: *s.who}
	if err := s.pages.Layout.Execute(&out, layout.Page{PageContext: view, Title: title}, s.pages.page, s.pages.data(view, found, title, s.vault.c.Reference)); err != nil {
		s.Fatal(err)
	}
	return out.String()
}

// TestCachedPages compares pages that are put together with those that the template
// draws, byte by byte.
func TestCachedPages(t *testing.T) {
	t.Parallel()
	s := newCachedSite(t)
	for _, text := range []string{"Ada Lovelace", "<script>alert(1)</script>", `"onload="x' &amp; &`, "محمد\u202e علي", slotPlaceholder(sumSlot) + "x", "a\u2028b", "`${x}`"} {
		for _, partial := range []bool{false, true} {
			s.who.PartialNames = partial
			s.holds(everywhere(text))
			for range 3 {
				for _, query := range []string{"", "?lang=de"} {
					if got, want := s.page(query, "text/html"), s.drawn(query); got != want {
						t.Errorf("%q:\n%s\nwant\n%s", text, got, want)
					}
				}
			}
			if s.vault.reads != 1 {
				t.Errorf("%q was read %d times", text, s.vault.reads)
			}
		}
	}
	// An institution whose name holds a mark has its pages drawn.
	s.who.Name = "x" + string(slotMarker) + "a"
	if got, want := s.page("", "text/html"), s.drawn(""); got != want || s.vault.reads != 1 && s.vault.reads != 2 {
		t.Errorf("with a mark in the institution's name:\n%s", got)
	}
}

// everywhere returns a content that says a text in each field; the date is one.
func everywhere(text string) (c vault.Content) {
	for _, f := range vault.Fields() {
		if f.Set(&c, text); f.Kind == vault.DateField {
			f.Set(&c, "2026-05-02")
		}
		if f.ID == vault.FieldExpiryDate {
			f.Set(&c, "2027-03-04")
		}
	}
	return c
}

// TestPageEndsWithItsCertificate reads a page on the last day of a certificate and on the day
// after, without any change of the certificate in between.
func TestPageEndsWithItsCertificate(t *testing.T) {
	t.Parallel()
	s := newCachedSite(t)
	content := everywhere("x")
	for _, tt := range []struct {
		last    vault.Date
		genuine bool
	}{{"2026-06-15", true}, {"2026-06-14", false}} {
		content.ExpiryDate = "2027-01-01"
		s.holds(content)
		s.page("", "text/html") // it is remembered
		s.vault.c.ExpiryDate = tt.last
		s.vault.at++
		for range 2 {
			if page := s.page("", "text/html"); strings.Contains(page, "This certificate is genuine") != tt.genuine || strings.Contains(page, "This certificate has ended") == tt.genuine {
				t.Errorf("valid until %s: the page is\n%s", tt.last, page)
			}
		}
		if answer := s.page("", "application/json"); strings.Contains(answer, `"status":"expired"`) == tt.genuine || strings.Contains(answer, `"valid":true`) != tt.genuine {
			t.Errorf("valid until %s: the answer is %s", tt.last, answer)
		}
	}
	k, ok := cacheable(verifyResult{validity: vault.ValidityGenuine, certificate: s.vault.c}, s.vault.at)
	if !ok {
		t.Fatal("the certificate is not kept")
	}
	s.pages.cache.add(k) // as it was on its last day
	if page := s.page("", "text/html"); !strings.Contains(page, "This certificate has ended") {
		t.Errorf("what was kept on the last day is shown on the day after:\n%s", page)
	}
}

// TestPublicFields fills every field of a certificate, and leaves out one after the
// other: pages, whether they are put together or drawn, and the answer for programs
// show those that are public, and no others.
func TestPublicFields(t *testing.T) {
	t.Parallel()
	s := newCachedSite(t)
	full := everywhere("")
	for _, f := range vault.Fields() {
		if f.Kind != vault.DateField {
			f.Set(&full, "the "+f.Label+" of somebody")
		}
	}
	check := func(c vault.Content) {
		t.Helper()
		s.holds(c)
		pages := map[string]string{"drawn": s.drawn(""), "read": s.page("", "text/html"), "put together": s.page("", "text/html"), "JSON": s.page("", "application/json")}
		if pages["drawn"] != pages["put together"] || pages["read"] != pages["put together"] {
			t.Errorf("%+v: the page put together is\n%s\ndrawn\n%s", c, pages["put together"], pages["drawn"])
		}
		for name, page := range pages {
			for _, f := range vault.Fields() {
				if shown := strings.Contains(page, f.Get(full)); shown != isShown(f, c) {
					t.Errorf("%s, %s is shown: %v\n%s", name, f.Key, shown, page)
				}
			}
		}
	}
	check(full)
	for _, f := range vault.Fields() {
		if c := full; f.Kind != vault.DateField {
			f.Set(&c, "")
			check(c)
		}
	}
}
