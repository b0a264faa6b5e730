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
