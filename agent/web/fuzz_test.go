package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzVisit visits with made-up paths, forms, cookies and languages: nothing breaks, and
// nobody sees what an account holds but with its session's cookie or the link that
// was mailed.
func FuzzVisit(f *testing.F) {
	s := newSite(f, nil)
	const address, title = "ada@example.com", "Diploma of Ada"
	c := s.addressed(address, title)
	s.ask(address)
	s.post(s.link(), url.Values{})
	base, err := url.Parse(s.address)
	s.check(err)
	cookies := s.browser.Jar.Cookies(base)
	if len(cookies) != 1 {
		f.Fatalf("%d cookies after signing in", len(cookies))
	}
	session := cookies[0]
	s.says(s.get("/me"), http.StatusOK, title)
	s.ask(address)
	secret := s.link()
	secret = secret[strings.LastIndexByte(secret, '/')+1:]

	for _, cookie := range []string{"", session.Name + "=", session.Name + "=" + session.Value[1:], session.Name + `="x"; ` + session.Name + "=y", "a=b;;=\x00", "\xff"} {
		for _, path := range []string{"/me", "/sign-in/x", "/sign-in/" + secret[1:], "/v/" + c.Reference, "/c/" + c.ShareToken[1:], "/apply", "/apply/confirm/%00", "/logo/1", "/assets/%2e%2e", "//me", "/v?q=" + c.Reference} {
			f.Add(false, path, cookie, "de;q=0.5, *;q=0", "")
		}
		f.Add(true, "/sign-in", cookie, "", "email=ada%40example.com")
		f.Add(true, "/sign-in/"+secret[1:], cookie, "x-y;;", "x")
		f.Add(true, "/sign-out", cookie, "", "")
		f.Add(true, "/c/"+c.ShareToken[1:], cookie, "en", "wish=%zz")
		f.Add(true, "/apply", cookie, "en", "full_name=A&title=B")
	}
	handler := s.handler(http.NotFoundHandler())
	f.Fuzz(func(t *testing.T, post bool, path, cookie, language, form string) {
		u, err := url.ParseRequestURI("/" + strings.TrimPrefix(path, "/"))
		if err != nil || strings.Contains(cookie, session.Value) || strings.Contains(u.Path, secret) || strings.Contains(path, c.ShareToken) {
			return
		}
		method := http.MethodGet
		if post {
			method = http.MethodPost
		}
		r := httptest.NewRequest(method, "/", strings.NewReader(form))
		r.URL, r.RequestURI = u, u.String()
		r.Header = http.Header{"Cookie": {cookie}, "Accept-Language": {language}, "Content-Type": {"application/x-www-form-urlencoded"}}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError {
			t.Errorf("%s %s: status %d\n%s", method, path, w.Code, w.Body)
		}
		if w.Header().Get("Set-Cookie") != "" && u.Path != "/sign-out" {
			t.Errorf("%s %s: a cookie for a stranger", method, path)
		}
		if strings.Contains(w.Body.String(), title) && !strings.HasPrefix(strings.ToLower(u.Path), "/v/") {
			t.Errorf("%s %s shows a stranger what an account holds", method, path)
		}
		if strings.Contains(w.Body.String(), address) && !strings.Contains(form, "ada") && !strings.Contains(u.RawQuery, "ada") {
			t.Errorf("%s %s shows a stranger the address of an account", method, path)
		}
	})
}
