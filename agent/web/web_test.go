package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/vault"
)

func TestStandings(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	waiting, failed := s.accept(s.draft()), s.accept(s.draft())
	s.apply(failed, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Fail(vault.Failure{Code: "damaged", Reason: "internal reason"}, s.now())
	})
	genuine := s.issue(s.draft())
	revoked := s.revoke(s.issue(s.draft()), "Awarded in error")
	old, next := s.supersede(s.issue(s.draft()), s.draft())
	erased := s.apply(s.issue(s.draft()), func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		at := s.now()
		c.ErasedAt = &at
		return c, vault.Effects{}, nil
	})
	tests := []struct {
		c                      vault.Certificate
		standing, verdict      string
		status                 int
		issued                 bool
		more                   []string
		verifyAlone, shareOnly []string
	}{
		{c: genuine, standing: "genuine", verdict: "This certificate is genuine", issued: true},
		{c: revoked, standing: "revoked", verdict: "This certificate has been revoked", issued: true, more: []string{"Awarded in error", "15 June 2026"}},
		{c: old, standing: "superseded", verdict: "This certificate has been replaced", issued: true, more: []string{`<a href="/v/` + next.Reference + `">`}},
		{c: next, standing: "genuine", verdict: "This certificate is genuine", issued: true, more: []string{"Replaces", `<a href="/v/` + old.Reference + `">`}},
		{c: waiting, standing: "processing", verdict: "This certificate is still being processed"},
		{c: failed, standing: "failed", verdict: "This certificate was not issued"},
		{c: erased, standing: "withdrawn", verdict: "This certificate has been withdrawn"},
	}
	for _, tt := range tests {
		for _, path := range []string{"/v/" + tt.c.Reference, "/V/" + strings.ToLower(tt.c.Reference), "/c/" + tt.c.ShareToken} {
			a := s.get(path)
			s.says(a, http.StatusOK, append(tt.more, tt.verdict, `class="verdict `+tt.standing+`"`, "Northgate Institute")...)
			if tt.issued {
				s.says(a, http.StatusOK, tt.c.Name, tt.c.Title, "2 May 2026", tt.c.Reference)
			} else {
				s.hides(a, tt.c.Name, tt.c.Title, "internal reason")
			}
			s.hides(a, tt.c.Email, "internal reason")
		}
		var got struct {
			ReferenceID string          `json:"reference_id"`
			Status      string          `json:"status"`
			Valid       bool            `json:"valid"`
			Name        *string         `json:"full_name"`
			SHA256      *string         `json:"sha256"`
			Successor   *string         `json:"superseded_by"`
			Revocation  json.RawMessage `json:"revocation"`
		}
		a := s.get("/v/"+tt.c.Reference, "Accept", "application/json")
		s.check(json.Unmarshal([]byte(a.body), &got))
		if got.ReferenceID != tt.c.Reference || got.Status != tt.standing || got.Valid != (tt.standing == "genuine") ||
			(got.Name != nil) != tt.issued || (got.SHA256 != nil) != tt.issued || (got.Successor != nil) != (tt.standing == "superseded") ||
			(string(got.Revocation) != "null") != (tt.standing == "revoked") {
			t.Errorf("%s: %s", tt.standing, a.body)
		}
		s.hides(a, tt.c.Email, tt.c.ShareToken)
	}
	for _, path := range []string{"/v/VEC-IC-20260000000000000", "/v/x", "/v/" + genuine.UUID} {
		s.says(s.get(path), http.StatusNotFound, "There is no certificate with this reference ID")
		s.says(s.get(path, "Accept", "application/json"), http.StatusNotFound, `"status":"unknown"`)
	}
	for _, path := range []string{"/c/x", "/c/" + strings.ToUpper(genuine.ShareToken), "/c/" + genuine.UUID, "/c/x/certificate.pdf", "/c/x/page.png", "/c/", "/v/a/b"} {
		s.says(s.get(path), http.StatusNotFound, "There is no page at this address")
	}
}

// TestHeaders holds every page to what it may do and who may keep it.
func TestHeaders(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	c := s.issue(s.draft())
	for _, path := range []string{"/", "/v/" + c.Reference, "/v/x", "/c/" + c.ShareToken, "/c/x", "/sign-in", "/sign-in/x"} {
		a := s.get(path)
		policy := a.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") {
			t.Errorf("%s: policy %q", path, policy)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Robots-Tag": "noindex, nofollow",
			"Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8",
		} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		s.says(a, a.StatusCode, `<meta name="robots" content="noindex, nofollow">`, `<html lang="en">`)
		s.hides(a, " style=", "<style", " onclick", "javascript:", "<script>")
		for _, asset := range []string{".css", ".js", ".svg"} {
			address := linkTo(a.body, asset)
			if got := s.get(address); got.StatusCode != http.StatusOK || !strings.Contains(got.Header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s of %s: %d", asset, path, got.StatusCode)
			}
		}
	}
	s.says(s.get("/assets/x.css"), http.StatusNotFound)
	s.says(s.get("/business/batches"), http.StatusTeapot, "the API")
}

// linkTo is the address in quotes that has an ending.
func linkTo(body, ending string) string {
	for part := range strings.SplitSeq(body, `"`) {
		if strings.HasSuffix(part, ending) {
			return part
		}
	}
	return "/none"
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	c := s.revoke(s.issue(s.draft()), "Irrtum")
	for _, tt := range []struct{ query, accept, want string }{
		{"", "", "en"}, {"", "de-AT,de;q=0.9,en;q=0.5", "de"}, {"", "fr", "en"}, {"", "fr, de;q=0.3", "de"}, {"", "en-GB,de;q=0.9", "en"},
		{"?lang=de", "en", "de"}, {"?lang=en", "de", "en"}, {"?lang=xx", "de", "de"}, {"", ";;;", "en"}, {"", strings.Repeat("de,", 200), "en"},
	} {
		a := s.get("/v/"+c.Reference+tt.query, "Accept-Language", tt.accept)
		if tt.want == "de" {
			s.says(a, http.StatusOK, `<html lang="de">`, "Dieses Zertifikat wurde widerrufen", "2. Mai 2026", "15. Juni 2026")
		} else {
			s.says(a, http.StatusOK, `<html lang="en">`, "This certificate has been revoked", "2 May 2026")
		}
	}
	s.says(s.get("/v/"+c.Reference+"?lang=de"), http.StatusOK, `href="/me?lang=de"`)
	s.hides(s.get("/v/"+c.Reference), "lang=de&", `href="/me?`)
}

func TestPartialNamesAndLogo(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	c := s.issue(s.draft())
	s.change(func(i *vault.Institution) {
		i.PartialNames = true
		i.Logo = &vault.Logo{Type: "image/png", Data: []byte("a logo")}
	})
	for _, accept := range []string{"text/html", "application/json"} {
		a := s.get("/v/"+c.Reference, "Accept", accept)
		s.says(a, http.StatusOK, "Arash N.")
		s.hides(a, "Nikpour")
	}
	a := s.get("/c/" + c.ShareToken)
	s.says(a, http.StatusOK, "Arash Nikpour", `<img src="/logo/1?v=`)
	logo := s.get("/logo/1")
	if logo.body != "a logo" || logo.Header.Get("Content-Type") != "image/png" {
		t.Errorf("the logo is %q", logo.body)
	}
	for _, path := range []string{"/logo/2", "/logo/x", "/logo/-1"} {
		s.says(s.get(path), http.StatusNotFound)
	}
}

// TestPrefix links to pages below a path of their host, which is taken away before
// a request gets here.
func TestPrefix(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	c := s.issue(s.draft())
	base := s.address + "/certificates/"
	s.base.Store(&base)
	a := s.get("/v/" + c.Reference)
	s.says(a, http.StatusOK, `href="/certificates/me"`, "is genuine")
	style, below := strings.CutPrefix(linkTo(a.body, ".css"), "/certificates")
	if got := s.get(style); !below || got.StatusCode != http.StatusOK {
		t.Errorf("its style at %s: %d", style, got.StatusCode)
	}
	s.says(s.get("/certificates"), http.StatusTeapot)
	s.says(s.get("/certificates/v/"+c.Reference), http.StatusTeapot)
}

func TestShare(t *testing.T) {
	t.Parallel()
	drawn := 0
	s := newSite(t, func(context.Context, vault.Certificate) ([]byte, error) { drawn++; return []byte("a picture"), nil })
	c := s.issue(s.draft())
	here := "/c/" + c.ShareToken
	a := s.get(here)
	s.says(a, http.StatusOK, `<meta property="og:title" content="Certificate of Achievement">`, `<meta property="og:image" content="`+s.address+here+`/page.png">`,
		`<img src="`+here+`/page.png"`, "With distinction.", `value="`+s.address+here+`"`,
		"https://www.linkedin.com/profile/add?", "certId="+c.Reference, "issueMonth=5", "issueYear=2026", "organizationName=Northgate&#43;Institute", "Sign up")
	for range 2 {
		if p := s.get(here + "/page.png"); p.body != "a picture" || p.Header.Get("Content-Type") != "image/png" {
			t.Errorf("the picture is %q", p.body)
		}
	}
	if drawn != 1 {
		t.Errorf("drawn %d times", drawn)
	}
	d := s.get(here + "/certificate.pdf")
	if d.body != string(s.verified) || d.Header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(d.Header.Get("Content-Disposition"), "inline") ||
		d.Header.Get("X-Robots-Tag") == "" {
		t.Errorf("the document has %d bytes, %v", len(d.body), d.Header)
	}
	if d := s.get(here + "/certificate.pdf?download"); !strings.HasPrefix(d.Header.Get("Content-Disposition"), "attachment; filename=arash-"+c.Reference) {
		t.Errorf("the download is %q", d.Header.Get("Content-Disposition"))
	}
	if d := s.get(here+"/certificate.pdf", "Range", "bytes=0-3"); d.StatusCode != http.StatusPartialContent || d.body != "%PDF" {
		t.Errorf("a part: %d %q", d.StatusCode, d.body)
	}

	reshared := s.apply(c, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.ReplaceShareToken("another", s.now())
	})
	for _, path := range []string{here, here + "/certificate.pdf", here + "/page.png"} {
		s.says(s.get(path), http.StatusNotFound)
	}
	s.says(s.get("/c/another"), http.StatusOK, "is genuine")
	s.revoke(reshared, "In error")
	a = s.get("/c/another")
	s.says(a, http.StatusOK, "In error")
	s.hides(a, "linkedin.com", "certificate.pdf", "page.png")
	for _, path := range []string{"/c/another/certificate.pdf", "/c/another/page.png"} {
		s.says(s.get(path), http.StatusNotFound)
	}

	plain := newSite(t, nil)
	c = plain.issue(plain.draft())
	plain.says(plain.get("/c/"+c.ShareToken), http.StatusOK, `<iframe src="/c/`+c.ShareToken+`/certificate.pdf"`)
	plain.says(plain.get("/c/"+c.ShareToken+"/page.png"), http.StatusNotFound)
}

func TestCorrections(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	c := s.issue(s.draft())
	here := "/c/" + c.ShareToken
	wish := func(text string, headers ...string) answer {
		return s.post(here, url.Values{"correction": {text}}, headers...)
	}
	a := wish("My name\r\nhas two n.")
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != here+"?asked=1" {
		t.Errorf("led to %q (%d)", a.Header.Get("Location"), a.StatusCode)
	}
	s.says(s.get(a.Header.Get("Location")), http.StatusOK, "The institution has been asked for a correction")
	for _, text := range []string{"", " ", strings.Repeat("x", vault.MaxDetails+1), strings.Repeat("x", 100_000)} {
		s.says(wish(text), http.StatusUnprocessableEntity, "in at most 1000 characters")
	}
	s.says(wish("forged", "Sec-Fetch-Site", "cross-site"), http.StatusForbidden)
	s.says(s.post("/c/x", url.Values{"correction": {"lost"}}), http.StatusNotFound)
	found, err := s.store.Corrections(t.Context(), 1, true)
	s.check(err)
	if len(found) != 1 || found[0].Text != "My name\nhas two n." || found[0].Reference != c.Reference {
		t.Errorf("found %+v", found)
	}
	for range vault.MaxOpenCorrectionRequests - 1 {
		if a := wish("again"); a.StatusCode != http.StatusSeeOther {
			t.Errorf("one of few: %d", a.StatusCode)
		}
	}
	s.says(wish("too many"), http.StatusTooManyRequests)
}

func TestSearch(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for typed, want := range map[string]string{
		" vec-ic-20260000000000000 ": "/v/VEC-IC-20260000000000000", "VEC IC": "/v/VECIC", "a/b?c": "/v/A%2FB%3FC", "": "/", strings.Repeat("x", 500): "/",
	} {
		a := s.get("/v?reference=" + url.QueryEscape(typed))
		if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != want {
			t.Errorf("%q leads to %q (%d), want %q", typed, a.Header.Get("Location"), a.StatusCode, want)
		}
	}
	s.says(s.get("/"), http.StatusOK, `name="reference"`)
}

func TestNothingSecretIsLogged(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(context.Context, vault.Certificate) ([]byte, error) { return nil, bytes.ErrTooLarge })
	c := s.issue(s.draft())
	s.says(s.get("/c/"+c.ShareToken+"/page.png"), http.StatusNotFound)
	s.check(s.post("/sign-in", url.Values{"email": {c.Email}}).Body.Close())
	if got := s.logged.String(); got == "" || strings.Contains(got, c.ShareToken) || strings.Contains(got, c.Email) || strings.Contains(got, c.Name) {
		t.Errorf("logged %q", got)
	}
}

// TestChangesShowAtOnce changes what a page that was looked at says.
func TestChangesShowAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	c := s.issue(s.draft())
	look := func(texts ...string) {
		t.Helper()
		for range 2 {
			s.says(s.get("/v/"+c.Reference), http.StatusOK, texts...)
		}
	}
	look("is genuine", "Arash Nikpour", "Northgate Institute")
	s.change(func(i *vault.Institution) { i.Name, i.PartialNames = "Southgate", true })
	look("is genuine", "Arash N.", "Southgate")
	c = s.apply(c, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		c.Name = "Ada Lovelace"
		return c, vault.Effects{}, nil
	})
	look("Ada L.")
	_, next := s.supersede(c, s.draft())
	look("has been replaced", next.Reference)
	s.revoke(c, "In error")
	look("has been revoked", "In error")
}
