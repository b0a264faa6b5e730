package vault_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
)

func TestDescribingTheClock(t *testing.T) {
	now := time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		recorded time.Time
		ahead    time.Duration
		want     string // a part; "" is nothing
	}{
		"nothing is known":                            {time.Time{}, 0, ""},
		"five minutes off":                            {now.Add(5 * time.Minute), -5 * time.Minute, ""},
		"behind what was recorded":                    {now.Add(time.Hour), 0, "says 2026-05-02T12:00:00Z, but 2026-05-02T13:00:00Z was recorded"},
		"ahead of what was recorded, as after a rest": {now.AddDate(-1, 0, 0), 0, ""},
		"behind the server's":                         {now, 6 * time.Minute, "6m0s behind the time stamp server"},
		"ahead of the server's":                       {now, -6 * time.Minute, "6m0s ahead of the time stamp server"},
	} {
		if got := vault.DescribeClock(now, test.recorded, test.ahead); !strings.Contains(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
