// Package ui has what all pages of the terminal screen share: the theme, the keys,
// tables, scrolled texts, and the messages between the pages and the root.
package ui

import (
	"context"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
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

// Context is what a page has at hand. Its look changes with the terminal.
type Context struct {
	Ctx      context.Context // ends with the screen
	Theme    Theme
	Keys     KeyMap
	Remote   bool // a vault without a panel
	ReadOnly bool
	Now      func() time.Time
	Zone     *time.Location
	Folder   string // where exports go
	Temp     string // where documents lie that are looked at
	// Open opens a file or an address in the desktop's own program.
	Open func(ctx context.Context, target string) error
}

// queryTimeout is how long an answer may take that is only looked at.
const queryTimeout = 30 * time.Second

// Query calls the vault for something to show.
func (d *Context) Query(call func(context.Context) tea.Msg) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(d.Ctx, queryTimeout)
		defer cancel()
		return call(ctx)
	}
}

// Do has the vault do something; it takes as long as it takes.
func (d *Context) Do(call func(context.Context) tea.Msg) tea.Cmd {
	return func() tea.Msg { return call(d.Ctx) }
}

// FormatTime is a moment as the screen shows it: the time of today, else the date too.
func (d *Context) FormatTime(at time.Time) string {
	at = at.In(d.Zone)
	if now := d.Now().In(d.Zone); now.YearDay() == at.YearDay() && now.Year() == at.Year() {
		return at.Format(time.TimeOnly)
	}
	return at.Format(time.DateTime)
}

// Messages that concern all pages.
type (
	// EventsMsg is what the event stream told, in order.
	EventsMsg struct{ Messages []adminclient.Message }
	// ConnStateMsg says whether the agent can be reached.
	ConnStateMsg struct {
		Up  bool
		Err error // why not
	}
	// StatusMsg is how the agent is.
	StatusMsg struct {
		Status adminclient.AgentStatus
		Took   time.Duration
		Err    error
	}
	// TickMsg comes every second.
	TickMsg struct{}
	// PageShownMsg tells a page that it is looked at from now on.
	PageShownMsg struct{}
	// PageHiddenMsg tells a page that it is looked at no longer.
	PageHiddenMsg struct{}
)

// ResultMsg is the outcome of an act, for the person who acted.
type ResultMsg struct {
	Text string
	Err  error
}

// ShowResult says something.
func ShowResult(text string) tea.Cmd { return func() tea.Msg { return ResultMsg{Text: text} } }

// DialogMsg is asked before something is done.
type DialogMsg struct {
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
	Label    string
	Expected string // what it has to be; "": anything but nothing
}

// OpenDialog asks a question.
func OpenDialog(q DialogMsg) tea.Cmd { return func() tea.Msg { return q } }

// NavigateMsg is a message that has a page shown, and is for it.
type NavigateMsg interface{ To() string }

// ErrorText is an error's text for a person.
func ErrorText(err error) string {
	if message, ok := fault.Message(err); ok {
		return message
	}
	return err.Error()
}
