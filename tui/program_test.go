package tui

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/exp/teatest/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/tui/ui"
)

// patience is for machines with much else to do; nothing waits that long by itself.
const patience = 2 * time.Minute

// program is the whole screen at work: program, link and a vault.
type program struct {
	*teatest.TestModel
	t     *testing.T
	vault *fake
	again chan struct{} // lets the link try again
}

func newProgram(t *testing.T, f *fake) *program {
	t.Helper()
	d := &ui.Context{
		Ctx: t.Context(), Theme: ui.NewTheme(true, true), Keys: ui.NewKeyMap(false), Now: time.Now, Zone: time.UTC,
		Folder: t.TempDir(), Temp: t.TempDir(), Open: func(context.Context, string) error { return nil },
	}
	root := NewRoot(d, Options{Vault: f, Stream: f, Doctor: doctor()})
	p := &program{t: t, vault: f, again: make(chan struct{}, 8)}
	p.TestModel = teatest.NewTestModel(t, root, teatest.WithInitialTermSize(100, 30))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		streamReader{f, p.Send, func(ctx context.Context, _ time.Duration) error {
			select {
			case <-p.again:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}.run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	return p
}

// sees waits until all words have been drawn since the last call.
func (p *program) sees(words ...string) {
	p.t.Helper()
	teatest.WaitFor(p.t, p.Output(), func(drawn []byte) bool {
		for _, w := range words {
			if !bytes.Contains(drawn, []byte(w)) {
				return false
			}
		}
		return true
	}, teatest.WithDuration(patience), teatest.WithCheckInterval(10*time.Millisecond))
}

func (p *program) press(names ...string) {
	for _, name := range names {
		p.Send(keyOf(name))
	}
}

func (p *program) quits() *Root {
	p.t.Helper()
	root, ok := p.FinalModel(p.t, teatest.WithFinalTimeout(patience)).(*Root)
	if !ok {
		p.t.Fatal("the program has no end")
	}
	return root
}

func TestTheProgramFollowsActsAndEnds(t *testing.T) {
	t.Parallel()
	f := busy()
	p := newProgram(t, f)
	p.sees("2026-06-01-graduation", "5 failed")
	p.press("4")
	p.sees("encrypted", "What to do")
	p.press("r")
	p.sees("Retry 5 certificates that failed for encrypted?")
	p.press("y")
	p.sees("5 certificates are processed again.")
	b := client.Batch{BatchID: "b-3", Name: "a new batch", Status: "processing", Total: 7, Processing: 7, CreatedAt: begun.Add(time.Hour)}
	f.news <- adminclient.Message{ID: "8", Batch: &b}
	p.press("1")
	p.sees("a new batch")
	p.press("q")
	if root := p.quits(); !root.conn.Up {
		t.Error("it ended without a link")
	}
}

func TestTheProgramConnectsAgain(t *testing.T) {
	t.Parallel()
	f := busy()
	p := newProgram(t, f)
	p.sees("2026-06-01-graduation")
	f.news <- adminclient.Message{ID: "8", Certificate: &adminclient.CertificateEvent{Event: "certificate_application.approved", ReferenceID: "VEC-IC-2026BEFORE", At: begun}}
	p.press("8")
	p.sees("VEC-IC-2026BEFORE")
	f.mu.Lock()
	old := f.news
	f.news = make(chan adminclient.Message, 8)
	f.down = true
	f.mu.Unlock()
	close(old)
	p.sees("Connection lost")
	p.again <- struct{}{} // tries, in vain
	p.again <- struct{}{}
	f.mu.Lock()
	f.down = false
	f.mu.Unlock()
	p.again <- struct{}{}
	f.news <- adminclient.Message{ID: "9", Certificate: &adminclient.CertificateEvent{Event: "certificate_application.approved", ReferenceID: "VEC-IC-2026AFTERWARDS", At: begun}}
	p.sees("AFTERWARDS")
	p.press("ctrl+c")
	p.quits()
	// It went on behind the last message that it had seen.
	if !f.called("follow 8") || f.called("follow 9") {
		t.Errorf("calls: %v", f.calls)
	}
}

// The program leaves the terminal as it found it: out of the second screen, cursor
// shown, no mouse.
func TestTheTerminalIsLeftAsItWas(t *testing.T) {
	t.Parallel()
	f := busy()
	var out bytes.Buffer
	in, hold := io.Pipe()
	defer hold.Close()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	begun := make(chan struct{})
	go func() {
		done <- Run(ctx, Options{
			Vault: f, Stream: told{f, begun}, Doctor: doctor(), Mouse: true, Folder: t.TempDir(), In: in, Out: &out,
			Env: []string{"TERM=xterm-256color"}, Now: time.Now,
			Pause: func(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() },
		})
	}()
	<-begun
	stop() // as SIGTERM does
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(patience):
		t.Fatal("the screen does not end")
	}
	drawn := out.String()
	for set, reset := range map[string]string{"\x1b[?1049h": "\x1b[?1049l", "\x1b[?25l": "\x1b[?25h", "\x1b[?1002h": "\x1b[?1002l"} {
		if strings.Contains(drawn, set) && strings.LastIndex(drawn, reset) < strings.LastIndex(drawn, set) {
			t.Errorf("%q is not taken back", set)
		}
	}
}

// told says when the stream has begun.
type told struct {
	*fake
	begun chan struct{}
}

func (s told) Follow(ctx context.Context, after string, each func(adminclient.Message) error) error {
	close(s.begun)
	return s.fake.Follow(ctx, after, each)
}

var _ tea.Model = (*Root)(nil)
