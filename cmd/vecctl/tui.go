package main

import (
	"bytes"
	"context"
	"os"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/wake"
	"github.com/vecctl/vecctl/tui"
	"github.com/vecctl/vecctl/tui/office"
)

func tuiCommand(w world) *cli.Command {
	return &cli.Command{
		Name: "tui", Usage: "the terminal screen: see what happens, and act on it",
		Flags: append(apiFlags(),
			&cli.BoolFlag{Name: "read-only", Usage: "look, and change nothing"},
			&cli.BoolFlag{Name: "mouse", Usage: "take clicks and the wheel; selecting text then needs shift"},
		),
		Action: func(c *cli.Context) error {
			if err := exactly(c, 0, ""); err != nil {
				return err
			}
			if !isTerminal(w.stdin) || !isTerminal(w.stdout) {
				return with(c, w, func(s *session) error { return runWatch(c, w, streamOf(s), asTable) })
			}
			// What would be said beside the screen is said after it.
			var later notes
			beside := w
			beside.stderr = &later
			err := with(c, beside, func(s *session) error { return runTUI(c, w, s) })
			later.tell(w)
			return err
		},
	}
}

// pollEvery is how often a vault without an event stream is looked at.
const pollEvery = 3 * time.Second

func streamOf(s *session) tui.Stream {
	if s.remote {
		return tui.Polled{Name: s.Base(), Vault: s.Client, Every: pollEvery, Pause: wake.Sleep}
	}
	return s.Client
}

func runTUI(c *cli.Context, w world, s *session) error {
	makeHeadRoom(w.getenv, headRoomForLong)
	if s.remote {
		// A wrong address or token is said at once, not on a screen.
		if _, err := s.List(c.Context, client.Filter{PerPage: 1}); err != nil {
			return err
		}
	}
	folder, err := os.Getwd()
	if err != nil {
		folder = os.TempDir()
	}
	o := tui.Options{
		Vault: s.Client, Stream: streamOf(s), Doctor: doctorFor(c, w, s),
		Remote: s.remote, ReadOnly: c.Bool("read-only"), Mouse: c.Bool("mouse"),
		NoColor: c.Bool("no-color"), Plain: w.getenv("TERM") == "dumb", Folder: folder,
		In: w.stdin, Out: w.stdout, Env: terminalEnv(w), Now: time.Now, Pause: wake.Sleep,
	}
	return tui.Run(c.Context, o)
}

// terminalEnv is the part of the environment that says what the terminal can do.
func terminalEnv(w world) []string {
	var env []string
	for _, name := range []string{"TERM", "COLORTERM", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM_PROGRAM",
		"TERM_PROGRAM_VERSION", "TMUX", "STY", "SSH_TTY", "WT_SESSION", "ConEmuANSI", "GOOGLE_CLOUD_SHELL"} {
		if value := w.getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// doctorFor examines the home that the screen shows.
func doctorFor(c *cli.Context, w world, s *session) office.Doctor {
	if s.remote {
		return nil
	}
	return func(ctx context.Context) ([]office.Finding, error) {
		set, err := loadSettings(c, w)
		if err != nil {
			return nil, err
		}
		p := patientOf(set, w.getenv)
		p.Vault, p.Running = s.Client, s.agent == nil
		status, err := s.AgentStatus(ctx)
		if err != nil {
			return nil, err
		}
		p.BaseURL = status.BaseURL
		var found []office.Finding
		for _, f := range p.Run(ctx) {
			found = append(found, office.Finding{Check: f.Check, Level: string(f.Level), Message: f.Message, Mend: f.Fix})
		}
		return found, nil
	}
}

// notes keeps the first things that are said, for later.
type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (n *notes) Write(p []byte) (int, error) {
	const most = 64 << 10
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.text.Len() < most {
		n.text.Write(p)
	}
	return len(p), nil
}

func (n *notes) tell(w world) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, _ = n.text.WriteTo(w.stderr)
}
