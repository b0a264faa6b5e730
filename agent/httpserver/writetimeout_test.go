package httpserver

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestReadersThatStandStill ends responses that nobody reads, and not those that are read
// slowly, from memory and from a file.
func TestReadersThatStandStill(t *testing.T) {
	t.Parallel()
	const timeout, size = 400 * time.Millisecond, 32 << 20
	body := bytes.Repeat([]byte("x"), size)
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	server := httptest.NewServer(WriteTimeout(timeout)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(size))
		var err error
		if r.URL.Path == "/file" {
			var file *os.File
			if file, err = os.Open(path); err == nil {
				_, err = io.CopyN(w, file, size)
				_ = file.Close()
			}
		} else {
			_, err = w.Write(body)
		}
		ended <- err
	})))
	defer server.Close()
	ask := func(path string) net.Conn {
		t.Helper()
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	for _, path := range []string{"/memory", "/file"} {
		still := ask(path)
		select {
		case err := <-ended:
			if err == nil {
				t.Errorf("%s was sent to nobody", path)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: a reader that stands still is waited for", path)
		}
		_ = still.Close()

		slow := ask(path)
		if tcp, ok := slow.(*net.TCPConn); ok {
			_ = tcp.SetReadBuffer(64 << 10)
		}
		got, buffer := 0, make([]byte, 4<<20)
		for begun := time.Now(); ; {
			n, err := io.ReadAtLeast(slow, buffer, len(buffer))
			got += n
			if err != nil {
				break
			}
			if time.Since(begun) < 3*timeout {
				<-time.After(timeout / 4)
			}
		}
		_ = slow.Close()
		if err := <-ended; err != nil || got <= size {
			t.Errorf("%s: a slow reader got %d bytes: %v", path, got, err)
		}
	}
}
