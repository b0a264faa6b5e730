package client_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
)

// vaultAt is a client of a server.
func vaultAt(t *testing.T, answer http.HandlerFunc) *client.Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return newClient(t, server.URL, server.Client().Transport)
}

func newClient(t *testing.T, base string, network http.RoundTripper) *client.Client {
	t.Helper()
	c, err := client.New(base, "secret", network)
	if err != nil {
		t.Fatal(err)
	}
	return c.WithRetries(client.RetryPolicy{Attempts: 3, Sleep: func(context.Context, time.Duration) error { return nil }})
}

func leaflet() client.Document {
	const body = "%PDF-1.4"
	return client.Document{Name: "a.pdf", Size: int64(len(body)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil }}
}

// TestAnswerCutOff asks again where an answer broke off, as long as nothing can be
// made twice.
func TestAnswerCutOff(t *testing.T) {
	t.Parallel()
	calls := 0
	c := vaultAt(t, func(w http.ResponseWriter, _ *http.Request) {
		answer := `{"data":{"file_id":"f"}}`
		w.Header().Set("Content-Length", "24")
		if calls++; calls%2 == 1 {
			answer = answer[:12]
		}
		_, _ = io.WriteString(w, answer)
	})
	if _, err := c.UploadFile(t.Context(), leaflet(), "k", nil); err != nil || calls != 2 {
		t.Errorf("with a key: %v after %d calls", err, calls)
	}
	if _, err := c.UploadFile(t.Context(), leaflet(), "", nil); !fault.Is(err, fault.Unavailable) || calls != 3 {
		t.Errorf("without one: %v after %d calls", err, calls)
	}
}

// TestEndlessAnswer stops reading an answer that is larger than any of a vault.
func TestEndlessAnswer(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	c := vaultAt(t, func(w http.ResponseWriter, _ *http.Request) {
		block := bytes.Repeat([]byte(" "), 1<<20)
		for range 1 << 10 {
			n, err := w.Write(block)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}).WithRetries(client.RetryPolicy{})
	err := c.Call(t.Context(), http.MethodGet, "/endless", nil, new(any))
	if message, _ := fault.Message(err); !fault.Is(err, fault.Unavailable) || !strings.Contains(message, "larger than 64 MB") {
		t.Errorf("got %v", err)
	}
	if sent.Load() > 100<<20 {
		t.Errorf("%d MB were read", sent.Load()>>20)
	}
}

// TestNamelessAnswers takes no answer for a success that does not say what was made.
func TestNamelessAnswers(t *testing.T) {
	t.Parallel()
	c := vaultAt(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"data":{}}`) })
	_, one := c.Upload(t.Context(), client.NewCertificate{File: leaflet()}, nil)
	_, file := c.UploadFile(t.Context(), leaflet(), "", nil)
	_, batch := c.SubmitBulk(t.Context(), []client.BulkEntry{{Content: client.Content{Title: "T"}}}, "")
	for what, err := range map[string]error{"a certificate": one, "a file": file, "a batch": batch} {
		if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "cannot be read") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestMovedVault names the new address of a vault that has moved, and follows it nowhere
// with an upload or into the open.
func TestMovedVault(t *testing.T) {
	t.Parallel()
	home := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a call arrived elsewhere") }))
	defer home.Close()
	status := http.StatusMovedPermanently
	away := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, home.URL+r.URL.Path, status)
	})
	c := vaultAt(t, away)
	for _, status = range []int{http.StatusMovedPermanently, http.StatusTemporaryRedirect} {
		if _, err := c.UploadFile(t.Context(), leaflet(), "k", nil); err == nil || !strings.Contains(err.Error(), "has moved to "+home.URL) {
			t.Errorf("moved with %d: %v", status, err)
		}
	}
	secured := httptest.NewTLSServer(away)
	defer secured.Close()
	if _, err := newClient(t, secured.URL, secured.Client().Transport).Certificate(t.Context(), "u"); err == nil {
		t.Error("a call went into the open")
	}
}

// TestCopiedTokens forgives the white space that copying brings, and says so where a
// token is none.
func TestCopiedTokens(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer vec_x" {
			t.Errorf("the token went out as %q", got)
		}
		_, _ = io.WriteString(w, `[]`)
	}))
	defer server.Close()
	for token, sound := range map[string]bool{"vec_x": true, " vec_x\r\n": true, "vec_x\nvec_y": false, "vec_x y": false, "vec_ż": false} {
		c, err := client.New(server.URL, token, server.Client().Transport)
		if sound && err == nil {
			_, err = c.Templates(t.Context())
		}
		if sound != (err == nil) || !sound && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", token, err)
		}
	}
}
