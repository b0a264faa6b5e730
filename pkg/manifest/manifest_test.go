package manifest

import (
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
)

const header = "certificate_title,full_name,applicant_email,issue_date,details,file\n"

func read(t *testing.T, text string, opts Options) *Manifest {
	t.Helper()
	m, err := Read([]byte(text), opts)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	return m
}

func said(m *Manifest) string {
	var lines []string
	for _, p := range m.Problems() {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

func TestReadRow(t *testing.T) {
	m := read(t, header+"  Diploma , Łucja Żółć ,Lucja@Example.org,2026-06-01,\"two\nlines\",a.pdf\n", Options{Name: "m.csv"})
	if s := said(m); s != "" {
		t.Fatal(s)
	}
	r := m.Rows[0]
	got := []string{r.Title, r.Name, r.Email, string(r.IssueDate), r.Details, r.File}
	want := []string{"Diploma", "Łucja Żółć", "Lucja@Example.org", "2026-06-01", "two\nlines", "a.pdf"}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("cell %d: got %q, want %q", i, got[i], want[i])
		}
	}
	if r.Number != 1 || r.Line != 2 || m.Delimiter != "," || m.Encoding != "utf-8" {
		t.Errorf("number %d, line %d, delimiter %q, encoding %q", r.Number, r.Line, m.Delimiter, m.Encoding)
	}
	if r.Cells[0] != "  Diploma " {
		t.Errorf("cells are not as given: %q", r.Cells[0])
	}
}

func TestNFC(t *testing.T) {
	m := read(t, header+"D,Ame\u0301lie,a@x.org,,,e\u0301.pdf\n", Options{})
	if r := m.Rows[0]; r.Name != "Amélie" || r.File != "é.pdf" {
		t.Errorf("name %q, file %q", r.Name, r.File)
	}
}

func TestHeadings(t *testing.T) {
	tests := []struct {
		name, header string
		given        map[string]string
	}{
		{"other order and case", "FILE,Full_Name,APPLICANT-EMAIL,Certificate Title,Issue Date", nil},
		{"common names", "Filename,Student Name,E-Mail,Title,Date", nil},
		{"accents, stars and remarks", "Document (PDF),Náme *,Email address:,Certificate  Title (max 255),Issued on", nil},
		{"mapped", "Datei,Name,Mail,Title,Date", map[string]string{"datei": "file"}},
		{"mapped against a double", "file,name,mail,title,date", map[string]string{"file": "file"}},
		{"map settles a double", "path,name,mail,title,date,document", map[string]string{"path": "file"}},
		{"map by alias", "Datei,name,mail,title,date", map[string]string{"Datei": "filename"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			extra := strings.Repeat(",x", strings.Count(tt.header, ",")-4)
			m := read(t, tt.header+"\na.pdf,Ann,a@x.org,Diploma,2026-06-01"+extra+"\n", Options{Map: tt.given})
			r := m.Rows[0]
			if r.File != "a.pdf" || r.Name != "Ann" || r.Email != "a@x.org" || r.Title != "Diploma" || r.IssueDate != "2026-06-01" {
				t.Errorf("row %+v", r)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	rows := "D,Ann,a@x.org,,,a.pdf\n"
	tests := []struct {
		name, text string
		opts       Options
		want       string
	}{
		{"empty", " \r\n", Options{}, "m.csv: the file is empty: it needs a line of headings and one row for each certificate"},
		{"headings only", header, Options{}, "m.csv: there are headings but no rows: add one row for each certificate"},
		{"headings and blank rows", header + "\n,,,,,\n", Options{}, "m.csv: there are headings but no rows: add one row for each certificate"},
		{"a title above the headings", "University of Example,,\n\nName,E-Mail,Title,File\nAnn,a@x.org,Diploma,a.pdf\n", Options{}, `m.csv: no headings: the first line must name the columns certificate_title, full_name, applicant_email, issue_date, details, external_id, expiry_date, file; found "University of Example". Line 3 looks like the headings: remove the lines above it`},
		{"no headings", "Diploma,Ann,a@x.org,,,a.pdf\n" + rows, Options{}, `m.csv: no headings: the first line must name the columns certificate_title, full_name, applicant_email, issue_date, details, external_id, expiry_date, file; found "Diploma", "Ann", "a@x.org", "a.pdf"`},
		{"missing, with a near one", "title,name,aplicant_emial,file\nD,Ann,a@x.org,a.pdf\n", Options{}, `m.csv: no column for applicant_email: the nearest heading is "aplicant_emial" (column 3). Rename it to applicant_email, or use --map "aplicant_emial=applicant_email"`},
		{"missing", "title,name,file\nD,Ann,a.pdf\n", Options{}, `m.csv: no column for applicant_email: the columns are "title", "name", "file". Add it, or say which one it is with --map COLUMN=applicant_email`},
		{"double", "title,name,email,file,Document\nD,Ann,a@x.org,a.pdf,b\n", Options{}, `m.csv: the headings "file" (column 4) and "Document" (column 5) both mean file: rename one, or say which with --map "file=file"`},
		{"unknown delimiter", "title|name|email|file\nD|Ann|a@x.org|a.pdf\n", Options{}, `m.csv: the cells are separated by "|": use a comma, a semicolon or a tab`},
		{"one column", "title\nD\n", Options{}, `m.csv: no delimiter found: the first line, "title", must name the columns certificate_title, full_name, applicant_email, issue_date, details, external_id, expiry_date, file, separated by comma, semicolon or tab`},
		{"bad delimiter option", header + rows, Options{Delimiter: "|"}, `m.csv: --delimiter "|" is not known: use ",", ";" or tab`},
		{"bad sep line", "sep=|\n" + header + rows, Options{}, `m.csv: the first line says that "|" separates the cells: use a comma, a semicolon or a tab`},
		{"bad encoding option", header + rows, Options{Encoding: "ebcdic"}, `m.csv: --encoding "ebcdic" is not known: use one of ` + Encodings},
		{"long option", header + rows, Options{Encoding: strings.Repeat("x", 500)}, `m.csv: --encoding "` + strings.Repeat("x", 57) + `..." is not known: use one of ` + Encodings},
		{"map of no column", header + rows, Options{Map: map[string]string{"Datei": "file"}}, `m.csv: --map "Datei=file": there is no column "Datei". The columns are "certificate_title", "full_name", "applicant_email", "issue_date", "details", "file"`},
		{"map to no field", header + rows, Options{Map: map[string]string{"file": "nonsense"}}, `m.csv: --map "file=nonsense": "nonsense" is not a field: use one of certificate_title, full_name, applicant_email, issue_date, details, external_id, expiry_date, file, or - for a column that is not used`},
		{"map to one field twice", header + rows, Options{Map: map[string]string{"file": "details", "details": "details"}}, `m.csv: --map gives details two columns, "details" and "file": name one, or join them with --map "details + file=details"`},
		{"bad date format", header + rows, Options{DateFormat: "%d/%m/%Y"}, `m.csv: --date-format "%d/%m/%Y" is not known: use YYYY-MM-DD, DD/MM/YYYY, MM/DD/YYYY or D.M.YYYY, with any of / - . between`},
		{"open quote", header + rows + "D,\"Ann,a@x.org,,,b.pdf\n" + rows, Options{}, `m.csv: line 3: the quote that opens column 2 is never closed, so the rest of the file cannot be split into rows. Close it, or double it if it belongs to the text`},
		{"too many rows", header + rows + rows, Options{MaxRows: 1}, "m.csv: more than 1 rows: split the manifest into several"},
		{"NUL in the headings", "title,na\x00me,email,file\nD,Ann,a@x.org,a.pdf\n", Options{}, "m.csv: line 1, the headings: found a NUL byte in the heading of column 2. Is this a CSV or XLSX file? If so, save it again"},
		{"PDF", "%PDF-1.7\n", Options{}, "m.csv: this is a PDF, not a manifest: give the CSV or XLSX file that lists the certificates"},
		{"XLS", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Options{}, "m.csv: this is a workbook of the old Excel format (.xls): save it as .xlsx or as CSV (UTF-8) and try again"},
		{"HTML named .xls", "\n<html><table>", Options{}, "m.csv: this is a web page or an XML file, whatever its name says: open it in a spreadsheet program and save it as .xlsx or as CSV (UTF-8) and try again"},
		{"stdin", header, Options{Name: "-"}, "standard input: there are headings but no rows: add one row for each certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.opts.Name == "" {
				tt.opts.Name = "m.csv"
			}
			m, err := Read([]byte(tt.text), tt.opts)
			if err == nil {
				t.Fatalf("read %d rows", len(m.Rows))
			}
			if message, ok := fault.Message(err); !ok || message != tt.want || !fault.Is(err, fault.Invalid) {
				t.Errorf("got  %s\nwant %s", err, tt.want)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	long := func(n int) string { return strings.Repeat("ü", n) }
	tests := []struct{ name, rows, want string }{
		{"e-mail", "D,Ann,anna(at)x,,,a.pdf", `row 1, column applicant_email (C2): found "anna(at)x", in which "(at)" stands for the @, want an e-mail address such as name@example.org`},
		{"nothing required", ",,,,note,", "row 1, column certificate_title (A2): found nothing, want the certificate's title\n" +
			"row 1, column full_name (B2): found nothing, want the recipient's full name\n" +
			"row 1, column applicant_email (C2): found nothing, want an e-mail address such as name@example.org\n" +
			"row 1, column file (F2): found nothing, want the name of the certificate's file"},
		{"title of 255", long(255) + ",Ann,a@x.org,,,a.pdf", ""},
		{"title of 256", long(256) + ",Ann,a@x.org,,,a.pdf", `row 1, column certificate_title (A2): found 256 characters, "` + long(57) + `...", want at most 255`},
		{"details of 1000", "D,Ann,a@x.org,," + long(1000) + ",a.pdf", ""},
		{"details of 1001", "D,Ann,a@x.org,," + long(1001) + ",a.pdf", `row 1, column details (E2): found 1001 characters, "` + long(57) + `...", want at most 1000`},
		{"too many cells", "D,Ann,a@x.org,,,a.pdf,more", `row 1: found 7 cells, want 6, one for each heading; a cell that holds a comma must stand in quotes`},
		{"one blank cell too many", "D,Ann,a@x.org,,,a.pdf,", ""},
		{"too few cells", "D,Ann,a@x.org", `row 1: found 3 cells, want 6, one for each heading`},
		{"NUL", "D,A\x00nn,a@x.org,,,a.pdf", `row 1, column full_name (B2): found a NUL byte in "A\u0000nn", want the recipient's full name of printable characters only`},
		{"line break in a name", "D,\"Ann\nLee\",a@x.org,,,a.pdf", `row 1, column full_name (B2): found a line break in "Ann\nLee", want the recipient's full name of printable characters only`},
		{"invalid UTF-8", "Dé,Ann\xff,a@x.org,,,a.pdf\nDé,Ben,b@x.org,,,b.pdf", "row 1, column full_name (B2): found a character that is not readable in this encoding in \"Ann\uFFFD\", want the recipient's full name of printable characters only"},
		{"failed formula", "D,#N/A,a@x.org,,,a.pdf", `row 1, column full_name (B2): found the spreadsheet's error "#N/A", want the recipient's full name`},
		{"date that is none", "D,Ann,a@x.org,soon,,a.pdf", `row 1, column issue_date (D2): found "soon", want a date such as 2026-06-01`},
		{"31 February", "D,Ann,a@x.org,2026-02-31,,a.pdf", `row 1, column issue_date (D2): found "2026-02-31", want a date such as 2026-06-01, with a day that the calendar has`},
		{"year", "D,Ann,a@x.org,0206-06-01,,a.pdf", `row 1, column issue_date (D2): found "0206-06-01", want a date such as 2026-06-01, with a year from 1800 to 2200`},
		{"dots", "D,Ann,a@x.org,,,../a.pdf", `row 1, column file (F2): found "../a.pdf", want a name inside the folder, without ".."`},
		{"same file", "D,Ann,a@x.org,,,a.pdf\nD,Ben,b@x.org,,,./a.pdf", ""},
		{"same person", "D,Ann,a@x.org,2026-06-01,,a.pdf\nE,Ann,A@X.org,2026-06-01,,b.pdf\n D,Ann,A@X.org,1 June 2026,,c.pdf",
			`row 3, column applicant_email (C4): found "A@X.org" with the title and issue date of row 1, want each person, title and date once`},
		{"bare quote", `5" disk,Ann,a@x.org,,,a.pdf`, ""},
		{"quote in a quoted cell", "D,\"Ann\" Lee,a@x.org,,,a.pdf\nD,Ben,b@x.org,,,b.pdf", "row 1: found a quote in the middle of a quoted cell, or one that is not closed, want a cell that holds a quote to stand in quotes, and the quote to be doubled"},
		{"numbering over blank lines", "\nD,Ann,a@x.org,,,a.pdf\n\n,,,,,\nD,Ben,b,,,b.pdf", `row 4 (line 6), column applicant_email (C6): found "b", which has no @, want an e-mail address such as name@example.org`},
		{"numbering over line breaks in cells", "D,Ann,a@x.org,,\"1\n2\n3\",a.pdf\nD,Ben,b,,,b.pdf", `row 2 (line 5), column applicant_email (C3): found "b", which has no @, want an e-mail address such as name@example.org`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := said(read(t, header+tt.rows+"\n", Options{})); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestExtraColumns(t *testing.T) {
	m := read(t, "title,name,email,file,template,Student ID,\nD,Ann,a@x.org,a.pdf,T1,-17,\n", Options{})
	if got := strings.Join(m.Extra, "|"); got != "template|Student ID" {
		t.Errorf("extra columns %q", got)
	}
	if s := said(m); s != "" {
		t.Error(s)
	}
	if c := m.Rows[0].Cells; c[4] != "T1" || c[5] != "-17" {
		t.Errorf("cells %q", c)
	}
}

func TestDateColumn(t *testing.T) {
	tests := []struct {
		name   string
		dates  []string
		format string
		want   string // dates joined, or the error's end
	}{
		{"never guessed", []string{"1/6/2026", "2026-06-01"}, "", `m.csv: column issue_date: "1/6/2026" (row 1) can be 1 June 2026 or 6 January 2026, and no other row settles it: say which is meant with --date-format DD/MM/YYYY or --date-format MM/DD/YYYY`},
		{"day first by another row", []string{"1/6/2026", "13/6/2026"}, "", "2026-06-01 2026-06-13"},
		{"month first by another row", []string{"1/6/2026", "6/13/2026"}, "", "2026-01-06 2026-06-13"},
		{"both", []string{"13/6/2026", "6/13/2026"}, "", `m.csv: column issue_date: "13/6/2026" (row 1) can only be day first, "6/13/2026" (row 2) only month first: write all dates as YYYY-MM-DD, or say which is meant with --date-format DD/MM/YYYY or --date-format MM/DD/YYYY`},
		{"same either way", []string{"6/6/2026"}, "", "2026-06-06"},
		{"told", []string{"1/6/2026", "2026-06-02", "3 June 2026"}, "DD/MM/YYYY", "2026-06-01 2026-06-02 2026-06-03"},
		{"told otherwise", []string{"1/6/2026"}, "mm/dd/yyyy", "2026-01-06"},
		{"told by dots", []string{"1.6.2026", "2.6.2026"}, "M.D.YYYY", "2026-01-06 2026-02-06"},
		{"told ISO", []string{"6/6/2026"}, "YYYY-MM-DD", "2026-06-06"},
		{"dots are day first", []string{"1.6.2026", "02. 06. 2026"}, "", "2026-06-01 2026-06-02"},
		{"empty", []string{"", "2026-06-01"}, "", " 2026-06-01"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			b.WriteString(header)
			for i, d := range tt.dates {
				b.WriteString("D,Ann,a@x.org," + d + "," + "," + string(rune('a'+i)) + ".pdf\n")
			}
			m, err := Read([]byte(b.String()), Options{Name: "m.csv", DateFormat: tt.format})
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				var dates []string
				for _, r := range m.Rows {
					dates = append(dates, string(r.IssueDate))
				}
				got = strings.Join(dates, " ")
			}
			if got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestEmail(t *testing.T) {
	good := []string{"a@x.org", "anna.maria+vec@mail.example.museum", "o'brien@example.ie", "jürgen@münchen.example", "用户@例子.公司", "a@xn--mnchen-3ya.de", "আনা@উদাহরণ.বাংলা"}
	bad := []string{"", "a", "x@localhost", "a\u200cb@x.org", "a@", "@x.org", "a@x..org", "a@.org", "a@x.org.", "a b@x.org", "a@b@x.org", "Ann <a@x.org>", "a@x.org,b@x.org", "a@-x.org", "a@[1.2.3.4]", "a@1.2.3.4", ".a@x.org", "a..b@x.org", "a\u200b@x.org", "a(at)x.org", `"a"@x.org`, "mailto:a@x.org", strings.Repeat("a", 65) + "@x.org"}
	for _, s := range good {
		if !plausibleEmail(s) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range bad {
		if plausibleEmail(s) {
			t.Errorf("%q is accepted", s)
		}
	}
}
