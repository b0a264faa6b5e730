package vault_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

func TestParseDate(t *testing.T) {
	for _, good := range []string{"2026-05-02", "2024-02-29", "1999-12-31", "2000-02-29"} {
		if got, err := vault.ParseDate(good); err != nil || string(got) != good {
			t.Errorf("%q reads as %q, %v", good, got, err)
		}
	}
	for _, bad := range []string{"", " ", "2026-5-2", "2026-05-2", "26-05-02", "2026/05/02", "02.05.2026", "2026-02-29", "2026-13-01",
		"2026-00-10", "2026-01-00", "2026-01-32", "2026-05-02 ", " 2026-05-02", "2026-05-02T00:00:00Z", "+2026-05-02", "２０２６-05-02", "today"} {
		if got, err := vault.ParseDate(bad); !fault.Is(err, fault.Invalid) || got != "" {
			t.Errorf("%q reads as %q, %v", bad, got, err)
		}
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-05-02", "2024-02-29", "0000-01-01", "2026-5-2", "2026-05-02.5", "２０２６-05-02"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := vault.ParseDate(s)
		if err != nil {
			return
		}
		at, err := time.Parse("2006-01-02", string(d))
		if err != nil || string(d) != s || vault.DateOf(at, time.UTC) != d {
			t.Errorf("%q reads as %q, which is %s (%v)", s, d, at, err)
		}
	})
}

func TestTheDateIsTheInstitutions(t *testing.T) {
	moment := time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC)
	tests := []struct {
		zone string
		date vault.Date
		year int
	}{
		{"UTC", "2026-12-31", 2026},
		{"Europe/Warsaw", "2027-01-01", 2027},
		{"Asia/Dhaka", "2027-01-01", 2027},
		{"America/New_York", "2026-12-31", 2026},
		{"No/Such", "2026-12-31", 2026},
	}
	for _, tt := range tests {
		i := vault.Institution{Name: "U", TimeZone: tt.zone}
		if got := i.Today(moment); got != tt.date {
			t.Errorf("%s: today is %s, want %s", tt.zone, got, tt.date)
		}
		if got := i.Year(moment); got != tt.year {
			t.Errorf("%s: the year is %d, want %d", tt.zone, got, tt.year)
		}
	}
}

func TestInstitutionValidate(t *testing.T) {
	tests := []struct {
		name, title, zone string
		bad               string // field
	}{
		{"valid", "Uniwersytet", "Europe/Warsaw", ""},
		{"UTC", "U", "UTC", ""},
		{"no name", "", "UTC", "name"},
		{"a name of white space", " \t", "UTC", "name"},
		{"a name with a line end", "A\nB", "UTC", "name"},
		{"a name that is not UTF-8", "A\xff", "UTC", "name"},
		{"no zone", "U", "", "time_zone"},
		{"the machine's zone", "U", "Local", "time_zone"},
		{"an unknown zone", "U", "Mars/Olympus", "time_zone"},
		{"a path", "U", "../../etc/passwd", "time_zone"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := vault.Institution{Name: tt.title, TimeZone: tt.zone}.Validate()
			if tt.bad == "" {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			if fields := fault.FieldsOf(err); len(fields) != 1 || fields[0].Name != tt.bad || !fault.Is(err, fault.Invalid) {
				t.Errorf("complaints %v, want one about %s", fields, tt.bad)
			}
		})
	}
}
