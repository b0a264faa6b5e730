package manifest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

func TestRejectedWorkbook(t *testing.T) {
	t.Parallel()
	m, err := Read([]byte("title;Vorname;Nachname;email;date;file;external_id;Note\n"+
		"Dip;Ann;Lee;ann;01.06.2026;1.pdf;007;=1+1\nDip;Ben;Os;ben@example.org;31.13.2026;2.pdf;008;\nDip;Cy;Oh;cy@example.org;02.06.2026;3.pdf;009;\n"), Options{Name: "m.csv"})
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[int]string{1: m.Rows[0].Problems[0].String(), 2: m.Rows[1].Problems[0].String(), 3: "row 3, file 3.pdf: the document is damaged"}
	var out bytes.Buffer
	if err := WriteRejectedWorkbook(&out, m, reasons); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	for cell, want := range map[string]struct {
		value string
		kind  excelize.CellType
		bad   bool
	}{
		"D2": {"ann", excelize.CellTypeSharedString, true}, "G2": {"007", excelize.CellTypeSharedString, false},
		"E2": {"2026-06-01", excelize.CellTypeUnset, false}, "E3": {"31.13.2026", excelize.CellTypeSharedString, true},
		"F4": {"3.pdf", excelize.CellTypeSharedString, true}, "H2": {"=1+1", excelize.CellTypeSharedString, false}, "I4": {reasons[3], excelize.CellTypeSharedString, false},
	} {
		value, err := book.GetCellValue("rejected", cell)
		if err != nil || value != want.value {
			t.Errorf("%s is %q, want %q (%v)", cell, value, want.value, err)
		}
		if kind, err := book.GetCellType("rejected", cell); err != nil || kind != want.kind {
			t.Errorf("%s is of type %v, want %v (%v)", cell, kind, want.kind, err)
		}
		number, err := book.GetCellStyle("rejected", cell)
		if err != nil {
			t.Fatal(err)
		}
		style, err := book.GetStyle(number)
		if err != nil || (len(style.Fill.Color) > 0) != want.bad {
			t.Errorf("%s has the fill %v (%v)", cell, style.Fill, err)
		}
	}
	comments, err := book.GetComments("rejected")
	if err != nil || len(comments) != 3 {
		t.Fatalf("%d comments, %v", len(comments), err)
	}
	for _, c := range comments {
		text := c.Text
		for _, p := range c.Paragraph {
			text += p.Text
		}
		if want := map[string]string{"D2": "want an e-mail address", "E3": "want", "F4": "the document is damaged"}[c.Cell]; want == "" || !strings.Contains(text, want) {
			t.Errorf("the comment on %s is %q", c.Cell, text)
		}
	}

	again, err := Read(out.Bytes(), Options{Name: "rejected.xlsx"})
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range again.Rows {
		was := m.Rows[i]
		if row.Content != was.Content || row.File != was.File || len(row.Problems) != len(was.Problems) || again.Reason(row) != reasons[was.Number] {
			t.Errorf("row %d came back as %+v", i, row)
		}
	}
}
