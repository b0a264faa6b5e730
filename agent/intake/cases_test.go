package intake_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/pdf"
)

// A document that was cut off behind an object would be signed with blank pages.
func TestTruncatedDocumentIsRefused(t *testing.T) {
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "cases", "manifests", "truncated", "b4.pdf"))
	if os.IsNotExist(err) {
		t.Skip("the cases are not at hand")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pdf.Inspect(f, info.Size()); err == nil || !strings.Contains(err.Error(), "breaks off") {
		t.Errorf("got %v", err)
	}
}
