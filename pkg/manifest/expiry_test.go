package manifest

import (
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/vault"
)

// The column of expiry dates is read by itself: it may be written in another way than that of
// the issue dates, and a term may stand in place of a date.
func TestExpiryColumn(t *testing.T) {
	const head = "title,name,email,date,Valid until,file\n"
	m := read(t, head+"D,Ann,a@x.org,2026-06-01,31.12.2027,a.pdf\nD,Ben,b@x.org,2026-06-01,2y,b.pdf\nD,Cay,c@x.org,2026-06-01,,c.pdf\n", Options{})
	for i, want := range []vault.Date{"2027-12-31", "2y", ""} {
		if got := m.Rows[i].ExpiryDate; got != want || len(m.Rows[i].Problems) > 0 {
			t.Errorf("row %d ends on %q, want %q: %v", i+1, got, want, m.Rows[i].Problems)
		}
	}
	if _, err := Read([]byte(head+"D,Ann,a@x.org,2026-06-01,1/6/2027,a.pdf\n"), Options{Name: "m.csv"}); err == nil || !strings.Contains(err.Error(), "Valid until") {
		t.Errorf("an expiry date with two readings: %v", err)
	}
	m = read(t, head+"D,Ann,a@x.org,2026-06-01,1/6/2027,a.pdf\nD,Ben,b@x.org,2026-06-01,never,b.pdf\n", Options{DateFormat: "DD/MM/YYYY"})
	if got := m.Rows[0].ExpiryDate; got != "2027-06-01" {
		t.Errorf("with a date format it is %q", got)
	}
	if p := m.Rows[1].Problems; len(p) == 0 || p[0].Field != "expiry_date" && p[len(p)-1].Field != "expiry_date" {
		t.Errorf("no date: %v", p)
	}
}
