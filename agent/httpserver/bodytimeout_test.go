package httpserver

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestBodyTimeout answers clients that announce a body and do not send it, whether or not
// it is wanted, and takes its time for those who sent theirs.
func TestBodyTimeout(t *testing.T) {
	t.Parallel()
	const patience = 3 * time.Second
	server := httptest.NewServer(BodyTimeout(patience)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refused" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			w.WriteHeader(http.StatusRequestTimeout)
			return
		}
		select {
		case <-r.Context().Done():
			w.WriteHeader(http.StatusTeapot)
		case <-time.After(patience + time.Second):
		}
	})))
	t.Cleanup(server.Close)
	for _, tt := range []struct {
		path, body string
		want       int
	}{
		{"/refused", "", http.StatusUnauthorized}, {"/refused", "half", http.StatusUnauthorized},
		{"/read", "", http.StatusRequestTimeout}, {"/read", "half", http.StatusRequestTimeout}, {"/read", "all of it", http.StatusOK},
	} {
		t.Run(tt.path+" "+tt.body, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			_, err = io.WriteString(conn, "POST "+tt.path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"+tt.body)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("%s %q: %v", tt.path, tt.body, err)
			}
			if err := resp.Body.Close(); err != nil || resp.StatusCode != tt.want {
				t.Errorf("%s %q: %s, %v", tt.path, tt.body, resp.Status, err)
			}
		})
	}
}
