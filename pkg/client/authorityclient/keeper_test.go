package authorityclient

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Whatever the authority answers, the program goes on: the status is unknown and the
// log is told why.
func TestAKeeperNeverFails(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"rubbish":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"an array":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("[]")) },
		"endless":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(strings.Repeat(" ", 2<<20))) },
		"nothing":   func(http.ResponseWriter, *http.Request) {},
		"an error":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"too many":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		"a refusal": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"broken":    func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		server := httptest.NewServer(handler)
		client, err := New(server.URL, "key", "store", http.DefaultTransport)
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		k := &BadgeKeeper{Client: client, Domain: "mystore.com", Log: func(doing string, err error) { said = append(said, doing+": "+err.Error()) }}
		if got := k.Status(t.Context()); got.Status != Unknown || len(said) != 1 {
			t.Errorf("%s: %+v, %v", name, got, said)
		}
		server.Close()
		k.Log = nil
		if got := k.Status(t.Context()); got.Status != Unknown {
			t.Errorf("%s, then gone: %+v", name, got)
		}
	}
}

func TestAnImpatientProgram(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	client, _ := New(server.URL, "key", "store", http.DefaultTransport)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if got := (&BadgeKeeper{Client: client, Domain: "d.com"}).Status(ctx); got.Status != Unknown {
		t.Errorf("%+v", got)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "vendweave.com", "ftp://vendweave.com", "http://", "::"} {
		if _, err := New(bad, "", "", nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
