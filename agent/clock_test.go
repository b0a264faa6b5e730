package agent_test

import (
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
)

// wallClock is a clock that can be set. Its times have no monotonic part, as those that a store
// gives back.
type wallClock struct{ offset atomic.Int64 }

func (c *wallClock) now() time.Time { return time.Now().Add(time.Duration(c.offset.Load())).Round(0) }

func (c *wallClock) set(by time.Duration) { c.offset.Add(int64(by)) }

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
