package contract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// stall begins an upload of the site's token, named by a key, that never goes on.
func (s *site) stall(key string) {
	s.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
	s.check(err)
	s.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nIdempotency-Key: %s\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n--x\r\n", vaultPath, s.token, key)
	s.check(err)
}

// waitUntilFull returns when an upload of the site's token is not answered any more.
func (s *site) waitUntilFull() {
	s.Helper()
	for range 50 {
		ctx, stop := context.WithTimeout(s.Context(), 200*time.Millisecond)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+vaultPath, strings.NewReader("x"))
		s.check(err)
		req.Header.Set("Authorization", "Bearer "+s.token)
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			err = resp.Body.Close()
		}
		stop()
		if errors.Is(err, context.DeadlineExceeded) {
			return
		}
		s.check(err)
	}
	s.Fatal("the uploads that stalled hold no slots")
}

// TestKeyInFlight says when to ask again for the answer to a call that is not over yet.
func TestKeyInFlight(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.stall("k")
	for range 100 {
		a := s.post(vaultPath, newForm(), header("Idempotency-Key", "k"))
		if a.status == http.StatusConflict {
			if got := a.header.Get("Retry-After"); got != "1" {
				t.Errorf("Retry-After is %q", got)
			}
			return
		}
		s.want(a, http.StatusUnprocessableEntity) // it came before the one that stalls
	}
	t.Error("a second call with a key is not refused")
}

// TestStalledUploads has 200 uploads of one token stand still. Another token, staff and the
// public are answered at once.
func TestStalledUploads(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	honest := s.as(s.newToken(permissions()...))
	for i := range 200 {
		s.stall(fmt.Sprint(i))
	}
	s.waitUntilFull()
	// A machine that is busy with other tests may be slow once; who waits for slots is slow
	// each time.
	quick := func(what string, call func(attempt int)) {
		t.Helper()
		var took []time.Duration
		for attempt := range 3 {
			begun := time.Now()
			call(attempt)
			took = append(took, time.Since(begun))
			if took[attempt] < 2*time.Second {
				return
			}
		}
		t.Errorf("%s took %v", what, took)
	}
	quick("another token's upload", func(attempt int) {
		honest.want(honest.post(vaultPath, newForm("certificate_title", fmt.Sprint("Diploma ", attempt), "full_name", "Ann", "applicant_email", "ann@example.com").
			file("certificate_file", "c.pdf", smallPDF("x"))), http.StatusCreated)
	})
	quick("a list of the same token", func(int) { s.want(s.get(vaultPath), http.StatusOK) })
	quick("a page", func(int) {
		resp, err := http.Get(s.base + "/")
		s.check(err)
		_, err = io.Copy(io.Discard, resp.Body)
		s.check(errors.Join(err, resp.Body.Close()))
	})
	quick("an upload of staff", func(attempt int) {
		staff, err := adminclient.New("http://vecctl.local", client.InProcess(s.agent.Handler()))
		s.check(err)
		body := smallPDF("y")
		_, err = staff.Upload(t.Context(), client.NewCertificate{
			Content: client.Content{Title: fmt.Sprint("Diploma ", attempt), Name: "Bob", Email: "bob@example.com"},
			File: client.Document{Name: "d.pdf", Size: int64(len(body)), Open: func() (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader(string(body))), nil
			}},
		}, nil)
		s.check(err)
	})
}
