// Package desk is what every page of the screen has at hand, and what pages and
// the root say to one another.
package desk

import (
	"context"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/tui/keys"
	"github.com/vecctl/vecctl/tui/look"
)

// Page is one page of the screen.
type Page interface {
	Name() string
	// Update takes what concerns the page: all messages but keys, and the keys that
	// are pressed while it is shown.
	Update(msg tea.Msg) tea.Cmd
	// View draws exactly so many columns and lines.
	View(width, height int) string
	// Keys are the page's own, the most important ones first.
	Keys() []key.Binding
	// Typing is true while every key is text.
	Typing() bool
}

// Desk is what a page has at hand. Its look changes with the terminal.
type Desk struct {
	Until    context.Context // ends with the screen
	Look     look.Look
	Keys     keys.Map
	Remote   bool // a vault without a panel
	ReadOnly bool
	Now      func() time.Time
	Zone     *time.Location
	Folder   string // where exports go
	Temp     string // where documents lie that are looked at
	// Show opens a file or an address in the desktop's own program.
	Show func(ctx context.Context, target string) error
}

// patience is how long an answer may take that is only looked at.
const patience = 30 * time.Second

// Ask calls the vault for something to show.
func (d *Desk) Ask(call func(context.Context) tea.Msg) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(d.Until, patience)
		defer cancel()
		return call(ctx)
	}
}

// Act has the vault do something; it takes as long as it takes.
func (d *Desk) Act(call func(context.Context) tea.Msg) tea.Cmd {
	return func() tea.Msg { return call(d.Until) }
}

// Clock is a moment as the screen shows it: the time of today, else the date too.
func (d *Desk) Clock(at time.Time) string {
	at = at.In(d.Zone)
	if now := d.Now().In(d.Zone); now.YearDay() == at.YearDay() && now.Year() == at.Year() {
		return at.Format(time.TimeOnly)
	}
	return at.Format(time.DateTime)
}

// Messages that concern all pages.
type (
	// News is what the event stream told, in order.
	News struct{ Messages []staff.Message }
	// Link says whether the agent can be reached.
	Link struct {
		Up  bool
		Err error // why not
	}
	// Pulse is how the agent is.
	Pulse struct {
		Status staff.AgentStatus
		Took   time.Duration
		Err    error
	}
	// Tick comes every second.
	Tick struct{}
	// Shown tells a page that it is looked at from now on.
	Shown struct{}
	// Hidden tells a page that it is looked at no longer.
	Hidden struct{}
)

// Said is the outcome of an act, for the person who acted.
type Said struct {
	Text string
	Err  error
}

// Say says something.
func Say(text string) tea.Cmd { return func() tea.Msg { return Said{Text: text} } }

// Question is asked before something is done.
type Question struct {
	Text    string
	Choices []Choice // one of which is chosen; nothing is typed then
	Fields  []Field  // what has to be typed; none: yes or no
	Do      func(answers []string) tea.Cmd
}

// Choice is one answer to a question.
type Choice struct {
	Label string
	Do    func() tea.Cmd
}

// Field is a line that has to be typed.
type Field struct {
	Label string
	Must  string // what it has to be; "": anything but nothing
}

// Ask asks a question.
func Ask(q Question) tea.Cmd { return func() tea.Msg { return q } }

// Addressed is a message that has a page shown, and is for it.
type Addressed interface{ To() string }

// Words is an error's text for a person.
func Words(err error) string {
	if message, ok := fault.Message(err); ok {
		return message
	}
	return err.Error()
}
