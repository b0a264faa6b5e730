package client_test

import (
	"reflect"
	"testing"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

// fill sets every field of a content to a text of its own.
func fill(content any) {
	v := reflect.ValueOf(content).Elem()
	for i := range v.NumField() {
		v.Field(i).SetString("the " + v.Type().Field(i).Name)
	}
}

// TestEntriesPerCall keeps bulk requests below the 1,000 fields that PHP takes.
func TestEntriesPerCall(t *testing.T) {
	t.Parallel()
	said := client.Content{Title: "Diploma", Name: "Ann", Email: "a@example.org"}
	more := said
	more.IssueDate, more.Details, more.ExternalID = "2026-06-01", "with honours", "S-1"
	for _, tt := range []struct {
		last client.BulkEntry
		want int
	}{
		{client.BulkEntry{Content: said}, 150},
		{client.BulkEntry{Content: said, QR: client.Placement{Page: 2}}, 90},
		{client.BulkEntry{Content: more}, 128},
		{client.BulkEntry{Content: more, QR: client.Placement{Page: 2}}, 81},
	} {
		if got := client.EntriesPerCall([]client.BulkEntry{{Content: said}, tt.last}); got != tt.want {
			t.Errorf("%d entries such as %+v, want %d", got, tt.last, tt.want)
		}
	}
}

// TestContent checks that nothing of what a certificate says is lost between the vault
// and its API.
func TestContent(t *testing.T) {
	t.Parallel()
	var stored vault.Content
	var sent client.Content
	fill(&stored)
	fill(&sent)
	if got := client.NewContent(stored); got != sent {
		t.Errorf("the API says %+v, want %+v", got, sent)
	}
	if got := sent.Vault(); got != stored {
		t.Errorf("the vault is told %+v, want %+v", got, stored)
	}
}
