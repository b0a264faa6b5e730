package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// ask asks for a sign-in link.
func (s *site) ask(email string, headers ...string) answer {
	s.Helper()
	return s.post("/sign-in", url.Values{"email": {email}}, headers...)
}

// mails are those that were queued, newest first.
func (s *site) mails() []vault.Mail {
	s.Helper()
	found, err := s.store.ListMails(s.Context(), store.MailFilter{Institution: 1}, 1000)
	s.check(err)
	var links []vault.Mail
	for _, m := range found {
		if m.Kind == vault.MailSignIn {
			links = append(links, m)
		}
	}
	return links
}

// link is the path in the last mail.
func (s *site) link() string {
	s.Helper()
	all := s.mails()
	if len(all) == 0 {
		s.Fatal("no mail was queued")
	}
	return strings.TrimPrefix(all[0].Link, *s.base.Load())
}

// addressed issues a certificate to an address.
func (s *site) addressed(email, title string) vault.Certificate {
	d := s.draft()
	d.Email, d.Title = email, title
	return s.issue(d)
}

func TestSignUp(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, title := range []string{"First", "Second", "Third"} {
		s.addressed("Ada@Example.com", title)
	}
	s.addressed("bob@example.com", "Not hers")
	if a := s.get("/me"); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/sign-in" {
		t.Errorf("without a session: %d to %q", a.StatusCode, a.Header.Get("Location"))
	}
	s.says(s.ask(" ada@EXAMPLE.com "), http.StatusOK, "Look into your mail")
	link := s.link()
	if m := s.mails()[0]; m.To != "ada@EXAMPLE.com" || !strings.HasPrefix(link, "/sign-in/") || len(link) < 50 {
		t.Errorf("mail to %q with %q", m.To, link)
	}
	for range 2 { // looking does not use it up
		s.says(s.get(link), http.StatusOK, "Sign in on this device")
	}
	if _, err := s.store.AccountByEmail(t.Context(), "ada@example.com"); !fault.Is(err, fault.NotFound) {
		t.Errorf("looking made an account: %v", err)
	}
	a := s.post(link, nil)
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/me" {
		t.Fatalf("signed in: %d to %q", a.StatusCode, a.Header.Get("Location"))
	}
	cookie := a.Cookies()[0]
	if cookie.Name != "vecctl" || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Secure || cookie.MaxAge != 30*24*3600 {
		t.Errorf("cookie %+v", cookie)
	}
	mine := s.get("/me")
	s.says(mine, http.StatusOK, "First", "Second", "Third", "Certificates: 3", "ada@example.com", "Valid")
	s.hides(mine, "Not hers")
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		s.says(s.send(method, link, nil), http.StatusGone, "This link does not serve any more")
	}

	// What comes later is there at once.
	s.addressed("ada@example.com", "Fourth")
	s.says(s.get("/me"), http.StatusOK, "Fourth", "Certificates: 4")
	if a := s.post("/sign-out", nil); a.StatusCode != http.StatusSeeOther || a.Cookies()[0].MaxAge >= 0 {
		t.Errorf("signed out: %d, %v", a.StatusCode, a.Cookies())
	}
	if a := s.get("/me", "Cookie", "vecctl="+cookie.Value); a.StatusCode != http.StatusSeeOther {
		t.Errorf("the old cookie is good for %d", a.StatusCode)
	}
}

func TestLinksEnd(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.ask("ada@example.com")
	s.ahead.Store(int64(30 * time.Minute))
	s.says(s.post(s.link(), nil), http.StatusGone, "does not serve any more")
	for _, path := range []string{"/sign-in/x", "/sign-in/" + strings.Repeat("A", 43)} {
		s.says(s.post(path, nil), http.StatusGone)
		s.says(s.get(path), http.StatusGone)
	}
	s.ask("ada@example.com")
	s.says(s.post(s.link(), nil, "Sec-Fetch-Site", "cross-site"), http.StatusForbidden)
	if a := s.post(s.link(), nil); a.StatusCode != http.StatusSeeOther {
		t.Errorf("status %d", a.StatusCode)
	}
	s.says(s.get("/me"), http.StatusOK, "Nothing has been issued to your address yet")
	s.ahead.Add(int64(vault.SessionTTL))
	if a := s.get("/me"); a.StatusCode != http.StatusSeeOther {
		t.Errorf("a session that is over is good for %d", a.StatusCode)
	}
}

func TestSecureCookies(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	base := "https://certificates.example.edu"
	s.base.Store(&base)
	s.ask("ada@example.com")
	if !strings.HasPrefix(s.mails()[0].Link, base+"/sign-in/") {
		t.Errorf("the link is %q", s.mails()[0].Link)
	}
	cookie := s.post(s.link(), nil).Cookies()[0]
	if cookie.Name != "__Host-vecctl" || !cookie.Secure || cookie.Path != "/" || cookie.Domain != "" || !cookie.HttpOnly {
		t.Errorf("cookie %+v", cookie)
	}
}

// TestNobodyIsNamed compares the answers for addresses that are known, that have
// an account, and that nobody has ever heard of.
func TestNobodyIsNamed(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.addressed("known@example.com", "A title")
	s.ask("proven@example.com")
	s.post(s.link(), nil)
	s.browser = s.visitor()
	var first answer
	for i, email := range []string{"known@example.com", "proven@example.com", "nobody@example.com"} {
		a := s.ask(email)
		if i == 0 {
			first = a
			continue
		}
		a.Header.Del("Date")
		first.Header.Del("Date")
		if a.body != first.body || a.StatusCode != first.StatusCode || fmt.Sprint(a.Header) != fmt.Sprint(first.Header) {
			t.Errorf("%s gets another answer:\n%v\n%v", email, a.Header, first.Header)
		}
	}
	if n := len(s.mails()); n != 4 {
		t.Errorf("%d mails, want 4", n)
	}
	for _, bad := range []string{"", "ada", "ada@", "Ada <ada@example.com>", "a@b.c\r\nBcc: x@example.com", strings.Repeat("x", 300) + "@example.com"} {
		s.says(s.ask(bad), http.StatusUnprocessableEntity, "This is not an e-mail address")
	}
}

func TestLinksAreFew(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for range 8 {
		s.says(s.ask("Ada@example.com"), http.StatusOK, "Look into your mail")
	}
	if n := len(s.mails()); n != 5 {
		t.Errorf("%d links to one address, want 5", n)
	}
	for i := range 12 {
		s.says(s.ask(fmt.Sprintf("p%d@example.com", i)), http.StatusOK)
	}
	s.says(s.ask("one-more@example.com"), http.StatusTooManyRequests, "Too many requests")
	s.ahead.Add(int64(time.Hour))
	s.says(s.ask("ada@example.com"), http.StatusOK)
	if n := len(s.mails()); n != 18 {
		t.Errorf("%d links in all, want 18", n)
	}
}

func TestManyCertificates(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for i := range 51 {
		s.addressed("ada@example.com", fmt.Sprintf("Title number %d.", i))
	}
	s.ask("ada@example.com")
	s.post(s.link(), nil)
	first, second := s.get("/me"), s.get("/me?page=2")
	s.says(first, http.StatusOK, "Title number 50.", "Title number 1.", `href="/me?page=2"`)
	s.hides(first, "Title number 0.", "Newer")
	s.says(second, http.StatusOK, "Title number 0.", `href="/me?page=1"`)
	s.hides(second, "Title number 1.", "Older")
}
