package agent_test

import (
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// wallClock is a clock that can be set. Its times have no monotonic part, as those that a store
// gives back.
type wallClock struct{ offset atomic.Int64 }

func (c *wallClock) now() time.Time { return time.Now().Add(time.Duration(c.offset.Load())).Round(0) }

func (c *wallClock) set(by time.Duration) { c.offset.Add(int64(by)) }

// A clock that is more than five minutes behind what was recorded last is a warning, at once after
// a start too; so is one that is off from the time stamp server's.
func TestAClockThatIsOff(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	during(t, dir, "UTC", now, func(_ *agent.Agent, c *adminclient.Client) {
		q := manifestOf(t, 1)
		q.NoWait = false
		issue(t, c, q)
		wantClockProblem(t, c, "")
	})
	during(t, dir, "UTC", now.Add(-4*time.Minute), func(_ *agent.Agent, c *adminclient.Client) { wantClockProblem(t, c, "") })
	during(t, dir, "UTC", now.Add(-time.Hour), func(_ *agent.Agent, c *adminclient.Client) {
		wantClockProblem(t, c, "says 2026-05-02T11:00:00Z, but 2026-05-02T12:00:00Z was recorded already")
	})
	during(t, dir, "UTC", now.AddDate(1, 0, 0), func(_ *agent.Agent, c *adminclient.Client) { wantClockProblem(t, c, "") })
}

func TestATimestampServerWithAnotherTime(t *testing.T) {
	server := timestampServer(t)
	ts := pdf.NewTimestamper(server.Client(), func() time.Time { return time.Now().Add(6 * time.Minute) }, nil, server.URL)
	if got := ts.Skew(); got != 0 {
		t.Errorf("before any answer: %v", got)
	}
	if c := ts.Check(); len(c) != 1 || c[0].Err != nil {
		t.Fatalf("%+v", c)
	}
	if got := vault.DescribeClock(time.Now(), time.Time{}, ts.Skew()); !strings.Contains(got, "ahead of the time stamp server's") {
		t.Errorf("%q, off by %v", got, ts.Skew())
	}
}

func wantClockProblem(t *testing.T, c *adminclient.Client, says string) {
	t.Helper()
	found := problemsOf(t, c, adminclient.ClockProblem)
	if !strings.Contains(found, says) || says == "" && found != "" {
		t.Errorf("status says %q, want %q", found, says)
	}
}

// A clock that is set back or ahead in the middle of a batch does not pause the work: neither
// signing nor the mails wait for the time to come again.
func TestTheClockIsSetDuringABatch(t *testing.T) {
	for name, by := range map[string]time.Duration{
		"20 seconds back": -20 * time.Second, "an hour back": -time.Hour, "a day back": -24 * time.Hour, "a day ahead": 24 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := &wallClock{}
			running(t, agent.Options{Home: home.Dir(t.TempDir()), Institution: vault.Institution{Name: "Test University", TimeZone: "UTC"},
				Now: clock.now, Log: slog.New(slog.DiscardHandler)}, func(_ *agent.Agent, c *adminclient.Client) {
				const rows = 300
				issue(t, c, manifestOf(t, rows))
				done := func() (approved, mails int) {
					s, err := c.AgentStatus(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					return s.Certificates["approved"], s.Jobs["notify"].Waiting + s.Jobs["notify"].Later
				}
				waitFor(t, "the first certificates", func() bool { n, _ := done(); return n > 20 })
				n, _ := done()
				clock.set(by)
				begun, last, longest := time.Now(), time.Now(), time.Duration(0)
				before := -1
				waitFor(t, "all certificates and mails", func() bool {
					approved, mails := done()
					if sum := approved - mails; sum != before {
						longest, last, before = max(longest, time.Since(last)), time.Now(), sum
					}
					return approved == rows && mails == 0
				})
				t.Logf("set at %d, took %v, longest pause %v", n, time.Since(begun), longest)
				if longest > 5*time.Second {
					t.Errorf("a pause of %v", longest)
				}
			})
		})
	}
}
