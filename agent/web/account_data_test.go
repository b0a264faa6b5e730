package web_test

import (
	"errors"
	"net/http"
	"testing"
)

// Who is signed in downloads what is known of them, and nobody else does.
func TestPersonalData(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	if a := s.post("/me/data", nil); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/sign-in" {
		t.Errorf("without a session: %d to %q", a.StatusCode, a.Header.Get("Location"))
	}
	s.signsIn("ada@example.com")
	s.says(s.get("/me"), http.StatusOK, "Download my data", `action="/me/data"`)
	a := s.post("/me/data", nil)
	s.says(a, http.StatusOK, "all of ada@example.com")
	if a.Header.Get("Content-Type") != "application/zip" || a.Header.Get("Cache-Control") != "private, no-store" ||
		a.Header.Get("Content-Disposition") != `attachment; filename="personal-data.zip"` {
		t.Errorf("headers %v", a.Header)
	}
	if a := s.get("/me/data"); a.StatusCode != http.StatusNotFound && a.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a link downloads: %d", a.StatusCode)
	}
	if a := s.post("/me/data", nil, "Sec-Fetch-Site", "cross-site"); a.StatusCode != http.StatusForbidden {
		t.Errorf("another site's form downloads: %d", a.StatusCode)
	}
	s.noData = errors.New("the disk")
	s.says(s.post("/me/data", nil), http.StatusInternalServerError)
	s.noData = nil
	s.says(s.post("/me/data", nil), http.StatusOK, "all of ada@example.com")
}
