package adminapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
)

// spaces is a body of spaces that counts how many were read.
type spaces struct{ left, read int64 }

// Read implements io.Reader.
func (s *spaces) Read(p []byte) (int, error) {
	n := min(int64(len(p)), s.left)
	if n == 0 {
		return 0, io.EOF
	}
	for i := range p[:n] {
		p[i] = ' '
	}
	s.left, s.read = s.left-n, s.read+n
	return int(n), nil
}

// A body without an end is not read to its end.
func TestBodiesHaveABound(t *testing.T) {
	t.Parallel()
	var failed error
	routes := (&Handler{Fail: func(w http.ResponseWriter, _ *http.Request, err error) {
		failed = err
		w.WriteHeader(http.StatusUnprocessableEntity)
	}}).Routes()
	body := &spaces{left: 2 * maxBody}
	w := httptest.NewRecorder()
	routes["POST /panel/retry"].ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/panel/retry", body))
	if message, _ := fault.Message(failed); !fault.Is(failed, fault.Invalid) || message != "the request is larger than 32 MB" {
		t.Errorf("got %v", failed)
	}
	if body.read > maxBody+1 {
		t.Errorf("%d bytes were read", body.read)
	}
}
