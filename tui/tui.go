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

	"github.com/vecctl/vecctl/tui/applications"
	"github.com/vecctl/vecctl/tui/desk"
	"github.com/vecctl/vecctl/tui/keys"
	"github.com/vecctl/vecctl/tui/look"
	"github.com/vecctl/vecctl/tui/office"
	"github.com/vecctl/vecctl/tui/page"
)

// Vault is the vault that the screen shows.
type Vault interface {
	page.RowVault
	page.FailureVault
	page.StoryVault
	applications.Vault
	office.WebhookVault
	office.AuthorityVault
	StatusVault
}

// Options are what a screen needs.
type Options struct {
	Vault  Vault
	Stream Stream
	Doctor office.Doctor // nil for a vault elsewhere

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

// Pages are the pages of the screen in the order of their numbers; what comes up
// only when it is chosen stands last. A page that a vault cannot fill is left out.
func Pages(d *desk.Desk, o Options) []desk.Page {
	pages := []desk.Page{
		page.NewBatches(d, o.Vault),
		page.NewBatch(d, o.Vault),
		page.NewCertificates(d, o.Vault),
		page.NewFailures(d, o.Vault),
	}
	if !o.Remote {
		pages = append(pages, applications.New(d, o.Vault), office.NewWebhooks(d, o.Vault),
			office.NewAuthority(d, o.Vault), office.NewLog(d), office.NewHealth(d, o.Doctor))
	}
	return append(pages, page.NewStory(d, o.Vault))
}

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
	d := &desk.Desk{
		Until: ctx, Look: look.New(true, o.Plain), Keys: keys.New(o.ReadOnly), Remote: o.Remote, ReadOnly: o.ReadOnly,
		Now: o.Now, Zone: time.Local, Folder: o.Folder, Temp: temp, Show: desk.ShowWithDesktop,
	}
	settings := []tea.ProgramOption{
		tea.WithInput(o.In), tea.WithOutput(o.Out), tea.WithEnvironment(o.Env),
		tea.WithFPS(framesPerSecond), tea.WithoutSignalHandler(),
	}
	if o.NoColor {
		settings = append(settings, tea.WithColorProfile(colorprofile.ASCII))
	}
	screen := tea.NewProgram(NewRoot(d, o.Vault, o.Mouse, Pages(d, o)...), settings...)
	var beside sync.WaitGroup
	beside.Go(func() { link{o.Stream, screen.Send, o.Pause}.run(ctx) })
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
