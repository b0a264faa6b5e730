package web

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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
func (o *oneCertificate) Version(string) uint64 { return o.at }

// TestCachedPages compares pages that are put together with those that the template
// draws, byte by byte.
func TestCachedPages(t *testing.T) {
	t.Parallel()
	who := vault.Institution{ID: 1, Name: "Northgate <b>&amp;</b> \"Institute\"", TimeZone: "UTC"}
	f, err := layout.New(layout.Options{BaseURL: func() string { return "https://x.example/a&b" }, Current: func() vault.Institution { return who },
		AcceptsApplications: func(vault.Institution) bool { return true }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	v := &oneCertificate{}
	p, err := newVerifyPages(verifyOptions{Store: v, Layout: f, Institution: func(uint32) (vault.Institution, bool) { return who, true },
		VerifyURL: func(r string) string { return "https://x.example/a&b/v/" + r },
		Log:       slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	request := func(query string) string {
		r := httptest.NewRequest(http.MethodGet, "/v/"+v.c.Reference+query, nil)
		r.SetPathValue("reference", v.c.Reference)
		w := httptest.NewRecorder()
		p.serve(w, r)
		return w.Body.String()
	}
	drawn := func(query string) string {
		r := httptest.NewRequest(http.MethodGet, "/v/"+v.c.Reference+query, nil)
		view := f.PageContext(r, who)
		title := view.T("verdict.genuine")
		var out bytes.Buffer
		found := verifyResult{validity: vault.ValidityGenuine, certificate: v.c, institution: who}
		if err := f.Execute(&out, layout.Page{PageContext: view, Title: title}, p.page, p.data(view, found, title, v.c.Reference)); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for _, text := range []string{"Ada Lovelace", "<script>alert(1)</script>", `"onload="x' &amp; &`, "محمد\u202e علي", slotPlaceholder(sumSlot) + "x", "a\u2028b", "`${x}`"} {
		for _, partial := range []bool{false, true} {
			who.PartialNames = partial
			v.at++
			v.c = vault.Certificate{Identity: vault.Identity{Reference: "VEC-IC-20260123456789ABC"}, Institution: 1, Status: vault.Approved,
				Content: vault.Content{Title: text, Name: text, IssueDate: "2026-05-02"}, Verified: &vault.Verified{SHA256: strings.Repeat("ab", 32)}}
			v.reads = 0
			for range 3 {
				for _, query := range []string{"", "?lang=de"} {
					if got, want := request(query), drawn(query); got != want {
						t.Errorf("%q:\n%s\nwant\n%s", text, got, want)
					}
				}
			}
			if v.reads != 1 {
				t.Errorf("%q was read %d times", text, v.reads)
			}
		}
	}
	// An institution whose name holds a mark has its pages drawn.
	who.Name = "x" + string(slotMarker) + "a"
	if got, want := request(""), drawn(""); got != want || v.reads != 1 && v.reads != 2 {
		t.Errorf("with a mark in the institution's name:\n%s", got)
	}
}
