package intake

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vecctl/vecctl/pkg/pdf/kind"
)

func TestFileName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ż", 300)
	tests := []struct {
		given  string
		format kind.Kind
		want   string
	}{
		{"a.pdf", kind.PDF, "a.pdf"},
		{`C:\Users\me\Scan.JPG`, kind.JPEG, "Scan.JPG"},
		{"../../etc/passwd.pdf", kind.PDF, "passwd.pdf"},
		{"blob", kind.PNG, "blob.png"},
		{"", kind.PDF, "document.pdf"},
		{"..", kind.PDF, "document.pdf"},
		{".pdf", kind.PDF, "document.pdf"},
		{"a.b", kind.PDF, "a.b"},
		{"a\r\nb:c\x00.pdf", kind.PDF, "a__b_c_.pdf"},
		{"\xff.pdf", kind.PDF, "_.pdf"},
		{"a\u202Efdp.pdf", kind.PDF, "a_fdp.pdf"},
		{"Dr. Smith", kind.PDF, "Dr. Smith.pdf"},
		{"x." + long, kind.PDF, "x." + strings.Repeat("ż", 97) + ".pdf"},
		{long + ".pdf", kind.PDF, strings.Repeat("ż", 98) + ".pdf"},
	}
	for _, tt := range tests {
		if got := fileName(tt.given, tt.format); got != tt.want {
			t.Errorf("%q becomes %q, want %q", tt.given, got, tt.want)
		}
	}
}

func FuzzFileName(f *testing.F) {
	f.Add("a.pdf")
	f.Add(`..\..\x/. . .`)
	f.Fuzz(func(t *testing.T, given string) {
		got := fileName(given, kind.PDF)
		if got == "" || len(got) > 255 || !utf8.ValidString(got) || strings.ContainsAny(got, "/\\:\x00\n") || strings.Trim(got, ".") == "" {
			t.Errorf("%q becomes %q", given, got)
		}
	})
}
