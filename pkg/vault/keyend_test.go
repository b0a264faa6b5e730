package vault_test

import (
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
)

func TestKeyReminders(t *testing.T) {
	end := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	k := vault.EndingKey{What: "the key", Fix: "replace it", End: end}
	last, told := 0, []int{}
	for day := 90; day >= -10; day-- {
		if days, due := k.Reminder(end.AddDate(0, 0, -day), last); due {
			last, told = days, append(told, day)
		}
	}
	if len(told) != 3 || told[0] != 60 || told[1] != 30 || told[2] != 7 {
		t.Errorf("reminded %v days before", told)
	}
	for day, want := range map[int]int{20: 30, 3: 7, -5: 7, 61: 0} {
		if days, due := k.Reminder(end.AddDate(0, 0, -day), 0); days != want || due != (want > 0) {
			t.Errorf("first asked %d days before: %d, %v", day, days, due)
		}
	}
	for now, want := range map[time.Time]string{
		end.AddDate(0, 0, -61): "", end.AddDate(0, 0, -59): "the key ends on 2027-03-01; replace it", end: "the key ended on 2027-03-01; replace it",
	} {
		if got := k.Describe(now); got != want {
			t.Errorf("%s: %q", now, got)
		}
	}
}
