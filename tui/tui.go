// Package tui is the terminal screen on which staff watch and manage the vault. It is an
// ordinary client of the vault.
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

// Options are the settings of a screen.
type Options struct {
	Vault  pages.Vault
	Stream Stream
	Doctor pages.Doctor // nil for a remote vault

	Remote   bool // a vault without the calls of staff
	ReadOnly bool
	Mouse    bool
	NoColor  bool
	Plain    bool // a terminal with ASCII only
	Folder   string

	In    io.Reader
	Out   io.Writer
	Env   []string
	Now   func() time.Time
	Pause func(context.Context, time.Duration) error
}

// framesPerSecond is the maximum rate of drawing.
const framesPerSecond = 30

// Run shows the screen until it is closed or ctx ends. It restores the terminal.
func Run(ctx context.Context, o Options) (err error) {
	temp, err := os.MkdirTemp("", "vecctl-tui-")
	if err != nil {
		return fmt.Errorf("creating a temporary folder for opened documents: %w", err)
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
	// The terminal is also restored when ctx ends.
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
