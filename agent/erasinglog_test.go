package agent

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Whose data cannot be erased is not in the log either, which nobody erases.
func TestTheLogDoesNotNameWhoCannotBeErased(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	a, err := Open(t.Context(), Options{
		Home: home.Dir(t.TempDir()), Institution: vault.Institution{Name: "University", TimeZone: "UTC"},
		Now: time.Now, Random: rand.Reader, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil { // so that nothing can be erased
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	a.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/panel/recipients/ada@example.org", nil))
	if answer.Code != http.StatusInternalServerError || !strings.Contains(log.String(), "a call failed") {
		t.Fatalf("the erasure did not fail: %d, %s", answer.Code, log.String())
	}
	if strings.Contains(log.String(), "ada") {
		t.Errorf("the log names who was to be erased: %s", log.String())
	}
}
