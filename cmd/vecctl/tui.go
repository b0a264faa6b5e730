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
	"github.com/vecctl/vecctl/tui/pages"
)

func tuiCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "tui", Usage: "open the terminal screen: watch and manage the vault",
		Flags: append(apiFlags(),
			&cli.BoolFlag{Name: "read-only", Usage: "only watch; no key changes anything"},
			&cli.BoolFlag{Name: "mouse", Usage: "use the mouse on the screen; to select text, hold Shift"},
		),
		Action: func(c *cli.Context) error {
			if err := requireArgs(c, 0, ""); err != nil {
				return err
			}
			if !isTerminal(w.stdin) || !isTerminal(w.stdout) {
				return withSession(c, w, func(s *session) error { return watchInstitution(c, w, s, formatTable) })
			}
			// Messages on stderr would damage the screen: they are printed after it.
			var later logBuffer
			beside := w
			beside.stderr = &later
			err := withSession(c, beside, func(s *session) error { return runTUI(c, w, s) })
			later.flush(w)
			return err
		},
	}
}

// pollEvery is the interval for a vault without an event stream.
const pollEvery = 3 * time.Second

func streamOf(s *session) tui.Stream {
	if s.remote {
		return tui.PollingStream{Name: s.Base(), Vault: s.Client, Every: pollEvery, Pause: wake.Sleep}
	}
	return s.Client
}

func runTUI(c *cli.Context, w environment, s *session) error {
	setGCPercent(w.getenv, gcPercentLongRunning)
	if s.remote {
		// A wrong address or token is reported before the screen opens.
		if _, err := s.List(c.Context, client.Filter{PerPage: 1}); err != nil {
			return err
		}
	}
	if err := s.bindInstitution(c.Context, !c.Bool("read-only")); err != nil {
		return err
	}
	folder, err := os.Getwd()
	if err != nil {
		folder = os.TempDir()
	}
	o := tui.Options{
		Vault: s.Client, Stream: streamOf(s), Doctor: doctorFor(c, w, s),
		Remote: s.remote, ReadOnly: c.Bool("read-only"), Mouse: c.Bool("mouse"),
		NoColor: c.Bool("no-color"), Plain: w.getenv("TERM") == "dumb", Folder: folder,
		In: w.stdin, Out: w.stdout, Env: terminalEnv(w), Now: wallClock, Pause: wake.Sleep,
	}
	return tui.Run(c.Context, o)
}

// terminalEnv returns the environment variables that describe the terminal.
func terminalEnv(w environment) []string {
	var env []string
	for _, name := range []string{"TERM", "COLORTERM", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM_PROGRAM",
		"TERM_PROGRAM_VERSION", "TMUX", "STY", "SSH_TTY", "WT_SESSION", "ConEmuANSI", "GOOGLE_CLOUD_SHELL"} {
		if value := w.getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// doctorFor returns the checks of the home that the screen shows.
func doctorFor(c *cli.Context, w environment, s *session) pages.Doctor {
	if s.remote {
		return nil
	}
	return func(ctx context.Context) ([]pages.Finding, error) {
		set, err := loadSettings(c, w)
		if err != nil {
			return nil, err
		}
		p := doctorTarget(set, w.getenv)
		p.Vault, p.Running = s.Client, s.agent == nil
		status, err := s.AgentStatus(ctx)
		if err != nil {
			return nil, err
		}
		p.BaseURL = status.BaseURL
		var found []pages.Finding
		for _, f := range p.Run(ctx) {
			found = append(found, pages.Finding{Check: f.Check, Level: string(f.Level), Message: f.Message, Fix: f.Fix})
		}
		return found, nil
	}
}

// logBuffer keeps the first 64 KB of messages for later.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (n *logBuffer) Write(p []byte) (int, error) {
	const most = 64 << 10
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.text.Len() < most {
		n.text.Write(p)
	}
	return len(p), nil
}

func (n *logBuffer) flush(w environment) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, _ = n.text.WriteTo(w.stderr)
}
