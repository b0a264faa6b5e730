package httpserver

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestStripBasePath(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	for _, pattern := range []string{"/", "/api/x"} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, pattern+" "+r.URL.EscapedPath())
		})
	}
	for _, tt := range []struct{ base, path, want string }{
		{"https://host", "/a/b", "/ /a/b"},
		{"https://host/", "/a/b", "/ /a/b"},
		{"https://host/a", "/a/b", "/ /b"},
		{"https://host/a/", "/a/b%2Fc", "/ /b%2Fc"},
		{"https://host/a", "/a", "/ /a"},
		{"https://host/a", "/ab/c", "/ /ab/c"},
		{"https://host/a", "/b/a", "/ /b/a"},
		{"https://host/a%20b", "/a%20b/c%2Fd", "/ /c%2Fd"},
		{"https://host/a", "/a/api/x", "/api/x /api/x"},
		{"https://host/api", "/api/x", "/api/x /api/x"},
		{"https://host/api", "/api/y", "/ /y"},
		{"://", "/a/b", "/ /a/b"},
	} {
		r, w := httptest.NewRequest(http.MethodPost, tt.path, nil), httptest.NewRecorder()
		isOwn := func(r *http.Request) bool {
			_, pattern := mux.Handler(r)
			return pattern == "/api/x"
		}
		StripBasePath(func() string { return tt.base }, isOwn)(mux).ServeHTTP(w, r)
		if got := w.Body.String(); got != tt.want {
			t.Errorf("%s below %s: %s, want %s", tt.path, tt.base, got, tt.want)
		}
		if r.Pattern == "" || r.URL.EscapedPath() != tt.path {
			t.Errorf("%s below %s: the request is counted as %q of %s", tt.path, tt.base, r.Pattern, r.URL)
		}
	}
}
