package manifest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/vault"
)

func TestWriteReport(t *testing.T) {
	var b bytes.Buffer
	rows := []ReportRow{
		{Row: 1, Status: "issued", UUID: "u-1", ReferenceID: "VEC-IC-2026", File: "a.pdf", Content: vault.Content{Name: `Ann "A" Lee, B.A.`, Email: "a@x.org", Title: "=HYPERLINK(1)", IssueDate: "2026-06-01", ExternalID: "+7", ExpiryDate: "2028-05-31"}, Level: vault.SealT, LevelOwed: vault.SealLT},
		{Row: 2, Status: "failed", File: "-b.pdf", Error: "too large\nby far", Content: vault.Content{Name: "@Ben"}},
	}
	if err := WriteReport(&b, rows); err != nil {
		t.Fatal(err)
	}
	want := "\uFEFFrow,status,uuid,reference_id,file,error,full_name,applicant_email,certificate_title,issue_date,external_id,expiry_date,level,level_owed\n" +
		"1,issued,u-1,VEC-IC-2026,a.pdf,,\"Ann \"\"A\"\" Lee, B.A.\",a@x.org,'=HYPERLINK(1),2026-06-01,'+7,2028-05-31,B-T,B-LT\n" +
		"2,failed,,,'-b.pdf,\"too large\nby far\",'@Ben,,,,,,,\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	if rows[0].Title != "=HYPERLINK(1)" {
		t.Error("the caller's rows are changed")
	}
	b.Reset()
	if err := WriteReport(&b, nil); err != nil || strings.Count(b.String(), "\n") != 1 {
		t.Errorf("an empty report: %q, %v", b.String(), err)
	}
}

// A rejected.csv that somebody has mended is a manifest again, and says the
// same things but for what was mended.
func TestRejectedRoundTrip(t *testing.T) {
	const given = "sep=;\ntitle;name;mail;file;Student ID;date\n" +
		"=Diploma;+Ann;anna(at)x.org;a.pdf;-17;1.6.2026\n" +
		"D;Ben;b@x.org;b.pdf;18;1.6.2026\n" +
		"\"@D; \"\"E\"\"\";Cay\u0000;c@x.org;c.pdf;;1.6.2026\n" +
		"D;Dee;d@x.org\n"
	m := read(t, given, Options{})
	reasons := map[int]string{}
	for _, p := range m.Problems() {
		reasons[p.Row] = p.String()
	}
	var b bytes.Buffer
	if err := WriteRejected(&b, m, reasons); err != nil {
		t.Fatal(err)
	}
	want := "\uFEFFtitle;name;mail;file;Student ID;date;reason\n" +
		"'=Diploma;'+Ann;anna(at)x.org;a.pdf;'-17;1.6.2026;\"row 1 (line 3), column mail (C2): found \"\"anna(at)x.org\"\", in which \"\"(at)\"\" stands for the @, want an e-mail address such as name@example.org\"\n" +
		"\"'@D; \"\"E\"\"\";Cay\uFFFD;c@x.org;c.pdf;;1.6.2026;\"row 3 (line 5), column name (B4): found a NUL byte in \"\"Cay\\u0000\"\", want the recipient's full name of printable characters only\"\n" +
		"D;Dee;d@x.org;;;;row 4 (line 6): found 3 cells, want 6, one for each heading\n"
	if b.String() != want {
		t.Fatalf("got\n%s\nwant\n%s", b.String(), want)
	}
	mended := strings.NewReplacer("anna(at)x.org", "anna@x.org", "\uFFFD", "", ";;;;row", ";d.pdf;;;row").Replace(b.String())
	again := read(t, mended, Options{})
	if s := said(again); s != "" {
		t.Fatal(s)
	}
	if r := again.Rows[0]; r.Title != "=Diploma" || r.Name != "+Ann" || r.IssueDate != "2026-06-01" || len(again.Extra) != 1 {
		t.Errorf("row %+v, extra %q", r, again.Extra)
	}
	if r := again.Rows[1]; r.Title != `@D; "E"` {
		t.Errorf("title %q", r.Title)
	}
	var second bytes.Buffer
	if err := WriteRejected(&second, again, map[int]string{1: "-new"}); err != nil {
		t.Fatal(err)
	}
	if want := "\uFEFFtitle;name;mail;file;Student ID;date;reason\n'=Diploma;'+Ann;anna@x.org;a.pdf;'-17;1.6.2026;'-new\n"; second.String() != want {
		t.Errorf("second round\ngot  %q\nwant %q", second.String(), want)
	}
}

func TestRejectedKeepsSurplusCells(t *testing.T) {
	m := read(t, header+"D,Ann,Lee,a@x.org,,,a.pdf\n", Options{})
	var b bytes.Buffer
	if err := WriteRejected(&b, m, map[int]string{1: "why"}); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.HasSuffix(got, "\nD,Ann,Lee,a@x.org,,,why,a.pdf\n") {
		t.Errorf("got %q", got)
	}
	if s := said(read(t, b.String(), Options{})); !strings.Contains(s, "found 8 cells, want 7") {
		t.Errorf("the row is read as %q", s)
	}
}
