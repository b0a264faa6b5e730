package sheet

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// realFile reads a file that a spreadsheet program wrote, with its dates and file
// names as the manifest reads them.
func realFile(t *testing.T, name string, o Options) (*Sheet, error) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	must(t, err)
	s, err := Read(data, o)
	if err == nil {
		must(t, s.FormatCells(Formatting{Issued: 4, Dates: []int{4}, Padded: []int{5}}))
	}
	return s, err
}

// The same table, as LibreOffice, openpyxl and ExcelJS keep it.
func TestRealPrograms(t *testing.T) {
	const (
		german = "Titel|Name|Vorname|E-Mail|Ausstellungsdatum|Datei|Matrikel-Nr.\nDiplom|Müller|Anna|anna@example.org|2026-06-01|00123|1234567\n"
		second = "Diplom|Łucki|Jan|jan@example.org|2026-06-02|00124|7654321\n"
		third  = "Diplom|Çelik|Ayşe|ayse@example.org|2026-06-03|c.pdf|42"
		french = "Titre|Nom|Prénom|Courriel|Date de délivrance|Fichier\nLicence|Dupont|Zoé|zoe@example.org|2026-06-01|1.pdf\nLicence|Martin|Léa|lea@example.org|2026-06-02|2.pdf"
	)
	for _, tt := range []struct{ name, hidden, want string }{
		{"libreoffice_plain.ods", "", german + second + strings.TrimSuffix(third, "42")},
		{"libreoffice_plain.xlsx", "", german + second + strings.TrimSuffix(third, "42")},
		{"libreoffice_remarks.ods", "", german + second + third},
		{"libreoffice_remarks.xlsx", "", german + second + third},
		{"libreoffice_merged.ods", "", german + strings.Replace(second, "06-02", "06-01", 1) + third},
		{"libreoffice_merged.xlsx", "", german + strings.Replace(second, "06-02", "06-01", 1) + third},
		{"libreoffice_hidden.ods", HiddenRead, german + second + third},
		{"libreoffice_hidden.xlsx", HiddenSkip, german + third},
		{"openpyxl_hidden.xlsx", HiddenSkip, german + third},
		{"exceljs.xlsx", "", french},
		{"exceljs_hidden.xlsx", HiddenRead, french},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options()
			o.Hidden = tt.hidden
			s, err := realFile(t, tt.name, o)
			if err != nil {
				t.Fatal(err)
			}
			if shown(s) != tt.want {
				t.Errorf("got\n%s\nwant\n%s", shown(s), tt.want)
			}
			for _, r := range s.Records {
				if !r.RealDate || r.DateAt(4) == "" {
					t.Errorf("row %d: the date is no date", r.Row)
				}
			}
			if hides := strings.Contains(tt.name, "e_hidden") || strings.Contains(tt.name, "l_hidden"); hides != (len(s.HiddenColumns) == 1) {
				t.Errorf("hidden columns %v", s.HiddenColumns)
			}
		})
	}
}

// What a program leaves open is asked about.
func TestRealQuestions(t *testing.T) {
	const (
		hidden  = `Say whether they count with --hidden read (issue them too) or --hidden skip (leave them out)`
		reopen  = `: open the workbook in Excel or LibreOffice, save it there, and try again`
		choices = `2 sheets hold tables, "Urkunden", "Alt": say which one is meant with --sheet, such as --sheet "Urkunden"`
	)
	for name, want := range map[string]string{
		"libreoffice_hidden.ods":  `1 row is hidden or filtered out in the sheet "Sheet": row 3 ("Diplom", "Łucki", "Jan"). ` + hidden,
		"libreoffice_hidden.xlsx": `1 row is hidden or filtered out in the sheet "Sheet": row 3 ("Diplom", "Łucki", "Jan"). ` + hidden,
		"openpyxl_hidden.xlsx":    `1 row is hidden or filtered out in the sheet "Sheet": row 3 ("Diplom", "Łucki", "Jan"). ` + hidden,
		"exceljs_hidden.xlsx":     `1 row is hidden or filtered out in the sheet "Liste": row 3 ("Licence", "Martin", "Léa"). ` + hidden,
		"libreoffice_sheets.ods":  choices,
		"openpyxl_sheets.xlsx":    choices,
		"openpyxl_formula.xlsx":   `the cells A3, E3 and G4 are formulas whose results are not stored in the file` + reopen,
		"exceljs_formula.xlsx":    `the cell E3 is a formula whose result is not stored in the file` + reopen,
		"sheetjs_dates.xlsx":      `1 row is hidden or filtered out in the sheet "Graduates": row 3 ("Lee", "Ann", "ann@example.org"). ` + hidden,
	} {
		if _, err := realFile(t, name, options()); err == nil || err.Error() != want {
			t.Errorf("%s: got\n%v\nwant\n%s", name, err, want)
		}
	}
	o := options()
	o.Sheet, o.Hidden = "Alt", "perhaps"
	if _, err := realFile(t, "libreoffice_sheets.ods", o); err == nil || err.Error() != `--hidden "perhaps" is not known: use read or skip` {
		t.Error(err)
	}
	o.Hidden = ""
	if s, err := realFile(t, "libreoffice_sheets.ods", o); err != nil || s.Name != "Alt" {
		t.Errorf("%+v, %v", s, err)
	}
}

// SheetJS keeps dates of an ODS as numbers or as dates.
func TestSheetJSDates(t *testing.T) {
	for _, name := range []string{"sheetjs.ods", "sheetjs_formula.ods"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		must(t, err)
		s, err := Read(data, options())
		must(t, err)
		must(t, s.FormatCells(Formatting{Issued: 3, Dates: []int{3}}))
		if s.Records[0].Cells[3] != "2026-06-01" || !s.Records[1].RealDate {
			t.Errorf("%s: %+v", name, s.Records)
		}
	}
}

// odsBytes makes an ODS of the XML of its table's rows.
func odsBytes(t *testing.T, rows string) []byte {
	t.Helper()
	return archive(t, "mimetype", "application/vnd.oasis.opendocument.spreadsheet", "content.xml",
		`<office:document-content><office:body><office:spreadsheet><table:table table:name="S">`+rows+`</table:table></office:spreadsheet></office:body></office:document-content>`)
}

func TestODS(t *testing.T) {
	cell := func(text string) string {
		return `<table:table-cell office:value-type="string"><text:p>` + text + `</text:p></table:table-cell>`
	}
	head := `<table:table-row>` + cell("title") + cell("name") + `</table:table-row>`
	for _, tt := range []struct{ name, rows, want string }{
		{"spaces and spans", head + `<table:table-row>` + cell(`A<text:s text:c="2"/><text:span>B</text:span>`) + cell(`<text:a>x</text:a><text:line-break/>y`) + `</table:table-row>`, "title|name\nA  B|x\ny"},
		{"paragraphs", head + `<table:table-row>` + cell(`one</text:p><text:p>two`) + cell("z") + `</table:table-row>`, "title|name\none\ntwo|z"},
		{"a remark on a cell", head + `<table:table-row><table:table-cell><office:annotation><text:p>why</text:p></office:annotation><text:p>D</text:p></table:table-cell>` + cell("n") + `</table:table-row>`, "title|name\nD|n"},
		{"repeated", head + `<table:table-row table:number-rows-repeated="2">` + cell("D") + cell("n") + `</table:table-row><table:table-row table:number-rows-repeated="1048500"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>`, "title|name\nD|n\nD|n"},
		{"repeated cells", head + `<table:table-row><table:table-cell table:number-columns-repeated="2" office:value-type="string"><text:p>D</text:p></table:table-cell><table:table-cell table:number-columns-repeated="16382"/></table:table-row>`, "title|name\nD|D"},
	} {
		s, err := Read(odsBytes(t, tt.rows), options())
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if shown(s) != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, shown(s), tt.want)
		}
	}
	o := options()
	o.MaxRows = 5
	for _, tt := range []struct{ name, rows, want string }{
		{"too many rows", head + `<table:table-row table:number-rows-repeated="1000000000">` + cell("D") + cell("n") + `</table:table-row>`, "more than 5 rows"},
		{"too many columns", head + `<table:table-row><table:table-cell table:number-columns-repeated="1000000000" office:value-type="string"><text:p>D</text:p></table:table-cell></table:table-row>`, "at most 256 columns are read"},
		{"no stored result", head + `<table:table-row>` + cell("D") + `<table:table-cell table:formula="of:=A1"/></table:table-row>`, "the cell B2 is a formula"},
		{"cut off", head + `<table:table-row`, "damaged"},
		{"no rows", "", "no headings"},
	} {
		if _, err := Read(odsBytes(t, tt.rows), o); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	locked := archive(t, "mimetype", "application/vnd.oasis.opendocument.spreadsheet", "META-INF/manifest.xml", "<manifest:encryption-data/>", "content.xml", "\x01\x02")
	if _, err := Read(locked, options()); err == nil || !strings.Contains(err.Error(), "password") {
		t.Error(err)
	}
}

func FuzzReadODS(f *testing.F) {
	f.Add(`<table:table-row><table:table-cell table:number-rows-spanned="3"><text:p>title</text:p></table:table-cell></table:table-row>`)
	f.Add(`<table:table-row table:number-rows-repeated="9999999"><table:table-cell table:number-columns-repeated="9" office:date-value="2026-06-01T"><text:p>x<text:s text:c="99999999"/></text:p></table:table-cell></table:table-row></table:table><table:table>`)
	f.Fuzz(func(t *testing.T, rows string) {
		s, err := Read(odsBytes(t, rows), options())
		if err != nil {
			return
		}
		must(t, s.FormatCells(Formatting{Issued: 0, Dates: []int{0}}))
		for _, l := range s.Records {
			if len(l.Cells) < len(s.Header.Cells) || l.Row < 1 {
				t.Fatalf("line %+v", l)
			}
		}
	})
}
