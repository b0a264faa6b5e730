// Package tui is the terminal screen: where staff see what happens in the vault
// and act on it. It is a client of the vault like everyone else.
package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/vecctl/vecctl/tui/pages"
	"github.com/vecctl/vecctl/tui/ui"
)

// Options are what a screen needs.
type Options struct {
	Vault  pages.Vault
	Stream Stream
	Doctor pages.Doctor // nil for a vault elsewhere

	Remote   bool // a vault without a panel
	ReadOnly bool
	Mouse    bool
	NoColor  bool
	Plain    bool // a terminal without any graces
	Folder   string

	In    io.Reader
	Out   io.Writer
	Env   []string
	Now   func() time.Time
	Pause func(context.Context, time.Duration) error
}

// framesPerSecond is how often the screen is drawn at most.
const framesPerSecond = 30

// Run shows the screen until it is closed or ctx ends. The terminal is left as it
// was.
func Run(ctx context.Context, o Options) (err error) {
	temp, err := os.MkdirTemp("", "vecctl-tui-")
	if err != nil {
		return fmt.Errorf("making a folder for documents that are opened: %w", err)
	}
	defer os.RemoveAll(temp)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	d := &ui.Context{
		Ctx: ctx, Theme: ui.NewTheme(true, o.Plain), Keys: ui.NewKeyMap(o.ReadOnly), Remote: o.Remote, ReadOnly: o.ReadOnly,
		Now: o.Now, Zone: time.Local, Folder: o.Folder, Temp: temp, Open: ui.OpenWithDesktop,
	}
	settings := []tea.ProgramOption{
		tea.WithInput(o.In), tea.WithOutput(o.Out), tea.WithEnvironment(o.Env),
		tea.WithFPS(framesPerSecond), tea.WithoutSignalHandler(),
	}
	if o.NoColor {
		settings = append(settings, tea.WithColorProfile(colorprofile.ASCII))
	}
	screen := tea.NewProgram(NewRoot(d, o), settings...)
	var beside sync.WaitGroup
	beside.Go(func() { streamReader{o.Stream, screen.Send, o.Pause}.run(ctx) })
	// Whoever ends the program from outside gets the terminal back in order too.
	release := context.AfterFunc(ctx, screen.Quit)
	_, err = screen.Run()
	release()
	stop()
	beside.Wait()
	if errors.Is(err, tea.ErrInterrupted) {
		return context.Canceled
	}
	return err
}
