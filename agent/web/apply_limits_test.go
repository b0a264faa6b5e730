package web_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// TestApplicationsAreFew holds callers, addresses and accounts to their limits.
func TestApplicationsAreFew(t *testing.T) {
	t.Parallel()
	at := anyone()
	at.FreeTitle = true
	s := opened(t, at)
	for range 7 { // what was answered tells nothing of the address
		s.says(s.applies(filled("email", "ADA@example.com")), http.StatusOK, "Look into your mail")
		s.says(s.applies(filled("name", "")), http.StatusUnprocessableEntity)
	}
	if n := len(s.confirmations()); n > 5 || n < 1 {
		t.Errorf("%d mails to one address", n)
	}
	for range 6 {
		s.applies(filled("email", "bob@example.com", "evidence", "-"))
	}
	taken := s.taken.Load()
	s.says(s.applies(filled("email", "carol@example.com")), http.StatusTooManyRequests, "Too many requests")
	if s.taken.Load() != taken {
		t.Error("a file was taken of a caller who is one too many")
	}
	s.ahead.Add(int64(time.Hour))

	s.signsIn("dora@example.com")
	own := []string{"One", "Two", "Three", "Four", "Five"}
	for _, title := range own {
		if a := s.applies(filled("title", "", "own", title)); a.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: %d\n%s", title, a.StatusCode, a.body)
		}
	}
	s.says(s.applies(filled("title", "", "own", "Six")), http.StatusTooManyRequests, "Too many of your applications wait", `value="Six"`)
	var titles []string
	for _, c := range s.applications() {
		titles = append(titles, c.Title)
	}
	slices.Sort(titles)
	if slices.Sort(own); !slices.Equal(titles, own) {
		t.Errorf("applications are %q", titles)
	}
}

// held is a body of which nothing comes until it is released.
type held struct{ asked, released chan struct{} }

func (h held) Read([]byte) (int, error) {
	h.asked <- struct{}{}
	<-h.released
	return 0, io.ErrUnexpectedEOF
}

// TestSlowCallersLeaveRoom has one caller send slowly; the fifth form of his is
// refused, and that of another is not.
func TestSlowCallersLeaveRoom(t *testing.T) {
	t.Parallel()
	s := opened(t, anyone())
	h := s.handler(http.NotFoundHandler())
	send := func(from string, body io.Reader) int {
		r := httptest.NewRequest(http.MethodPost, "/apply", body)
		r.RemoteAddr = from
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	slow := held{make(chan struct{}), make(chan struct{})}
	ended := make(chan int)
	for range 4 {
		go func() { ended <- send("[2001:db8::1]:1", slow) }()
		<-slow.asked
	}
	if status := send("[2001:db8::2]:1", strings.NewReader("--x--\r\n")); status != http.StatusTooManyRequests {
		t.Errorf("the fifth form at once: %d", status)
	}
	if status := send("192.0.2.7:1", strings.NewReader("--x--\r\n")); status != http.StatusUnprocessableEntity {
		t.Errorf("another caller's: %d", status)
	}
	// Many slow callers have one form each in the end, and leave room for a new one.
	const slowCallers = 14
	for i := range slowCallers {
		for range 4 {
			go func() { ended <- send(fmt.Sprintf("198.51.100.%d:1", i), slow) }()
			<-slow.asked
		}
	}
	for range 2 {
		go func() { ended <- send("198.51.100.100:1", slow) }()
		<-slow.asked
	}
	if status := send("198.51.100.100:1", strings.NewReader("--x--\r\n")); status != http.StatusTooManyRequests {
		t.Errorf("a third form of a caller when two are left: %d", status)
	}
	if status := send("192.0.2.8:1", strings.NewReader("--x--\r\n")); status != http.StatusUnprocessableEntity {
		t.Errorf("a new caller's: %d", status)
	}
	close(slow.released)
	for range 4 + 4*slowCallers + 2 {
		if status := <-ended; status != http.StatusBadRequest {
			t.Errorf("a form that breaks off: %d", status)
		}
	}
	if status := send("[2001:db8::1]:1", strings.NewReader("--x--\r\n")); status != http.StatusUnprocessableEntity {
		t.Errorf("afterwards: %d", status)
	}
}

// TestFullDisk answers forms in words for people while the agent takes nothing.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	s := opened(t, anyone())
	w := httptest.NewRecorder()
	s.pages.FailFull(w, httptest.NewRequest(http.MethodPost, "/apply", nil), fault.New(fault.Full, "the disk is full"))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "Nothing can be taken just now") {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
}

// TestNoApplicantIsNamed compares the answers for addresses that are known, that
// have applied, and that nobody has ever heard of.
func TestNoApplicantIsNamed(t *testing.T) {
	t.Parallel()
	s := opened(t, anyone())
	s.addressed("known@example.com", "Diploma")
	s.applies(filled("email", "applied@example.com"))
	s.post(s.confirmations()[0], nil)
	var first answer
	for i, email := range []string{"nobody@example.com", "known@example.com", "applied@example.com"} {
		a := s.applies(filled("email", email))
		a.Header.Del("Date")
		if i == 0 {
			first = a
		} else if a.body != first.body || a.StatusCode != first.StatusCode || !maps.EqualFunc(a.Header, first.Header, slices.Equal) {
			t.Errorf("%s gets another answer:\n%v\n%v", email, a.Header, first.Header)
		}
	}
}

// TestBrokenForms sends what is no form; the site's own errors show nowhere.
func TestBrokenForms(t *testing.T) {
	t.Parallel()
	s := opened(t, anyone())
	s.says(s.post("/apply", nil), http.StatusUnprocessableEntity, "Choose what you apply for.")
	s.says(s.applies(filled(), "Sec-Fetch-Site", "cross-site"), http.StatusForbidden)
	s.says(s.applies(filled(), "Content-Type", "text/plain"), http.StatusBadRequest, "did not arrive whole")
	s.check(s.store.Close())
	s.says(s.applies(filled()), http.StatusInternalServerError, "This page cannot be shown now")
	s.says(s.get("/apply/confirm/x"), http.StatusInternalServerError, "This page cannot be shown now")
	for _, secret := range []string{"Ada", "ada@example.com"} {
		if strings.Contains(s.logged.String(), secret) {
			t.Errorf("the log says %s: %s", secret, s.logged.String())
		}
	}
}
