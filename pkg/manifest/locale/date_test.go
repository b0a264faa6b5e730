package locale

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
		{"1800-01-01", "1800-01-01", ""},
		{"1799-12-31", "", "a date such as 2026-06-01, with a year from 1800 to 2200"},
		{"1899-12-31", "", "a date such as 2026-06-01, with a day: this one is what spreadsheets make of an empty cell"},
		{"1899-12-30", "", "a date such as 2026-06-01, with a day: this one is what spreadsheets make of an empty cell"},
		{"2201-01-01", "", "a date such as 2026-06-01, with a year from 1800 to 2200"},
		{"29.2.2026", "", "a date such as 2026-06-01, with a day that the calendar has"},
		{"2026-13-01", "", "a date such as 2026-06-01, with a day that the calendar has"},
		{"20261301", "", "a date such as 2026-06-01, with a day that the calendar has"},
		{"0.6.2026", "", "a date such as 2026-06-01, with a day that the calendar has"},
		{"1.6.26", "", "a date such as 2026-06-01, with a year of four digits"},
		{"1/6/26", "", "a date such as 2026-06-01, with a year of four digits"},
		{"1-Jun-26", "2026-06-01", ""},
		{"01-JUN-69", "2069-06-01", ""},
		{"1-Jun-70", "1970-06-01", ""},
		{"1 Jun 26", "2026-06-01", ""},
		{"Jun 1, 26", "2026-06-01", ""},
		{"26-Jun", "", "a date such as 2026-06-01"},
		{"2026", "", "a date such as 2026-06-01"},
		{"June 2026", "", "a date such as 2026-06-01"},
		{"1.6/2026", "", "a date such as 2026-06-01"},
		{"1.6.2026.", "2026-06-01", ""},
		{"1.6.2026.5", "", "a date such as 2026-06-01"},
		{"+1.6.2026", "", "a date such as 2026-06-01"},
		{"001.6.2026", "", "a date such as 2026-06-01"},
		{"Jun Jun 2026", "", "a date such as 2026-06-01"},
		{"2026-06-01T00:00:00Z", "", "a date such as 2026-06-01"},
		{"tomorrow", "", "a date such as 2026-06-01"},
		{"999999999999999999999", "", "a date such as 2026-06-01"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			var c DateOrderDetector
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

// The long forms that spreadsheets write in the languages of the people who use them.
func TestLanguages(t *testing.T) {
	for _, text := range []string{
		"1. Juni 2026", "Montag, 1. Juni 2026", "1 juin 2026", "lundi 1er juin 2026", "le 1er juin 2026", "1 de junio de 2026", "lunes, 1 de junio de 2026",
		"1º de junho de 2026", "segunda-feira, 1 de junho de 2026", "1 giugno 2026", "1 czerwca 2026 r.", "1 czerwca 2026", "dnia 1.06.2026 r.", "1 Haziran 2026",
		"01 Haziran 2026 Pazartesi", "1 juni 2026", "১ জুন ২০২৬", "০১/০৬/২০২৬", "১ জুন, ২০২৬", "1 जून 2026", "१ जून २०२६", "1 يونيو 2026", "١ يونيو ٢٠٢٦", "1 حزيران، 2026",
		"٢٠٢٦-٠٦-٠١", "2026年6月1日", "2026 年 6 月 1 日", "２０２６年６月１日", "令和8年6月1日", "2026년 6월 1일", "1-jun.-2026", "1 июня 2026 г.", "Monday, June 1, 2026", "the 1st of June 2026",
	} {
		var c DateOrderDetector
		c.Add(1, text, false)
		c.Add(2, "30/01/2026", false)
		r, err := c.Detect()
		if err != nil {
			t.Fatal(err)
		}
		if iso, _, wrong := r.Parse(text); iso != "2026-06-01" {
			t.Errorf("%s: got %q, %s", text, iso, wrong)
		}
	}
	for text, want := range map[string]string{"1 كانون الثاني 2026": "2026-01-01", "1 تشرين الأول 2026": "2026-10-01", "令和元年5月1日": "2019-05-01", "3 août 2026": "2026-08-03", "15 września 2026": "2026-09-15"} {
		if iso, _, wrong := (DateParser{order: dayFirst}).Parse(text); iso != want {
			t.Errorf("%s: got %q, %s", text, iso, wrong)
		}
	}
	for _, none := range []string{"1 de 2026", "junio de 2026", "1 junio mayo 2026", "de de de", "1 - - 2026", "年月日", "令和x年1月1日", "Montag 2026"} {
		if iso, _, _ := (DateParser{order: dayFirst}).Parse(none); iso != "" {
			t.Errorf("%s: read as %s", none, iso)
		}
	}
}

func TestPlausible(t *testing.T) {
	for text, want := range map[string]bool{
		"2026-06-01": true, "1/6/2026": true, "1.6.26": true, "1 June 2026": true, "1-Jun-26": true, "2026年6月1日": true,
		"": false, "20260601": false, "46174": false, "1": false, "Ann": false, "1.2.3": false, "192.168.1.1": false, "31.31.2026": false, "0171-555-1234": false,
	} {
		if PlausibleDate(text) != want {
			t.Errorf("%q is a date: %v", text, !want)
		}
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
		r, err := ParseDateFormat(tt.format)
		if err != nil {
			t.Errorf("%s: %v", tt.format, err)
			continue
		}
		if iso, _, _ := r.Parse(tt.text); iso != tt.want {
			t.Errorf("%s of %s: got %q, want %q", tt.text, tt.format, iso, tt.want)
		}
	}
	for _, bad := range []string{"", "DD/MM", "DD/MM/YY", "YYYY-DD-MM", "DD/DD/YYYY", "2006-01-02", "D/M/YYYY/D", "///"} {
		if _, err := ParseDateFormat(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// A spreadsheet that reads 6/1/2026 as 6 January leaves 13/6/2026 as text.
func TestSwappedBySpreadsheet(t *testing.T) {
	var c DateOrderDetector
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
		var c DateOrderDetector
		c.Add(1, text, false)
		readers := []DateParser{}
		if r, err := c.Detect(); err == nil {
			readers = append(readers, r)
		}
		if r, err := ParseDateFormat(format); err == nil {
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
