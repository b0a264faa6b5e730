// Package ui has what all pages of the terminal screen share: the theme, the keys, tables,
// viewports, and the messages between the pages and the root.
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
	// Update handles all messages, and the keys that are pressed while the page is shown.
	Update(msg tea.Msg) tea.Cmd
	// View draws the page in exactly this size.
	View(width, height int) string
	// Keys returns the page's keys, the most important ones first.
	Keys() []key.Binding
	// Typing reports whether keys are text at present.
	Typing() bool
}

// Context is what all pages share. The theme changes with the terminal.
type Context struct {
	Ctx      context.Context // ends with the screen
	Theme    Theme
	Keys     KeyMap
	Remote   bool // a vault without the calls of staff
	ReadOnly bool
	Now      func() time.Time
	Zone     *time.Location
	Folder   string // for exports
	Temp     string // for opened documents
	// Open opens a file or an address in the desktop's program for it.
	Open func(ctx context.Context, target string) error
}

// queryTimeout is the time limit of a call that changes nothing.
const queryTimeout = 30 * time.Second

// Query returns a command that reads from the vault.
func (d *Context) Query(call func(context.Context) tea.Msg) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(d.Ctx, queryTimeout)
		defer cancel()
		return call(ctx)
	}
}

// Do returns a command that changes something in the vault. It has no time limit.
func (d *Context) Do(call func(context.Context) tea.Msg) tea.Cmd {
	return func() tea.Msg { return call(d.Ctx) }
}

// FormatTime formats a time for the screen; a time of another day has the date.
func (d *Context) FormatTime(at time.Time) string {
	at = at.In(d.Zone)
	if now := d.Now().In(d.Zone); now.YearDay() == at.YearDay() && now.Year() == at.Year() {
		return at.Format(time.TimeOnly)
	}
	return at.Format(time.DateTime)
}

// Messages that concern all pages.
type (
	// EventsMsg has messages of the event stream, in order.
	EventsMsg struct{ Messages []adminclient.Message }
	// ConnStateMsg reports whether the agent can be reached.
	ConnStateMsg struct {
		Up  bool
		Err error // why not
	}
	// StatusMsg has the status of the agent.
	StatusMsg struct {
		Status adminclient.AgentStatus
		Took   time.Duration
		Err    error
	}
	// TickMsg comes every second.
	TickMsg struct{}
	// PageShownMsg tells a page that it is now shown.
	PageShownMsg struct{}
	// PageHiddenMsg tells a page that it is no longer shown.
	PageHiddenMsg struct{}
)

// ResultMsg is the result of an action, for the person who did it.
type ResultMsg struct {
	Text string
	Err  error
}

// ShowResult returns a command that shows a result.
func ShowResult(text string) tea.Cmd { return func() tea.Msg { return ResultMsg{Text: text} } }

// DialogMsg opens a dialog before an action.
type DialogMsg struct {
	Text    string
	Choices []Choice // to select one of
	Fields  []Field  // to fill in; without choices and fields, the answer is yes or no
	Do      func(answers []string) tea.Cmd
}

// Choice is one answer of a dialog.
type Choice struct {
	Label string
	Do    func() tea.Cmd
}

// Field is a line to fill in.
type Field struct {
	Label    string
	Expected string // the only valid answer; "": any text
}

// OpenDialog returns a command that opens a dialog.
func OpenDialog(q DialogMsg) tea.Cmd { return func() tea.Msg { return q } }

// NavigateMsg is a message for a page, which is then shown.
type NavigateMsg interface{ To() string }

// ErrorText returns the text of an error for a person.
func ErrorText(err error) string {
	if message, ok := fault.Message(err); ok {
		return message
	}
	return err.Error()
}
