package date

import (
	"testing"
	"time"
)

func TestRead(t *testing.T) {
	tests := []struct{ text, want, wrong string }{
		{"2026-06-01", "2026-06-01", ""},
		{"2026/6/1", "2026-06-01", ""},
		{"2026.06.01", "2026-06-01", ""},
		{"20260601", "2026-06-01", ""},
		{"2026-06-01 00:00:00", "2026-06-01", ""},
		{"2026-06-01T09:30", "2026-06-01", ""},
		{"1.6.2026", "2026-06-01", ""},
		{"1. 6. 2026", "2026-06-01", ""},
		{"1 June 2026", "2026-06-01", ""},
		{"1st June, 2026", "2026-06-01", ""},
		{"June 1, 2026", "2026-06-01", ""},
		{"JUNE 1 2026", "2026-06-01", ""},
		{"1-Jun-2026", "2026-06-01", ""},
		{"1. June 2026", "2026-06-01", ""},
		{"Sept 3rd, 2026", "2026-09-03", ""},
		{"46174", "2026-06-01", ""},
		{"29.2.2024", "2024-02-29", ""},
		{"1900-01-01", "1900-01-01", ""},
		{"2200-12-31", "2200-12-31", ""},
		{"1899-12-31", "", "a date such as 2026-06-01, with a year from 1900 to 2200"},
		{"2201-01-01", "", "a date such as 2026-06-01, with a year from 1900 to 2200"},
		{"29.2.2026", "", "a date such as 2026-06-01, with a day that the calendar has"},
		{"2026-13-01", "", "a date such as 2026-06-01, with a day that the calendar has"},
		{"20261301", "", "a date such as 2026-06-01, with a day that the calendar has"},
		{"0.6.2026", "", "a date such as 2026-06-01, with a day that the calendar has"},
		{"1.6.26", "", "a date such as 2026-06-01, with a year of four digits"},
		{"1 Jun 26", "", "a date such as 2026-06-01, with a year of four digits"},
		{"2026", "", "a date such as 2026-06-01"},
		{"June 2026", "", "a date such as 2026-06-01"},
		{"1.6/2026", "", "a date such as 2026-06-01"},
		{"1.6.2026.", "2026-06-01", ""},
		{"1.6.2026.5", "", "a date such as 2026-06-01"},
		{"+1.6.2026", "", "a date such as 2026-06-01"},
		{"001.6.2026", "", "a date such as 2026-06-01"},
		{"1 Juin 2026", "", "a date such as 2026-06-01"},
		{"Jun Jun 2026", "", "a date such as 2026-06-01"},
		{"2026-06-01T00:00:00Z", "", "a date such as 2026-06-01"},
		{"tomorrow", "", "a date such as 2026-06-01"},
		{"999999999999999999999", "", "a date such as 2026-06-01"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			var c OrderDetector
			c.Add(1, tt.text, false)
			r, err := c.Detect()
			if err != nil {
				t.Fatal(err)
			}
			iso, _, wrong := r.Parse(tt.text)
			if iso != tt.want || wrong != tt.wrong {
				t.Errorf("got %q, %q; want %q, %q", iso, wrong, tt.want, tt.wrong)
			}
		})
	}
}

func TestFormat(t *testing.T) {
	tests := []struct{ format, text, want string }{
		{"DD/MM/YYYY", "1/6/2026", "2026-06-01"},
		{"MM/DD/YYYY", "1/6/2026", "2026-01-06"},
		{"MM/DD/YYYY", "13/6/2026", ""},
		{"DD/MM/YYYY", "1-6-2026", ""},
		{"DD/MM/YYYY", "1.6.2026", "2026-06-01"},
		{"D.M.YYYY", "1.6.2026", "2026-06-01"},
		{"M-D-YYYY", "1-6-2026", "2026-01-06"},
		{"YYYY-MM-DD", "2026-06-01", "2026-06-01"},
		{"YYYY-MM-DD", "1/6/2026", ""},
		{"YYYYMMDD", "20260601", "2026-06-01"},
		{"D MMMM YYYY", "1 June 2026", "2026-06-01"},
		{"DD/MM/YYYY", "46174", "2026-06-01"},
	}
	for _, tt := range tests {
		r, err := ParseFormat(tt.format)
		if err != nil {
			t.Errorf("%s: %v", tt.format, err)
			continue
		}
		if iso, _, _ := r.Parse(tt.text); iso != tt.want {
			t.Errorf("%s of %s: got %q, want %q", tt.text, tt.format, iso, tt.want)
		}
	}
	for _, bad := range []string{"", "DD/MM", "DD/MM/YY", "YYYY-DD-MM", "DD/DD/YYYY", "2006-01-02", "D/M/YYYY/D", "///"} {
		if _, err := ParseFormat(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// A spreadsheet that reads 6/1/2026 as 6 January leaves 13/6/2026 as text.
func TestSwappedBySpreadsheet(t *testing.T) {
	var c OrderDetector
	c.Add(1, "2026-06-01", true)
	c.Add(2, "13/6/2026", false)
	if _, err := c.Detect(); err == nil {
		t.Error("a column half swapped is read")
	}
	c.Add(3, "2026-06-25", true)
	if _, err := c.Detect(); err != nil {
		t.Errorf("a column that was not swapped is refused: %v", err)
	}
}

func FuzzDate(f *testing.F) {
	for _, s := range []string{"2026-06-01", "1/6/2026", "1. June, 2026", "46174", "20260601", "June 1st 2026", "1:2 3/4/5", "１/６/２０２６", "\u2003/1/1"} {
		f.Add(s, "DD/MM/YYYY")
	}
	f.Fuzz(func(t *testing.T, text, format string) {
		var c OrderDetector
		c.Add(1, text, false)
		readers := []Parser{}
		if r, err := c.Detect(); err == nil {
			readers = append(readers, r)
		}
		if r, err := ParseFormat(format); err == nil {
			readers = append(readers, r)
		}
		for _, r := range readers {
			iso, found, want := r.Parse(text)
			if text == "" {
				continue
			}
			if (iso == "") != (want != "") || (found == "") != (want == "") {
				t.Fatalf("%q: %q, found %q, want %q", text, iso, found, want)
			}
			if iso == "" {
				continue
			}
			if _, err := time.Parse(time.DateOnly, iso); err != nil {
				t.Fatalf("%q became %q", text, iso)
			}
			if again, _, _ := r.Parse(iso); again != iso {
				t.Fatalf("%q became %q, and that %q", text, iso, again)
			}
		}
	})
}
