package web_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// opened makes a site where people may apply.
func opened(t testing.TB, at vault.ApplicationPolicy) *site {
	t.Helper()
	s := newSite(t, nil)
	s.change(func(i *vault.Institution) { i.Policy = &at })
	return s
}

// anyone is what most tests let people apply for.
func anyone() vault.ApplicationPolicy {
	return vault.ApplicationPolicy{Who: vault.AnyoneMayApply, Titles: []string{"Certificate of Attendance", "Diploma"}}
}

// filled is a form that is in order.
func filled(changes ...string) map[string]string {
	form := map[string]string{"title": "Diploma", "name": "Ada Lovelace", "email": "ada@example.com", "details": "Two\r\nlines", "evidence": "%PDF-1.7 a transcript"}
	for i := 0; i < len(changes); i += 2 {
		form[changes[i]] = changes[i+1]
	}
	return form
}

// applies sends a form as a browser does; fields that hold "-" are left out.
func (s *site) applies(form map[string]string, headers ...string) answer {
	s.Helper()
	var sent bytes.Buffer
	parts := multipart.NewWriter(&sent)
	for _, name := range []string{"title", "own", "name", "email", "details"} {
		if value, ok := form[name]; ok && value != "-" {
			s.check(parts.WriteField(name, value))
		}
	}
	if form["evidence"] != "-" {
		w, err := parts.CreateFormFile("evidence", "transcript.pdf")
		s.check(err)
		_, err = io.WriteString(w, form["evidence"])
		s.check(err)
	}
	s.check(parts.Close())
	r, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.address+"/apply", &sent)
	s.check(err)
	r.Header.Set("Content-Type", parts.FormDataContentType())
	return s.do(r, headers...)
}

// confirmations are the paths in the mails that ask to confirm, newest first.
func (s *site) confirmations() (paths []string) {
	s.Helper()
	found, err := s.store.ListMails(s.Context(), store.MailFilter{Institution: 1}, 1000)
	s.check(err)
	for _, m := range found {
		if m.Kind == vault.MailConfirm {
			paths = append(paths, strings.TrimPrefix(m.Link, *s.base.Load()))
		}
	}
	return paths
}

// applications are those that count.
func (s *site) applications() []vault.Certificate {
	s.Helper()
	found, err := s.store.List(s.Context(), store.Filter{Institution: 1, Source: vault.FromCustomer}, 1, 100)
	s.check(err)
	return found.Certificates
}

// signsIn signs the site's browser in.
func (s *site) signsIn(email string) {
	s.Helper()
	s.ask(email)
	if a := s.post(s.link(), nil); a.StatusCode != http.StatusSeeOther {
		s.Fatalf("signing in: %d", a.StatusCode)
	}
}

func TestWhoMayApply(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, a := range []answer{s.get("/apply"), s.applies(filled()), s.get("/apply/x")} {
		s.says(a, http.StatusNotFound, "There is no page at this address")
	}
	s.hides(s.get("/"), "/apply")

	s.change(func(i *vault.Institution) {
		i.Policy = &vault.ApplicationPolicy{Who: vault.AccountsMayApply, Titles: []string{"Diploma"}}
	})
	s.says(s.get("/"), http.StatusOK, `<a href="/apply">Apply for a certificate</a>`)
	s.says(s.get("/?lang=de"), http.StatusOK, `<a href="/apply?lang=de">Zertifikat beantragen</a>`)
	s.says(s.get("/apply"), http.StatusOK, "Sign in to apply", `<a href="/sign-in">Sign in</a>`)
	s.says(s.applies(filled()), http.StatusForbidden, "Sign in to apply")
	s.signsIn("Ada@example.com")
	s.says(s.get("/apply"), http.StatusOK, "ada@example.com", "<option selected dir=\"auto\">Diploma</option>")
	s.hides(s.get("/apply"), `name="email"`, `name="own"`)
}

func TestApplyByMail(t *testing.T) {
	t.Parallel()
	s := opened(t, anyone())
	s.says(s.get("/apply"), http.StatusOK, `<option dir="auto">Certificate of Attendance</option>`, `enctype="multipart/form-data"`, `name="email"`)
	s.says(s.applies(filled()), http.StatusOK, "Look into your mail", "24 hours")
	if found := s.applications(); len(found) != 0 {
		t.Fatalf("%d applications count before the address is proven", len(found))
	}
	link := s.confirmations()[0]
	for range 2 { // looking does not use it up
		s.says(s.get(link), http.StatusOK, "Confirm your application", "Diploma", "Ada Lovelace", "<button")
	}
	s.says(s.post(link, nil, "Sec-Fetch-Site", "cross-site"), http.StatusForbidden)
	a := s.post(link, nil)
	s.says(a, http.StatusOK, "Your application has been received", `<a href="/me">`)
	if len(a.Cookies()) > 0 {
		t.Error("confirming signs in")
	}
	found := s.applications()
	if len(found) != 1 {
		t.Fatalf("%d applications", len(found))
	}
	c := found[0]
	if c.Title != "Diploma" || c.Name != "Ada Lovelace" || c.Email != "ada@example.com" || c.Details != "Two\nlines" || c.Status != vault.Pending ||
		c.Application.Proof != vault.ProvenByMail || c.Application.Evidence.Name != "transcript.pdf" {
		t.Errorf("the application is %+v", c)
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		s.says(s.send(method, link, nil), http.StatusGone, "This link does not serve any more", `<a href="/apply">`)
	}

	// A second one for the same title may be asked for, and not confirmed.
	s.says(s.applies(filled()), http.StatusOK, "Look into your mail")
	s.says(s.post(s.confirmations()[0], nil), http.StatusConflict, "You have applied for this already")
	s.says(s.applies(filled("title", "Certificate of Attendance")), http.StatusOK)
	late := s.confirmations()[0]
	s.change(func(i *vault.Institution) { i.Policy = nil })
	s.says(s.post(late, nil), http.StatusForbidden, "Nothing can be applied for here any more")
	s.ahead.Store(int64(vault.ConfirmationTTL))
	s.says(s.post(late, nil), http.StatusGone)
	s.says(s.get("/apply/confirm/x"), http.StatusGone)
}

func TestApplySignedIn(t *testing.T) {
	t.Parallel()
	s := opened(t, anyone())
	s.signsIn("Ada@example.com")
	s.hides(s.get("/me"), "My applications")
	a := s.applies(filled("email", "somebody-else@example.com"))
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/me?applied=1" {
		t.Fatalf("applied: %d to %q\n%s", a.StatusCode, a.Header.Get("Location"), a.body)
	}
	s.says(s.get("/me?applied=1"), http.StatusOK, "Your application has been received", "My applications", "Diploma", "Ada Lovelace", "15 June 2026", ">Received<")
	s.hides(s.get("/me"), "Your application has been received")
	c := s.applications()[0]
	if c.Email != "ada@example.com" || c.Application.Proof != vault.ProvenByAccount || len(s.confirmations()) != 0 {
		t.Errorf("the application is %+v", c)
	}
	s.says(s.applies(filled()), http.StatusConflict, "You have applied for this already", "Ada Lovelace", "Choose the file once more")
	s.says(s.get("/v/"+c.Reference), http.StatusNotFound, "There is no certificate")
	s.hides(s.get("/me"), "/c/"+c.ShareToken)

	c = s.apply(c, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.TakeInReview("ann", s.now())
	})
	s.says(s.get("/me"), http.StatusOK, ">In review<")
	s.apply(c, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Reject("ann", "The transcript is of <b>another</b> person.", s.now())
	})
	s.says(s.get("/me"), http.StatusOK, ">Not accepted<", "The transcript is of &lt;b&gt;another&lt;/b&gt; person.")
	s.hides(s.get("/me"), "ann")
	s.says(s.get("/me?lang=de"), http.StatusOK, "Meine Anträge", "Nicht angenommen", "15. Juni 2026")

	// Applied for anew, accepted, made.
	s.applies(filled())
	c = s.applications()[0]
	c = s.apply(c, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.ApproveApplication(vault.Approval{By: "ann", File: s.draft().File, IssueDate: "2026-06-15"}, s.now())
	})
	s.says(s.get("/me"), http.StatusOK, "Accepted; the certificate is being made")
	failed := s.apply(c, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Fail(vault.Failure{Code: "damaged", Reason: "internal reason"}, s.now())
	})
	s.says(s.get("/me"), http.StatusOK, "Accepted; making the certificate failed")
	s.hides(s.get("/me"), "internal reason")
	c = s.apply(failed, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Retry(vault.ByRetry, s.now())
	})
	c = s.approve(c, []byte("tail"))
	s.says(s.get("/me"), http.StatusOK, `<a href="/c/`+c.ShareToken+`"><bdi>Diploma</bdi></a>`, "Certificates: 1")
	s.revoke(c, "In error")
	s.says(s.get("/me"), http.StatusOK, `<span class="state revoked">Revoked</span>`)

	// What others applied for is not shown.
	s.browser = s.visitor()
	s.signsIn("bob@example.com")
	s.hides(s.get("/me"), "My applications")
}

func TestApplyingWrongly(t *testing.T) {
	t.Parallel()
	const again = "Choose the file once more"
	free := anyone()
	free.FreeTitle = true
	optional := anyone()
	optional.EvidenceOptional = true
	tests := []struct {
		name  string
		at    vault.ApplicationPolicy
		form  map[string]string
		field string // that the complaint leads to
		says  []string
		taken int64 // files that were kept
	}{
		{"no title", anyone(), filled("title", ""), "title", []string{"Choose what you apply for.", again}, 0},
		{"a title that is not offered", anyone(), filled("title", "Doctorate"), "title", []string{"Choose what you apply for."}, 0},
		{"an own title where none may be", anyone(), filled("title", "", "own", "Doctorate"), "title", []string{"Choose what you apply for."}, 0},
		{"two titles", free, filled("own", "Doctorate"), "own", []string{"not both", `value="Doctorate"`}, 0},
		{"no title of two kinds", free, filled("title", " ", "own", " "), "title", []string{"or write it on one line"}, 0},
		{"a long own title", free, filled("title", "", "own", strings.Repeat("x", 256)), "own", []string{"at most 255"}, 0},
		{"no name", anyone(), filled("name", " \t "), "name", []string{"Write your name", again}, 0},
		{"no field for the name", anyone(), filled("name", "-"), "name", []string{"Write your name"}, 0},
		{"a long name", anyone(), filled("name", strings.Repeat("ä", 256)), "name", []string{"at most 255", strings.Repeat("ä", 256)}, 0},
		{"a name of two lines", anyone(), filled("name", "Ada\nLovelace"), "name", []string{"on one line"}, 0},
		{"a name that is no text", anyone(), filled("name", "Ada \xff\xfe"), "name", []string{"Write your name", "Ada \ufffd"}, 0},
		{"a name with a zero byte", anyone(), filled("name", "Ada\x00"), "name", []string{"Write your name"}, 0},
		{"no address", anyone(), filled("email", ""), "email", []string{"This is not an e-mail address"}, 0},
		{"another header", anyone(), filled("email", "a@b.example\r\nBcc: c@d.example"), "email", []string{"This is not an e-mail address"}, 0},
		{"long details", anyone(), filled("details", strings.Repeat("x", 1001)), "details", []string{"at most 1000", strings.Repeat("x", 1001)}, 0},
		{"no evidence", anyone(), filled("evidence", "-"), "evidence", []string{"Choose a file as evidence."}, 0},
		{"evidence that is none", anyone(), filled("evidence", "MZ"), "evidence", []string{"This file cannot be used.", `<span lang="en">(the file is neither a PDF`}, 0},
		{"evidence that need not be and is none", optional, filled("evidence", "MZ"), "evidence", []string{"This file cannot be used."}, 0},
		{"large evidence", anyone(), filled("evidence", "%PDF"+strings.Repeat("x", vault.MaxFile)), "evidence", []string{"larger than 20 MB"}, 0},
		{"markup", anyone(), filled("name", `"><script>alert(1)</script>`, "email", ""), "email", []string{`value="&#34;&gt;&lt;script&gt;`}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := opened(t, tt.at)
			a := s.applies(tt.form)
			s.says(a, http.StatusUnprocessableEntity, append(tt.says, "<title>Not right yet: ", `<a href="#`+tt.field+`">`, `id="`+tt.field+`-bad"`, `aria-invalid="true"`)...)
			s.hides(a, "<script>alert")
			if tt.form["details"] == "Two\r\nlines" {
				s.says(a, a.StatusCode, ">\nTwo\nlines</textarea>")
			}
			if n := s.taken.Load(); n != tt.taken {
				t.Errorf("%d files were kept, want %d", n, tt.taken)
			}
			if n := len(s.confirmations()); n != 0 {
				t.Errorf("%d mails went out", n)
			}
			german := s.applies(tt.form, "Accept-Language", "de")
			s.says(german, http.StatusUnprocessableEntity, "Etwas stimmt noch nicht")
		})
	}
}

func TestApplyingFreely(t *testing.T) {
	t.Parallel()
	s := opened(t, vault.ApplicationPolicy{Who: vault.AnyoneMayApply, FreeTitle: true, EvidenceOptional: true})
	s.hides(s.get("/apply"), "<select", `id="evidence" name="evidence" required`)
	s.says(s.applies(filled("own", " Best in Show ", "evidence", "-")), http.StatusUnprocessableEntity, "not both")
	s.says(s.applies(filled("title", "-", "own", " Best in Show ", "evidence", "-", "details", "")), http.StatusOK, "Look into your mail")
	s.says(s.get(s.confirmations()[0]), http.StatusOK, "<dd dir=\"auto\">Best in Show</dd>")
}
