package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/vecctl/vecctl/pkg/client"
)

// ask reads a handler's whole answer.
func ask(ctx context.Context, h http.HandlerFunc) ([]byte, error) {
	resp, err := client.InProcess(h).RoundTrip(httptest.NewRequestWithContext(ctx, http.MethodGet, "http://x/", nil))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// An answer is streamed while it is written: the reader has its beginning
// before the handler goes on.
func TestAnAnswerIsStreamed(t *testing.T) {
	read := make(chan struct{})
	transport := client.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Kind", "stream")
		w.WriteHeader(http.StatusAccepted)
		w.Header().Set("X-Kind", "changed too late")
		_, _ = io.WriteString(w, "first ")
		select {
		case <-read:
			_, _ = io.WriteString(w, "second")
		case <-r.Context().Done():
		}
	}))
	resp, err := transport.RoundTrip(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://x/y?a=b", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted || resp.Status != "202 Accepted" || resp.Header.Get("X-Kind") != "stream" {
		t.Errorf("status %d, header %v", resp.StatusCode, resp.Header)
	}
	first := make([]byte, len("first "))
	if _, err := io.ReadFull(resp.Body, first); err != nil {
		t.Fatal(err)
	}
	close(read)
	rest, err := io.ReadAll(resp.Body)
	if string(first)+string(rest) != "first second" || err != nil {
		t.Errorf("got %q, %v", string(first)+string(rest), err)
	}
}

// The caller's end ends the handler's context, before and after the answer has
// begun, and the caller does not wait for a handler that has not begun to answer.
func TestTheCallersEndReachesTheHandler(t *testing.T) {
	for _, answered := range []bool{false, true} {
		t.Run(fmt.Sprintf("answered %v", answered), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			begun, ended := make(chan struct{}), make(chan struct{})
			go func() {
				<-begun
				cancel()
			}()
			_, err := ask(ctx, func(w http.ResponseWriter, r *http.Request) {
				defer close(ended)
				if answered {
					_, _ = io.WriteString(w, "{")
				}
				close(begun)
				<-r.Context().Done()
			})
			if err == nil && !answered {
				t.Error("a call that was given up succeeded")
			}
			<-ended
		})
	}
}

func TestAHandlerThatPanics(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"before the answer": func(http.ResponseWriter, *http.Request) { panic("broken") },
		"within the answer": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"home": `)
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if body, err := ask(t.Context(), handler); err == nil {
				t.Errorf("%d bytes that broke off were taken for a whole answer", len(body))
			}
		})
	}
}
