package vault_test

import (
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/vault"
)

func TestLinks(t *testing.T) {
	t.Parallel()
	links := vault.NewLinks("https://vé.example/base/", "https://xn--v-bga.example/base/")
	c := vault.Certificate{Identity: vault.Identity{Reference: "VEC-IC-2026AAAAAAAAAAAAA", ShareToken: "token"}}
	if got := links.Verify(c.Reference); got != "https://xn--v-bga.example/base/v/VEC-IC-2026AAAAAAAAAAAAA" {
		t.Errorf("the verification page is %s", got)
	}
	if got := links.Share(c); got != "https://vé.example/base/c/token" {
		t.Errorf("the share page is %s", got)
	}
	c.ShareToken = ""
	if got := links.Share(c); got != links.Verify(c.Reference) {
		t.Errorf("without a token the share page is %s", got)
	}
}

func TestVerifiedFileName(t *testing.T) {
	for file, want := range map[string]string{
		"ada.pdf": "ada-R.pdf", "ada.PNG": "ada-R.pdf", "ada.v2.pdf": "ada.v2-R.pdf", "ada": "ada-R.pdf", "": "-R.pdf",
		strings.Repeat("ж", 120) + ".pdf": strings.Repeat("ж", 75) + "-R.pdf",
		strings.Repeat("x", 300) + ".pdf": strings.Repeat("x", 150) + "-R.pdf",
	} {
		got := vault.Certificate{File: vault.File{Name: file}, Identity: vault.Identity{Reference: "R"}}.VerifiedFileName()
		if got != want {
			t.Errorf("%q becomes %q, want %q", file, got, want)
		}
	}
}
