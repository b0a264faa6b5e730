package manifest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/vecctl/vecctl/pkg/fault"
)

func workbook(t testing.TB, rows ...[]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, r := range rows {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &r); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReadWorkbook(t *testing.T) {
	june := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	data := workbook(t,
		[]any{"Title", "Student Name", "E-mail", "Date", "File", "Born"},
		[]any{"Diploma", "Łucja", "l@x.org", june, "a.pdf", time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC)},
		[]any{"Diploma", "Ben", "ben(at)x.org", "31 February 2026", "b.pdf"},
		[]any{"Diploma", "Cay", "c@x.org", nil, "c.pdf", nil, "stray"},
	)
	m, err := Read(data, Options{Name: "m.csv"})
	if err != nil {
		t.Fatal(err)
	}
	want := `row 2, column E-mail (C3): found "ben(at)x.org", in which "(at)" stands for the @, want an e-mail address such as name@example.org
row 2, column Date (D3): found "31 February 2026", want a date such as 2026-06-01, with a day that the calendar has
row 3, cell G4: found "stray", want nothing, for the column has no heading`
	if got := said(m); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if r := m.Rows[0]; string(r.IssueDate) != "2026-06-01" || r.Cells[3] != "2026-06-01" || m.Sheet != "Sheet1" || m.Delimiter != "" {
		t.Errorf("row %+v of %q", r, m.Sheet)
	}
	var b bytes.Buffer
	if err := WriteRejected(&b, m, map[int]string{1: "why"}); err != nil {
		t.Fatal(err)
	}
	if got := read(t, b.String(), Options{}).Rows[0]; got.IssueDate != "2026-06-01" || got.Name != "Łucja" {
		t.Errorf("read back as %+v", got)
	}
}

func TestWorkbookSwappedDates(t *testing.T) {
	data := workbook(t,
		[]any{"title", "name", "email", "date", "file"},
		[]any{"D", "Ann", "a@x.org", time.Date(2026, 1, 6, 0, 0, 0, 0, time.UTC), "a.pdf"},
		[]any{"D", "Ben", "b@x.org", "13/06/2026", "b.pdf"},
	)
	_, err := Read(data, Options{Name: "m.xlsx"})
	if err == nil || !strings.HasPrefix(err.Error(), `m.xlsx: column date (D): "13/06/2026" (row 2) is text while "2026-01-06" (row 1) is a date of the spreadsheet`) {
		t.Errorf("error %v", err)
	}
}

func FuzzReadCSV(f *testing.F) {
	for _, s := range []string{
		header + "D,Ann,a@x.org,1/6/2026,,a.pdf\n",
		"sep=;\r\ntitle;name;mail;file\r\n\r\n'=D;\"A\r\nnn\";a@x.org;../a.pdf\r\n",
		"\xff\xfet\x00i\x00t\x00l\x00e\x00,\x00f\x00i\x00l\x00e\x00",
		"title\tname\tmail\tfile\rD\t\xe9\x80\ta@x\t\"",
		header + "\"D\" x,\"\n\n,\",\x00,46174,,a\n",
	} {
		f.Add([]byte(s), "", "")
	}
	f.Fuzz(func(t *testing.T, data []byte, format, encoding string) {
		m, err := Read(data, Options{DateFormat: format, Encoding: encoding})
		if err != nil {
			message, ok := fault.Message(err)
			if !ok || !fault.Is(err, fault.Invalid) || len(message) > 8000 {
				t.Fatalf("error %q", err)
			}
			return
		}
		reasons := map[int]string{}
		last := 0
		for _, r := range m.Rows {
			if r.Number <= last || r.Line < 2 {
				t.Fatalf("row %d, line %d, after row %d", r.Number, r.Line, last)
			}
			last = r.Number
			for _, s := range []string{r.Title, r.Name, r.Email, r.Details, r.File, string(r.IssueDate)} {
				if !utf8.ValidString(s) || strings.TrimSpace(s) != s {
					t.Fatalf("value %q", s)
				}
			}
			if len(r.Problems) == 0 && (r.Title == "" || r.Name == "" || r.Email == "" || unsafeName(r.File) != "" || strings.ContainsRune(r.Name, 0)) {
				t.Fatalf("no complaint about %+v", r)
			}
			reasons[r.Number] = "why"
		}
		MatchFiles(m, []string{"a.pdf", "A.pdf", "b/c.pdf"})
		rejectedReadsBack(t, m, reasons, format)
	})
}

// rejectedReadsBack checks that rejected.csv holds the same rows.
func rejectedReadsBack(t *testing.T, m *Manifest, reasons map[int]string, format string) {
	var b bytes.Buffer
	if err := WriteRejected(&b, m, reasons); err != nil {
		t.Fatal(err)
	}
	again, err := Read(b.Bytes(), Options{DateFormat: format, Delimiter: m.Delimiter})
	if err != nil {
		t.Fatalf("rejected.csv: %v\n%q", err, b.String())
	}
	if len(again.Rows) != len(m.Rows) {
		t.Fatalf("%d rows became %d\n%q", len(m.Rows), len(again.Rows), b.String())
	}
	for i, r := range m.Rows {
		a := again.Rows[i]
		if len(r.Problems) == 0 && (a.Title != r.Title || a.Name != r.Name || a.Email != r.Email || a.File != r.File || a.IssueDate != r.IssueDate || len(a.Problems) > 0) {
			t.Fatalf("%+v became %+v", r, a)
		}
	}
}

func tenThousand() string {
	var b strings.Builder
	b.WriteString(header)
	for i := range 10_000 {
		fmt.Fprintf(&b, "Certificate of Achievement,Łucja Kowalska %d,student%d@university.example.org,2026-06-01,\"Awarded for outstanding performance, with honours\",certificates/student-%05d.pdf\n", i, i, i)
	}
	return b.String()
}

func BenchmarkReadCSV(b *testing.B) {
	data := []byte(tenThousand())
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if m, err := Read(data, Options{}); err != nil || len(m.Rows) != 10_000 || len(m.Problems()) > 0 {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadXLSX(b *testing.B) {
	m, err := Read([]byte(tenThousand()), Options{})
	if err != nil {
		b.Fatal(err)
	}
	rows := [][]any{{"title", "name", "email", "date", "details", "file"}}
	for _, r := range m.Rows {
		rows = append(rows, []any{r.Title, r.Name, r.Email, string(r.IssueDate), r.Details, r.File})
	}
	data := workbook(b, rows...)
	b.ReportAllocs()
	for b.Loop() {
		if m, err := Read(data, Options{}); err != nil || len(m.Rows) != 10_000 {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatchFiles(b *testing.B) {
	m, err := Read([]byte(tenThousand()), Options{})
	if err != nil {
		b.Fatal(err)
	}
	var names []string
	for _, r := range m.Rows {
		names = append(names, r.File)
	}
	b.ReportAllocs()
	for b.Loop() {
		if f := MatchFiles(m, names); len(f.ByRow) != 10_000 {
			b.Fatal(f.Problems[0])
		}
	}
}
