package manifest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The same table, as LibreOffice exports it in the encodings that people choose there.
func TestRealExports(t *testing.T) {
	const whole = "Anna Müller 2026-06-01|Jan Łucki 2026-06-02|Ayşe Çelik 2026-06-03"
	for _, tt := range []struct{ name, encoding, reads, want string }{
		{"libreoffice_utf8.csv", "", whole, ""},
		{"libreoffice_utf16.csv", "", whole, ""},
		{"libreoffice_cp1250.csv", "windows-1250", whole, ""},
		{"libreoffice_cp1250.csv", "", "", "windows-1250"},
		{"libreoffice_cp1252.csv", "", "Anna Müller 2026-06-01|Jan ?ucki 2026-06-02|Ay?e Çelik 2026-06-03", `"Ay?e Çelik" has a question mark in a word, as where a letter was lost`},
	} {
		data, err := os.ReadFile(filepath.Join("sheet", "testdata", tt.name))
		if err != nil {
			t.Fatal(err)
		}
		m, err := Read(data, Options{Name: tt.name, Encoding: tt.encoding})
		if tt.reads == "" {
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var rows []string
		for _, r := range m.Rows {
			rows = append(rows, r.Name+" "+string(r.IssueDate))
		}
		if got := strings.Join(rows, "|"); got != tt.reads {
			t.Errorf("%s: %s", tt.name, got)
		}
		if warnings := strings.Join(DescribeWarnings(m.Warnings()), "|"); !strings.Contains(warnings, tt.want) || tt.want == "" && warnings != "" {
			t.Errorf("%s: %s", tt.name, warnings)
		}
	}
}
