package intake

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vecctl/vecctl/pkg/pdf"
)

func TestFileName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ż", 300)
	tests := []struct {
		given  string
		format pdf.Format
		want   string
	}{
		{"a.pdf", pdf.PDF, "a.pdf"},
		{`C:\Users\me\Scan.JPG`, pdf.JPEG, "Scan.JPG"},
		{"../../etc/passwd.pdf", pdf.PDF, "passwd.pdf"},
		{"blob", pdf.PNG, "blob.png"},
		{"", pdf.PDF, "document.pdf"},
		{"..", pdf.PDF, "document.pdf"},
		{".pdf", pdf.PDF, "document.pdf"},
		{"a.b", pdf.PDF, "a.b"},
		{"a\r\nb:c\x00.pdf", pdf.PDF, "a__b_c_.pdf"},
		{"\xff.pdf", pdf.PDF, "_.pdf"},
		{"a\u202Efdp.pdf", pdf.PDF, "a_fdp.pdf"},
		{"Dr. Smith", pdf.PDF, "Dr. Smith.pdf"},
		{"x." + long, pdf.PDF, "x." + strings.Repeat("ż", 97) + ".pdf"},
		{long + ".pdf", pdf.PDF, strings.Repeat("ż", 98) + ".pdf"},
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
		got := fileName(given, pdf.PDF)
		if got == "" || len(got) > 255 || !utf8.ValidString(got) || strings.ContainsAny(got, "/\\:\x00\n") || strings.Trim(got, ".") == "" {
			t.Errorf("%q becomes %q", given, got)
		}
	})
}
