package bolt

import (
	"testing"

	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// A token that was read before it was changed is not remembered after.
func TestRememberedForgetsWhatWasChanged(t *testing.T) {
	t.Parallel()
	var r tokenCache
	_, age, ok := r.get("a")
	if ok {
		t.Fatal("a token is known from the beginning")
	}
	r.put("a", apiaccess.Token{ID: "1"}, age)
	if token, _, ok := r.get("a"); !ok || token.ID != "1" {
		t.Errorf("remembered %+v, %v", token, ok)
	}
	_, age, _ = r.get("b") // its reader is slow
	r.clear()
	if _, _, ok := r.get("a"); ok {
		t.Error("a token is known after a change")
	}
	r.put("b", apiaccess.Token{ID: "2"}, age)
	if _, _, ok := r.get("b"); ok {
		t.Error("a token is remembered as it was before a change")
	}
}
