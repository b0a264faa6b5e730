package layout_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/agent/web/layout"
	"github.com/vecctl/vecctl/pkg/vault"
)

// A page that fails is written down without what is secret in its address, and its
// visitor is told. A request that ended early is not written down; anyone who still waits is told to try again.
func TestRenderError(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	f, err := layout.New(layout.Options{
		Institutions: institutions.Fixed{Base: "https://x.example", All: []vault.Institution{{ID: 1, Name: "Northgate"}}}, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []bool{false, true} {
		log.Reset()
		ctx, cancel := context.WithCancel(t.Context())
		r, w := httptest.NewRequestWithContext(ctx, http.MethodGet, "/c/secret", nil), httptest.NewRecorder()
		if gone {
			cancel()
		}
		f.RenderError(w, r, errors.New("the disk hums"))
		cancel()
		said, noted := w.Body.String(), log.String()
		switch {
		case gone && (w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || said == "" || noted != ""):
			t.Errorf("of a request that ended early: status %d, %q, in the log: %q", w.Code, said, noted)
		case !gone && (w.Code != http.StatusInternalServerError || !strings.Contains(said, "Northgate") || strings.Contains(said, "disk")):
			t.Errorf("status %d: %s", w.Code, said)
		case !gone && (!strings.Contains(noted, "the disk hums") || !strings.Contains(noted, "path=/c ") || strings.Contains(noted, "secret")):
			t.Errorf("in the log: %s", noted)
		}
	}
}
