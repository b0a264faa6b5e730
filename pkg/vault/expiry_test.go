package vault_test

import (
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
)

func TestTermEndsByTheCalendar(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		term string
		from vault.Date
		want vault.Date
	}{
		{"2y", "2026-06-01", "2028-06-01"}, {"1y", "2024-02-29", "2025-02-28"}, {"1m", "2026-01-31", "2026-02-28"},
		{"18m", "2026-08-31", "2028-02-29"}, {"6w", "2026-06-01", "2026-07-13"}, {"90d", "2026-06-01", "2026-08-30"},
	} {
		term, err := vault.ParseTerm(tt.term)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := term.From(tt.from); err != nil || got != tt.want {
			t.Errorf("%s from %s ends on %s (%v), want %s", tt.term, tt.from, got, err, tt.want)
		}
	}
	for _, bad := range []string{"", "2", "y", "0y", "-1y", "1.5y", "2 y", "2Y", "100000d", "2y6m"} {
		if term, err := vault.ParseTerm(bad); err == nil {
			t.Errorf("%q is the term %+v", bad, term)
		}
	}
}

func TestCertificateEndsAfterItsLastDay(t *testing.T) {
	t.Parallel()
	c := vault.Certificate{Status: vault.Approved, Content: vault.Content{IssueDate: "2026-06-01", ExpiryDate: "2027-05-31"}}
	for today, want := range map[vault.Date]vault.Validity{
		"2027-05-30": vault.ValidityGenuine, "2027-05-31": vault.ValidityGenuine, "2027-06-01": vault.ValidityExpired,
	} {
		if got := c.ValidityOn(today); got != want {
			t.Errorf("on %s it is %s, want %s", today, got, want)
		}
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.ExpiresAt(berlin), time.Date(2027, 5, 31, 21, 59, 59, 0, time.UTC); !got.Equal(want) {
		t.Errorf("it ends at %s, want %s", got, want)
	}
	revoked := c
	revoked.Status = vault.Revoked
	if got := revoked.ValidityOn("2030-01-01"); got != vault.ValidityRevoked {
		t.Errorf("a revoked one that has ended is %s", got)
	}
	c.ExpiryDate = ""
	if got := c.ValidityOn("2999-01-01"); got != vault.ValidityGenuine || !c.ExpiresAt(berlin).IsZero() {
		t.Errorf("one that does not end is %s", got)
	}
}

func TestExpiryDateIsChecked(t *testing.T) {
	t.Parallel()
	draft := vault.Draft{Content: vault.Content{Title: "T", Name: "N", Email: "n@example.org", IssueDate: "2026-06-01"}, File: vault.File{SHA256: "x"}}
	for day, good := range map[vault.Date]bool{
		"": true, "2026-06-01": true, "2027-01-01": true, "2026-05-31": false, "31.12.2027": false, "2027-02-30": false,
	} {
		draft.ExpiryDate = day
		if err := draft.Validate(); (err == nil) != good {
			t.Errorf("the expiry date %q: %v", day, err)
		}
	}
}
