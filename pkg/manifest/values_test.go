package manifest

import (
	"strings"
	"testing"
)

func TestTemplated(t *testing.T) {
	const head = "title,name,email,issue date,Final Grade,Größe (cm)"
	const rows = "\nDegree,Ada,ada@example.org,2026-05-31,1.0,170\n"
	if _, err := Read([]byte(head+rows), Options{}); err == nil || !strings.Contains(err.Error(), "no column for file") {
		t.Errorf("a manifest without files is taken: %v", err)
	}
	m, err := Read([]byte(head+rows), Options{Templated: true})
	if err != nil || len(m.Problems()) != 0 {
		t.Fatalf("%v, %v", err, m.Problems())
	}
	values := m.Values(m.Rows[0])
	for name, want := range map[string]string{"certificate_title": "Degree", "full_name": "Ada", "applicant_email": "ada@example.org",
		"issue_date": "2026-05-31", "final_grade": "1.0", "gr_e_cm": "170"} {
		if values[name] != want {
			t.Errorf("%s is %q, want %q", name, values[name], want)
		}
	}
	// A column of templates allows rows with either.
	m, err = Read([]byte("title,name,email,file,Template\nA,Ada,a@example.org,a.pdf,\nB,Ada,a@example.org,,degree\nC,Ada,a@example.org,,\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Rows[1].Template != "degree" || len(m.Rows[0].Problems)+len(m.Rows[1].Problems) != 0 {
		t.Errorf("%+v", m.Rows)
	}
	if p := m.Rows[2].Problems; len(p) != 1 || p[0].Field != "file" {
		t.Errorf("a row with neither: %v", p)
	}
}
