package vault_test

import (
	"encoding/json"
	"testing"

	"github.com/vecctl/vecctl/pkg/vault"
)

// What a certificate and an application say is written down as by the versions
// before, which may open a home again after a newer one.
func TestStoredContent(t *testing.T) {
	t.Parallel()
	said := vault.Content{Title: "Diploma", Name: "Zoë <Z>", Email: "z@example.org", Details: "one\ntwo", IssueDate: "2026-06-01"}
	plain := vault.Content{Title: "Diploma", Name: "Ann", Email: "a@example.org"}
	for _, tt := range []struct {
		record any
		want   string
	}{
		{vault.Certificate{ID: 1, Status: vault.Approved, Content: said},
			`{"id":1,"UUID":"","Reference":"","ShareToken":"","institution":0,"source":"","trigger":"","status":"approved",` +
				`"title":"Diploma","name":"Zoë \u003cZ\u003e","email":"z@example.org","details":"one\ntwo","issue_date":"2026-06-01",` +
				`"file":{"name":"","format":"","size":0,"sha256":""},"created_at":"0001-01-01T00:00:00Z","updated_at":"0001-01-01T00:00:00Z"}`},
		{vault.ApplicationDraft{Content: plain}, `{"title":"Diploma","name":"Ann","email":"a@example.org"}`},
	} {
		got, err := json.Marshal(tt.record)
		if err != nil || string(got) != tt.want {
			t.Errorf("%T is written as\n%s (%v), want\n%s", tt.record, got, err, tt.want)
		}
	}
}
