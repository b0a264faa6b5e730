package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKindsOfRealTables reads tables that LibreOffice wrote as a workbook, as an OpenDocument sheet
// and as text with semicolons: each kind comes out the same in all three.
func TestKindsOfRealTables(t *testing.T) {
	for kind, want := range map[string]struct{ rows, said, refused string }{
		"german":     {rows: "Anna Müller <anna.mueller@uni.example> 2026-06-01 anna.pdf|Jörg Weiß <joerg.weiss@uni.example> 2026-06-02 joerg.pdf"},
		"spanish":    {rows: "María José Núñez Ibáñez <maria@uni.example> 2026-06-01 maria.pdf|Íñigo de la Peña <inigo@uni.example> 2026-06-02 inigo.pdf"},
		"japanese":   {rows: "山田 太郎 <taro@uni.example> 2026-06-01 taro.pdf|佐藤 花子 <hanako@uni.example> 2026-06-02 hanako.pdf"},
		"monthnames": {rows: "Ann Lee <ann@uni.example> 2026-06-01 a.pdf|Bob Ray <bob@uni.example> 2026-06-02 b.pdf|Cem Ak <cem@uni.example> 2026-06-03 c.pdf|Dia Sen <dia@uni.example> 2026-06-04 d.pdf"},
		"mojibake": {
			rows: "Anna MÃ¼ller <anna@uni.example> 2026-06-01 a.pdf|Jos? Garc?a <jose@uni.example> 2026-06-01 b.pdf|N/A <na@uni.example> 2026-06-01 c.pdf",
			said: `probably means "Anna Müller"|row 2, column name (B3): "Jos? Garc?a" has a question mark in a word, as where a letter was lost|row 3, column name (B4): "N/A" is a placeholder, not a name`,
		},
		"paths": {
			rows: "Ann Lee <ann@uni.example> 2026-06-01 C:/Users/Ann/docs/a.pdf|Bob Ray <bob@uni.example> 2026-06-01 docs/b.pdf",
			said: `1 value is written with "mailto:"|2 values are written with backslashes|1 value is written with a name or in angle brackets`,
		},
		"zeros": {rows: "Ann Lee <ann@uni.example> 2026-06-01 123|Bob Ray <bob@uni.example> 2026-06-01 124"},
		"twins": {
			rows: "Ann Lee <family@uni.example> 2026-06-01 a.pdf|Eve Lee <family@uni.example> 2026-06-01 b.pdf",
			said: `(C3): found "family@uni.example", the address of another person, "Ann Lee" in row 1`,
		},
		"unused": {refused: `the column "Conferral" (D) holds dates and is not used`},
	} {
		for _, ext := range []string{".csv", ".ods", ".xlsx"} {
			name := "libreoffice_" + kind + ext
			data, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			m, err := Read(data, Options{Name: name})
			if err != nil {
				if want.refused == "" || !strings.Contains(err.Error(), want.refused) {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			if want.refused != "" {
				t.Errorf("%s was read", name)
			}
			var rows []string
			said := strings.Join(append(DescribeWarnings(m.Warnings()), m.Notes...), "\n")
			for _, r := range m.Rows {
				rows = append(rows, fmt.Sprintf("%s <%s> %s %s", r.Name, r.Email, r.IssueDate, r.File))
				for _, p := range r.Problems {
					said += "\n" + p.String()
				}
			}
			if got := strings.Join(rows, "|"); got != want.rows {
				t.Errorf("%s: %s", name, got)
			}
			for _, part := range strings.Split(want.said, "|") {
				if !strings.Contains(said, part) || want.said == "" && said != "" {
					t.Errorf("%s says %q, not %q", name, said, part)
				}
			}
		}
	}
	// The numbers whose zeros a spreadsheet dropped are still the files.
	data, err := os.ReadFile(filepath.Join("testdata", "libreoffice_zeros.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Read(data, Options{Name: "zeros.xlsx"})
	if err != nil {
		t.Fatal(err)
	}
	if found := MatchFiles(m, []string{"00123.pdf", "00124.pdf"}); found.ByRow[1] != "00123.pdf" || found.ByRow[2] != "00124.pdf" || len(found.Notes) == 0 {
		t.Errorf("files: %+v", found)
	}
}
