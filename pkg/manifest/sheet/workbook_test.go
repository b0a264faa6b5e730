package sheet

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/vecctl/vecctl/pkg/fault"
)

// xlsxBytes makes an XLSX file; make fills its first sheet, Sheet1.
func xlsxBytes(t testing.TB, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	fill(f)
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func row(t testing.TB, f *excelize.File, sheet, at string, cells ...any) {
	t.Helper()
	if err := f.SetSheetRow(sheet, at, &cells); err != nil {
		t.Fatal(err)
	}
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestWorkbook(t *testing.T) {
	data := xlsxBytes(t, func(f *excelize.File) {
		row(t, f, "Sheet1", "A1", "Title", "Name", "Date", "Born", "ID")
		row(t, f, "Sheet1", "A2", "Diploma", "Łucja", time.Date(2026, 6, 1, 15, 4, 0, 0, time.UTC), time.Date(2000, 2, 29, 0, 0, 0, 0, time.UTC), 1234567890123)
		row(t, f, "Sheet1", "A4", 2026, nil, 46174, nil, "x")
		row(t, f, "Sheet1", "A5", nil, "Ben", "1 June 2026")
		must(t, f.SetCellRichText("Sheet1", "A5", []excelize.RichTextRun{{Text: "Dip"}, {Text: "loma"}}), f.SetRowVisible("Sheet1", 5, false))
	})
	o := options()
	o.Hidden = HiddenRead
	s, err := Read(data, o)
	if err != nil {
		t.Fatal(err)
	}
	must(t, s.FormatCells(Formatting{Issued: 2, Dates: []int{2}, Shown: []int{3}}))
	want := "Title|Name|Date|Born|ID\nDiploma|Łucja|2026-06-01|02-29-00|1234567890123\n2026||2026-06-01||x\nDiploma|Ben|1 June 2026||"
	if shown(s) != want {
		t.Errorf("got\n%s\nwant\n%s", shown(s), want)
	}
	if s.Records[1].Row != 4 || !s.Records[1].RealDate || s.Records[2].RealDate || s.Name != "Sheet1" {
		t.Errorf("sheet %q, lines %+v", s.Name, s.Records)
	}
	if notes := strings.Join(s.Notes, "\n"); notes != "1 hidden row was read like the others" {
		t.Errorf("notes %q", notes)
	}
}

func TestDates1904(t *testing.T) {
	data := xlsxBytes(t, func(f *excelize.File) {
		on := true
		must(t, f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &on}))
		row(t, f, "Sheet1", "A1", "Title", "Date")
		row(t, f, "Sheet1", "A2", "D", 46174-1462)
	})
	s, err := Read(data, options())
	if err != nil {
		t.Fatal(err)
	}
	must(t, s.FormatCells(Formatting{Issued: 1, Dates: []int{1}}))
	if got := s.Records[0].Cells[1]; got != "2026-06-01" {
		t.Errorf("got %s", got)
	}
}

func TestMergedCells(t *testing.T) {
	data := xlsxBytes(t, func(f *excelize.File) {
		row(t, f, "Sheet1", "A1", "Title", "Name")
		row(t, f, "Sheet1", "A2", "Diploma", "Ann")
		row(t, f, "Sheet1", "A3", nil, "Ben")
		row(t, f, "Sheet1", "A4", nil, "Cay")
		must(t, f.MergeCell("Sheet1", "A2", "A3"))
	})
	s, err := Read(data, options())
	if err != nil {
		t.Fatal(err)
	}
	if want := "Title|Name\nDiploma|Ann\nDiploma|Ben\n|Cay"; shown(s) != want {
		t.Errorf("got\n%s\nwant\n%s", shown(s), want)
	}
}

func TestSheets(t *testing.T) {
	data := xlsxBytes(t, func(f *excelize.File) {
		for _, name := range []string{"Graduates", "Notes"} {
			_, err := f.NewSheet(name)
			must(t, err)
			row(t, f, name, "A1", "title", "name")
			row(t, f, name, "A2", "D", name)
		}
		f.SetActiveSheet(1)
		must(t, f.SetSheetVisible("Sheet1", false))
	})
	if s, err := Read(data, options()); err == nil || err.Error() != `2 sheets hold tables, "Graduates", "Notes": say which one is meant with --sheet, such as --sheet "Graduates"` {
		t.Errorf("sheet %+v, %v", s, err)
	}
	o := options()
	o.Sheet = "notes"
	s, err := Read(data, o)
	if err != nil || s.Name != "Notes" || s.Records[0].Cells[1] != "Notes" {
		t.Errorf("sheet %+v, %v", s, err)
	}
	o.Sheet = "Staff"
	if _, err = Read(data, o); err == nil || err.Error() != `there is no sheet "Staff": the sheets are "Sheet1", "Graduates", "Notes"` {
		t.Errorf("error %v", err)
	}
}

// archive makes a zip of the files given as name, content, name, content...
func archive(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestSpeed) })
	for i := 0; i < len(files); i += 2 {
		part, err := w.Create(files[i])
		must(t, err)
		_, err = io.WriteString(part, files[i+1])
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

// changed copies a workbook with one part replaced.
func changed(t testing.TB, data []byte, name string, change func(string) string) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	must(t, err)
	var files []string
	for _, f := range r.File {
		part, err := f.Open()
		must(t, err)
		text, err := io.ReadAll(part)
		must(t, err)
		if f.Name == name {
			text = []byte(change(string(text)))
		}
		files = append(files, f.Name, string(text))
	}
	return archive(t, files...)
}

func small(t testing.TB) []byte {
	return xlsxBytes(t, func(f *excelize.File) {
		row(t, f, "Sheet1", "A1", "title", "name")
		row(t, f, "Sheet1", "A2", "D", "Ann")
	})
}

func TestRefusedWorkbooks(t *testing.T) {
	const sheet, texts = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
	good := small(t)
	wide := xlsxBytes(t, func(f *excelize.File) {
		row(t, f, "Sheet1", "A1", "title", "name")
		row(t, f, "Sheet1", "XFD2", "D")
	})
	protected := xlsxBytes(t, func(f *excelize.File) { row(t, f, "Sheet1", "A1", "title", "name") })
	protected, err := excelize.Encrypt(protected, &excelize.Options{Password: "x"})
	must(t, err)
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"password", protected, "a workbook with a password"},
		{"old Excel", append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "W\x00o\x00r\x00k\x00b\x00o\x00o\x00k\x00"...), "(.xls)"},
		{"LibreOffice", archive(t, "mimetype", "application/vnd.oasis.opendocument.spreadsheet", "content.xml", "<x/>"), "no visible sheet"},
		{"text document", archive(t, "mimetype", "application/vnd.oasis.opendocument.text"), "not a spreadsheet"},
		{"binary workbook", archive(t, "xl/workbook.bin", ""), "(.xlsb)"},
		{"Numbers", archive(t, "Index/Document.iwa", ""), "Apple Numbers"},
		{"Word", archive(t, "word/document.xml", "<x/>"), "Word"},
		{"zip of PDFs", archive(t, "a.pdf", "%PDF"), "an archive, not a workbook"},
		{"cut off", good[:len(good)/2], "damaged"},
		{"no sheets", archive(t, "xl/workbook.xml", "<workbook/>"), "damaged"},
		{"cut off inside a sheet", changed(t, good, sheet, func(s string) string { return s[:strings.Index(s, "</row>")+6] }), "damaged"},
		{"a sheet that is no XML", changed(t, good, sheet, func(s string) string { return strings.Replace(s, "</c>", "<</c>", 1) }), "damaged"},
		{"column XFD", wide, "at most 256 columns"},
		{"bomb of text", changed(t, good, texts, func(string) string { return "<sst>" + strings.Repeat(" ", maxUnzipped) + "</sst>" }), "unpacks to more than 96 MB"},
		{"bomb of elements", changed(t, good, texts, func(string) string { return "<sst>" + strings.Repeat("<si/>", 150_000) + "</sst>" }), "more texts or styles"},
		{"empty sheet", xlsxBytes(t, func(*excelize.File) {}), "no headings"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Read(tt.data, options())
			if err == nil {
				t.Fatalf("read as\n%s", shown(s))
			}
			if !strings.Contains(err.Error(), tt.want) || !fault.Is(err, fault.Invalid) {
				t.Errorf("got %q, want %q in it", err, tt.want)
			}
		})
	}
}

// A row whose only cell is far to the right must not cost a row's full width of
// memory for each of its kind.
func TestFarCells(t *testing.T) {
	data := changed(t, small(t), "xl/worksheets/sheet1.xml", func(s string) string {
		var b strings.Builder
		for i := 3; i < 1400; i++ {
			fmt.Fprintf(&b, `<row r="%d"><c r="XFD%d" t="str"><v> </v></c></row>`, i, i)
		}
		return strings.Replace(s, "</sheetData>", b.String()+"</sheetData>", 1)
	})
	if _, err := Read(data, options()); err == nil || !strings.Contains(err.Error(), "at most 256 columns") {
		t.Errorf("error %v", err)
	}
}

func FuzzReadXLSX(f *testing.F) {
	good := small(f)
	r, err := zip.NewReader(bytes.NewReader(good), int64(len(good)))
	must(f, err)
	for _, file := range r.File {
		if isNeeded(strings.ToLower(file.Name)) {
			part, err := file.Open()
			must(f, err)
			text, err := io.ReadAll(part)
			must(f, err)
			f.Add(file.Name, text)
		}
	}
	f.Add("xl/worksheets/sheet1.xml", []byte(`<worksheet><sheetData><row r="3"><c r="B3" t="s"><v>9</v></c><c r="A3" s="7"><v>1e300</v></c></row></sheetData><mergeCells><mergeCell ref="A1:B9"/></mergeCells></worksheet>`))
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		s, err := Read(changed(t, good, name, func(string) string { return string(content) }), options())
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		if err := s.FormatCells((Formatting{Issued: 0, Dates: []int{0}, Shown: []int{1}})); err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatal(err)
		}
		for _, l := range s.Records {
			if len(l.Cells) < len(s.Header.Cells) || l.Row < 1 {
				t.Fatalf("line %+v", l)
			}
		}
	})
}
