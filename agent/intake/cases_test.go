package intake_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// A document that was cut off behind an object would be signed with blank pages.
func TestTruncatedDocumentIsRefused(t *testing.T) {
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "cases", "manifests", "truncated", "b4.pdf"))
	if os.IsNotExist(err) {
		t.Skip("the cases are not at hand")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pdf.Inspect(f, info.Size()); err == nil || !strings.Contains(err.Error(), "breaks off") {
		t.Errorf("got %v", err)
	}
}

// textDocument writes a document that says something, in Helvetica.
func (d *desk) textDocument(name, says string) {
	d.t.Helper()
	content := "BT /F1 12 Tf 72 760 Td (" + says + ") Tj ET"
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	var at []int
	for i, o := range []string{"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R>>",
		fmt.Sprintf("<</Length %d>>stream\n%s\nendstream", len(content), content), "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	b.WriteString("xref\n0 6\n0000000000 65535 f \n")
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", start)
	if err := os.WriteFile(filepath.Join(d.docs, name), b.Bytes(), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// checkAll is check with all that was found.
func (d *desk) checkAll(table string, change func(*intake.CheckRequest)) intake.CheckResult {
	d.t.Helper()
	m, err := manifest.Read([]byte("title,name,email,date,file\n"+table), manifest.Options{})
	if err != nil {
		d.t.Fatal(err)
	}
	root, err := os.OpenRoot(d.docs)
	if err != nil {
		d.t.Fatal(err)
	}
	defer root.Close()
	listed, err := intake.ListFiles(root)
	if err != nil {
		d.t.Fatal(err)
	}
	o := intake.CheckRequest{Institution: somebody, Manifest: m, Files: root, Listed: listed, DryRun: true}
	if change != nil {
		change(&o)
	}
	found, err := d.intake.Check(d.t.Context(), o)
	if err != nil {
		d.t.Fatal(err)
	}
	return found
}

// outcome is the problems of all rows and the warnings, one a line.
func outcome(found intake.CheckResult) string {
	var lines []string
	for _, c := range found.Rows {
		lines = append(lines, c.Problems...)
	}
	return strings.Join(append(append(lines, found.Warnings...), found.Names), "\n")
}

const shifted = "Dip,Ann Kowalska,jan.nowak@example.org,2026-06-01,ewa-lis.pdf\nDip,Jan Nowak,ewa.lis@example.org,2026-06-01,ann-kowalska.pdf\nDip,Ewa Lis,ann.kowalska@example.org,2026-06-01,jan-nowak.pdf\n"

// Every document goes to somebody else.
func TestShiftedDocuments(t *testing.T) {
	d := newDesk(t)
	d.textDocument("ann-kowalska.pdf", "This is to certify that Ann Kowalska")
	d.textDocument("jan-nowak.pdf", "This is to certify that NOWAK, Jan")
	d.textDocument("ewa-lis.pdf", "This is to certify that Ewa  Lis")
	want := `row 1, file ewa-lis.pdf: it is for Ann Kowalska, but its text names Ewa Lis, who is row 3; correct the file's name or the person's, or let it pass with --names warn
row 2, file ann-kowalska.pdf: it is for Jan Nowak, but its text names Ann Kowalska, who is row 1; correct the file's name or the person's, or let it pass with --names warn
row 3, file jan-nowak.pdf: it is for Ewa Lis, but its text names Jan Nowak, who is row 2; correct the file's name or the person's, or let it pass with --names warn

names: looked for in the text of 3 documents`
	want = strings.Replace(want, "warn\n\nnames", "warn\nnames", 1)
	if got := outcome(d.checkAll(shifted, nil)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	found := d.checkAll(shifted, func(o *intake.CheckRequest) { o.Names = intake.NamesWarn })
	if len(found.Warnings) != 3 || len(found.Rows[0].Problems) > 0 || found.Warnings[0] != "row 1, file ewa-lis.pdf: it is for Ann Kowalska, but its text names Ewa Lis, who is row 3" {
		t.Errorf("with warn: %s", outcome(found))
	}
	if got := outcome(d.checkAll(shifted, func(o *intake.CheckRequest) { o.Names = intake.NamesOff })); got != "" {
		t.Errorf("with off: %s", got)
	}
}

func TestSharedShift(t *testing.T) {
	from := filepath.Join("..", "..", "..", "shared", "cases", "manifests", "shift")
	if _, err := os.Stat(from); os.IsNotExist(err) {
		t.Skip("the cases are not at hand")
	}
	d := newDesk(t)
	d.docs = from
	if got := outcome(d.checkAll(shifted, nil)); strings.Count(got, "but its text names") != 3 || !strings.Contains(got, "row 2, file ann-kowalska.pdf: it is for Jan Nowak, but its text names Ann Kowalska, who is row 1") {
		t.Error(got)
	}
}

// A name that is not found is a warning with the count; scanned pages are left alone.
func TestNamesNotFound(t *testing.T) {
	d := newDesk(t)
	d.documents(1) // a page without text
	d.textDocument("a.pdf", "Certificate of Attendance for A. Lee")
	d.textDocument("b.pdf", "Certificate of Attendance for Somebody Else")
	d.textDocument("c.pdf", "Certificate of Attendance for Nobody")
	const table = "D,Ann Lee,a@x.org,2026-06-01,a.pdf\nD,Ben Os,b@x.org,2026-06-01,b.pdf\nD,Cay Os,c@x.org,2026-06-01,c.pdf\nD,Dee Os,d@x.org,2026-06-01,d0.pdf\n"
	want := `the text of 2 documents does not hold the recipient's name: row 2 ("Ben Os", file b.pdf); row 3 ("Cay Os", file c.pdf)
names: looked for in the text of 3 documents; 1 has no text that can be read, as scanned pages have none`
	if got := outcome(d.checkAll(table, nil)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	got := outcome(d.checkAll(table, func(o *intake.CheckRequest) { o.Strict = true }))
	if !strings.Contains(got, `row 2, file b.pdf: its text does not hold the name "Ben Os"`) || !strings.Contains(got, `row 3, file c.pdf`) {
		t.Errorf("strict: %s", got)
	}
}

// One document for two people is an error for the one whom it does not name; a dean who
// signs every document and is on the list is no reason to refuse any.
func TestSharedDocuments(t *testing.T) {
	d := newDesk(t)
	d.textDocument("a.pdf", "Certificate for Ann Lee")
	d.textDocument("same.pdf", "Certificate for Ann Lee")
	d.textDocument("group.pdf", "Certificate of a project")
	d.textDocument("copy.pdf", "Certificate of a project")
	table := "D,Ann Lee,a@x.org,2026-06-01,a.pdf\nD,Ben Os,b@x.org,2026-06-01,a.pdf\nD,Cay Os,c@x.org,2026-06-01,group.pdf\nD,Dee Os,d@x.org,2026-06-01,copy.pdf\nD,Eve Os,e@x.org,2026-06-01,same.pdf\n"
	got := outcome(d.checkAll(table, nil))
	for _, want := range []string{
		"row 2, file a.pdf: it is for Ben Os, but its text names Ann Lee, who is row 1",
		"row 5, file same.pdf: it is for Eve Os, but its text names Ann Lee, who is row 1",
		`row 2, column file (E3): "a.pdf" is the file of row 1 too`,
		"1 document has the same content as another person's: row 3 (group.pdf) and row 4 (copy.pdf)",
		"the text of 2 documents does not hold the recipient's name",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	table = "D,The Dean,dean@x.org,2026-06-01,dean.pdf\n"
	d.textDocument("dean.pdf", "Certificate for The Dean")
	for i := range 8 {
		d.textDocument(fmt.Sprintf("p%d.pdf", i), "Certificate of Attendance, signed by The Dean")
		table += fmt.Sprintf("D,Person Nr%c,p%d@x.org,2026-06-01,p%d.pdf\n", 'a'+i, i, i)
	}
	if got := outcome(d.checkAll(table, nil)); strings.Contains(got, "but its text names") || !strings.Contains(got, "the text of 8 documents") {
		t.Error(got)
	}
}

// The code would cover the registrar's name: the row is refused, with the places that are
// free, until that is allowed.
func TestCodeCoversText(t *testing.T) {
	d := newDesk(t)
	d.textDocument("plain.pdf", ") Tj 100 -200 Td (Certificate for Ann Lee")
	d.textDocument("signed.pdf", ") Tj 100 -200 Td (Certificate for Ben Os) Tj 310 -510 Td (Registrar")
	const table = "D,Ann Lee,a@x.org,2026-06-01,plain.pdf\nD,Ben Os,b@x.org,2026-06-01,signed.pdf\n"
	found := d.checkAll(table, nil)
	const want = "row 2, file signed.pdf: the code would cover text at bottom-right; free instead: bottom-left, top-right, top-left; use --qr-at bottom-left, or --cover to let it cover that"
	if got := outcome(found); !strings.HasPrefix(got, want+"\n") {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if found.Place != "code: looked at its place on 2 documents; on 1 it would cover something (text on 1); free on all of them: bottom-left, top-right" {
		t.Error(found.Place)
	}
	if len(found.Covered) != 1 || found.Covered[0].Row != 2 || found.Covered[0].File != "signed.pdf" || found.Covered[0].Coverage.Describe() != "text" {
		t.Errorf("%+v", found.Covered)
	}
	for name, change := range map[string]func(*intake.CheckRequest){
		"auto":           func(o *intake.CheckRequest) { o.Placement.At = "auto" },
		"another corner": func(o *intake.CheckRequest) { o.DefaultPlacement.At = "top-left" },
	} {
		if found := d.checkAll(table, change); len(found.Rows[1].Problems) > 0 || found.Place != "code: looked at its place on 2 documents; it covers nothing" {
			t.Errorf("%s: %s %s", name, outcome(found), found.Place)
		}
	}
	found = d.checkAll(table, func(o *intake.CheckRequest) { o.Cover = true })
	if got := outcome(found); len(found.Rows[1].Problems) > 0 || !strings.Contains(got, "the code covers something on 1 document: row 2, file signed.pdf (text)") {
		t.Error(got)
	}
	found = d.checkAll(table, func(o *intake.CheckRequest) { o.Trigger = vault.DropFolder })
	if got := outcome(found); strings.Contains(got, "--") || !strings.Contains(got, "set another place (qr.at, such as auto), or allow it (qr.cover)") {
		t.Error(got)
	}
}

// No place is free: the program does not choose one by itself.
func TestNoPlaceIsFree(t *testing.T) {
	d := newDesk(t)
	lines := strings.Repeat(strings.Repeat("wide words ", 20)+") Tj T* (", 70)
	d.textDocument("full.pdf", "Ann Lee) Tj 12 TL -72 70 Td ("+lines)
	const table = "D,Ann Lee,a@x.org,2026-06-01,full.pdf\n"
	for at, want := range map[string]string{
		"auto":         "no place for the code is free: at the bottom right it would cover text; use a smaller --qr-size, another place, or --cover",
		"bottom-right": "the code would cover text at bottom-right, and no corner is free; use a smaller --qr-size, another place, or --cover",
	} {
		if got := outcome(d.checkAll(table, func(o *intake.CheckRequest) { o.Placement.At = at })); !strings.Contains(got, "row 1, file full.pdf: "+want) {
			t.Errorf("%s: %s", at, got)
		}
	}
}

func TestSharedCover(t *testing.T) {
	from := filepath.Join("..", "..", "..", "shared", "cases", "manifests", "qr-covers")
	if _, err := os.Stat(from); os.IsNotExist(err) {
		t.Skip("the cases are not at hand")
	}
	d := newDesk(t)
	d.docs = from
	const table = "Dip,A,qr1@example.org,2026-06-01,sig.pdf\n"
	if got := outcome(d.checkAll(table, nil)); !strings.Contains(got, "row 1, file sig.pdf: the code would cover text at bottom-right; free instead: bottom-left, top-right, top-left") {
		t.Error(got)
	}
	if found := d.checkAll(table, func(o *intake.CheckRequest) { o.Placement.At = "auto" }); len(found.Rows[0].Problems) > 0 {
		t.Error(outcome(found))
	}
}
