package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/web"
)

// TestByHash asks by files' hashes, as programs do and as people without a script.
func TestByHash(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	c := s.seal(s.draft())
	ask := func(sum string) (web.VerifyAnswer, answer) {
		t.Helper()
		a := s.get("/v/by-hash/" + sum)
		var said web.VerifyAnswer
		if err := json.Unmarshal([]byte(a.body), &said); err != nil || a.Header.Get("Access-Control-Allow-Origin") != "*" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v, %v\n%s", sum, err, a.Header, a.body)
		}
		return said, a
	}
	sum := c.Verified.SHA256
	for _, asked := range []string{sum, strings.ToUpper(sum)} {
		said, a := ask(asked)
		if a.StatusCode != http.StatusOK || !said.Valid || said.ReferenceID != c.Reference || *said.Name != c.Name || *said.SHA256 != sum || *said.VerifyURL != s.address+"/v/"+c.Reference {
			t.Errorf("%d: %s", a.StatusCode, a.body)
		}
	}
	if said, a := ask(c.File.SHA256); a.StatusCode != http.StatusNotFound || said.Validity != "unknown" || said.Valid || *said.SHA256 != c.File.SHA256 || said.Institution != nil {
		t.Errorf("the document before: %d, %s", a.StatusCode, a.body)
	}
	for _, wrong := range []string{"x", sum[:63], sum + "0", strings.Repeat("g", 64)} {
		if _, a := ask(wrong); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, "64 hexadecimal digits") {
			t.Errorf("%s: %d, %s", wrong, a.StatusCode, a.body)
		}
	}
	for _, typed := range []string{sum, " " + strings.ToUpper(sum) + "  diploma.pdf"} {
		if a := s.get("/v?lang=de&reference=" + url.QueryEscape(typed)); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/v/"+c.Reference+"?lang=de" {
			t.Errorf("%s leads to %s (%d)", typed, a.Header.Get("Location"), a.StatusCode)
		}
	}
	s.says(s.get("/v?reference="+c.File.SHA256), http.StatusNotFound, "This file is not known here", c.File.SHA256, `name="reference"`)
	s.revoke(c, "In error")
	if said, _ := ask(sum); said.Valid || said.Validity != "revoked" || said.Revocation.Reason != "In error" {
		t.Errorf("revoked: %+v", said)
	}
	asked := 0
	for ; asked < 1000 && s.get("/v/by-hash/"+sum).StatusCode != http.StatusTooManyRequests; asked++ {
	}
	if a := s.get("/v/by-hash/" + sum); asked > 120 || a.Header.Get("Retry-After") == "" || !strings.Contains(a.body, "Too many requests") {
		t.Errorf("after %d questions: %d, %s", asked, a.StatusCode, a.body)
	}
	s.says(s.get("/v?reference="+sum), http.StatusTooManyRequests)
	s.ahead.Add(int64(time.Minute))
	if _, a := ask(sum); a.StatusCode != http.StatusOK {
		t.Errorf("a minute later: %d", a.StatusCode)
	}
}

// TestTypedReferences finds certificates by what people make of reference IDs.
func TestTypedReferences(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	c := s.issue(s.draft())
	number := strings.TrimPrefix(c.Reference, "VEC-IC-")
	for _, typed := range []string{
		"VEC–IC–" + number, "vec ic " + number[:4] + " " + number[4:], "VECIC" + strings.ReplaceAll(number, "0", "O"), number,
		s.address + "/v/" + c.Reference + "?lang=de", strings.ToUpper(s.address) + "/V/" + c.Reference,
	} {
		if a := s.get("/v?reference=" + url.QueryEscape(typed)); a.Header.Get("Location") != "/v/"+c.Reference {
			t.Errorf("%q leads to %q", typed, a.Header.Get("Location"))
		}
	}
	if a := s.get("/v/" + url.PathEscape("VEC–IC–"+strings.ToLower(number)) + "?lang=de"); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/v/"+c.Reference+"?lang=de" {
		t.Errorf("an address with dashes leads to %q (%d)", a.Header.Get("Location"), a.StatusCode)
	}
	s.says(s.get("/v/"+c.Reference), http.StatusOK, "Time of the check: 15 June 2026, 11:00 CEST", c.Verified.SHA256)
}

// TestInterruptedPages asks for pages while the agent stops, which ends the requests' contexts: a
// visitor who still waits never gets an empty page of status 200.
func TestInterruptedPages(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	c := s.seal(s.draft())
	pages := s.handler(http.NotFoundHandler())
	for _, path := range []string{"/v/" + c.Reference, "/v?ref=" + c.Verified.SHA256, "/v/by-hash/" + c.Verified.SHA256, "/c/" + c.ShareToken} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
		if w.Code == http.StatusOK && w.Body.Len() == 0 {
			t.Errorf("%s: an empty page of status 200", path)
		}
		t.Log(path, w.Code)
	}
}
