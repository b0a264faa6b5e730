package vault_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
)

func TestClaim(t *testing.T) {
	for kind, lease := range map[vault.JobKind]time.Duration{
		vault.JobSign: 5 * time.Minute, vault.JobMail: 15 * time.Minute,
		vault.JobWebhook: 5 * time.Minute, vault.JobInbound: 5 * time.Minute, vault.JobSend: time.Hour, vault.JobFetch: time.Hour, "unheard of": time.Minute,
	} {
		j := vault.Job{ID: 4, Kind: kind, Certificate: 9, RunAt: born, CreatedAt: born, LastError: "busy"}
		got := j.Claim("worker 1", later)
		want := j
		want.Attempt, want.Claimed, want.Owner, want.RunAt = 1, true, "worker 1", later.Add(lease)
		if got != want {
			t.Errorf("%s: got %+v, want %+v", kind, got, want)
		}
		if again := got.Claim("worker 2", later.Add(lease)); again.Attempt != 2 || !again.Claimed || again.Owner != "worker 2" {
			t.Errorf("%s: claimed again: %+v", kind, again)
		}
	}
}

func TestAgainWaitsLongerUntilAttemptsAreUsedUp(t *testing.T) {
	tests := []struct {
		kind   vault.JobKind
		pauses []time.Duration
	}{
		{vault.JobSign, []time.Duration{time.Second, 30 * time.Second}},
		{vault.JobMail, []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour,
			4 * time.Hour, 4 * time.Hour, 4 * time.Hour, 4 * time.Hour, 4 * time.Hour, 4 * time.Hour, 4 * time.Hour}},
		{"unheard of", nil},
	}
	for _, tt := range tests {
		t.Run(string(tt.kind), func(t *testing.T) {
			j, now := vault.Job{Kind: tt.kind, RunAt: born}, born
			for i, pause := range tt.pauses {
				j = j.Claim("worker", now)
				next, ok := j.Retry("timed out", now)
				if !ok {
					t.Fatalf("given up after attempt %d", i+1)
				}
				if next.Claimed || next.LastError != "timed out" || next.Attempt != i+1 || !next.RunAt.Equal(now.Add(pause)) {
					t.Fatalf("after attempt %d: %+v, want a pause of %s", i+1, next, pause)
				}
				j, now = next, next.RunAt
			}
			j = j.Claim("worker", now)
			if got, ok := j.Retry("timed out", now); ok || got != j {
				t.Errorf("after the last attempt: %+v, %v", got, ok)
			}
			if j.GivenUp() {
				t.Error("given up during the last attempt")
			}
		})
	}
}

func TestAgainOfAJobThatNobodyClaimed(t *testing.T) {
	got, ok := vault.Job{Kind: vault.JobSign}.Retry("stopping", born)
	if !ok || !got.RunAt.Equal(born.Add(time.Second)) {
		t.Errorf("%+v, %v", got, ok)
	}
}

func TestAClockThatWasAheadKeepsNoJobWaiting(t *testing.T) {
	held := vault.Job{Kind: vault.JobMail, CreatedAt: born, RunAt: born.AddDate(0, 0, 3)}
	mail := vault.Job{Kind: vault.JobMail, CreatedAt: born, RunAt: born.Add(4 * time.Hour), Attempt: 6}
	for name, tt := range map[string]struct {
		job vault.Job
		now time.Time
		due bool
	}{
		"its time has come":                  {mail, mail.RunAt, true},
		"not yet":                            {mail, mail.RunAt.Add(-time.Nanosecond), false},
		"for the longest pause":              {mail, born, false},
		"for longer than any pause":          {mail, born.Add(-time.Nanosecond), true},
		"for years":                          {mail, born.AddDate(-10, 0, 0), true},
		"held for days":                      {held, born, false},
		"held, and made in a future":         {held, born.Add(-time.Second), true},
		"held no more since its worker died": {vault.Job{Kind: vault.JobMail, CreatedAt: born, RunAt: held.RunAt, Crashes: 1}, born, true},
		"a worker has it":                    {vault.Job{Kind: vault.JobMail, CreatedAt: born, RunAt: born, Claimed: true, Attempt: 1}, born.AddDate(-10, 0, 0), false},
		"a worker had it":                    {vault.Job{Kind: vault.JobMail, CreatedAt: born, RunAt: born, Claimed: true, Attempt: 1}, born, true},
	} {
		if got := tt.job.Due(tt.now); got != tt.due {
			t.Errorf("%s: due %v, want %v", name, got, tt.due)
		}
	}
}

func TestPostponedWaitsAndKeepsItsAttempt(t *testing.T) {
	j := vault.Job{ID: 4, Kind: vault.JobSign, RunAt: born, CreatedAt: born}.Claim("worker", born)
	want := j
	want.Claimed, want.RunAt, want.PutOff, want.LastError = false, later, born, "the disk is full"
	if got := j.Postponed("the disk is full", born, later.Sub(born)); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestAJobWhoseProcessDiesIsSuspectedAndThenGivenUp(t *testing.T) {
	j, now := vault.Job{Kind: vault.JobSign, RunAt: born}, born
	for deaths := range 7 {
		if j.Crashes != deaths || j.Attempt != 0 || j.Claimed || j.Owner != "" {
			t.Fatalf("after %d deaths: %+v", deaths, j)
		}
		if got, want := j.Suspect(), deaths >= 3; got != want {
			t.Errorf("after %d deaths it is suspect: %v", deaths, got)
		}
		if got, want := j.GivenUp(), deaths >= 6; got != want {
			t.Errorf("after %d deaths it is given up: %v", deaths, got)
		}
		if wait, suspect := j.RunAt.Sub(now), j.Suspect(); wait > 0 != suspect || wait < 0 {
			t.Errorf("after %d deaths it waits %s", deaths, wait)
		}
		now = now.Add(time.Hour)
		j = j.Claim("worker", now).Orphaned(now)
	}
}

// Jobs that earlier programs stored are read as they were meant, and written the same.
func TestStoredJobs(t *testing.T) {
	for stored, want := range map[string]vault.Job{
		`{"id":4,"kind":"process","certificate":9,"institution":1,"batch":"b","run_at":"2026-05-02T09:05:00Z","attempt":1,"held":true,"created_at":"2026-05-02T09:00:00Z"}`: {
			ID: 4, Kind: vault.JobSign, Certificate: 9, Institution: 1, Batch: "b", RunAt: time.Date(2026, 5, 2, 9, 5, 0, 0, time.UTC), Attempt: 1, Claimed: true,
			CreatedAt: time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC)},
		`{"id":5,"kind":"notify","certificate":9,"mail":7,"run_at":"2026-05-02T09:00:00Z","attempt":0,"crashes":2,"created_at":"2026-05-02T09:00:00Z","last_error":"busy"}`: {
			ID: 5, Kind: vault.JobMail, Certificate: 9, Mail: 7, RunAt: time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC), Crashes: 2,
			CreatedAt: time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC), LastError: "busy"},
	} {
		var got vault.Job
		if err := json.Unmarshal([]byte(stored), &got); err != nil || got != want {
			t.Errorf("%s is read as %+v, %v", stored, got, err)
		}
		if again, err := json.Marshal(got); err != nil || string(again) != stored {
			t.Errorf("%s is written as %s, %v", stored, again, err)
		}
	}
}
