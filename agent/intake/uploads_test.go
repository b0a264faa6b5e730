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
		{"a.pdf", pdf.FormatPDF, "a.pdf"},
		{`C:\Users\me\Scan.JPG`, pdf.FormatJPEG, "Scan.JPG"},
		{"../../etc/passwd.pdf", pdf.FormatPDF, "passwd.pdf"},
		{"blob", pdf.FormatPNG, "blob.png"},
		{"", pdf.FormatPDF, "document.pdf"},
		{"..", pdf.FormatPDF, "document.pdf"},
		{".pdf", pdf.FormatPDF, "document.pdf"},
		{"a.b", pdf.FormatPDF, "a.b"},
		{"a\r\nb:c\x00.pdf", pdf.FormatPDF, "a__b_c_.pdf"},
		{"\xff.pdf", pdf.FormatPDF, "_.pdf"},
		{"a\u202Efdp.pdf", pdf.FormatPDF, "a_fdp.pdf"},
		{"Dr. Smith", pdf.FormatPDF, "Dr. Smith.pdf"},
		{"x." + long, pdf.FormatPDF, "x." + strings.Repeat("ż", 97) + ".pdf"},
		{long + ".pdf", pdf.FormatPDF, strings.Repeat("ż", 98) + ".pdf"},
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
		got := fileName(given, pdf.FormatPDF)
		if got == "" || len(got) > 255 || !utf8.ValidString(got) || strings.ContainsAny(got, "/\\:\x00\n") || strings.Trim(got, ".") == "" {
			t.Errorf("%q becomes %q", given, got)
		}
	})
}
