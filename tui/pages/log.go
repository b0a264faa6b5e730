package pages

import (
	"strconv"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/tui/ui"
)

// Log is the page of all events since the screen was opened, the latest first.
type Log struct {
	ui      *ui.Context
	table   ui.Table
	all     []logLine // the oldest first
	shown   []int     // indexes of the lines that match the search
	prompt  ui.Prompt
	search  string
	seq     int
	visible bool
}

// logLine is one event.
type logLine struct {
	seq                         int
	uuid                        string
	at                          time.Time
	what, reference, name, text string
}

// maxLogLines is the maximum number of lines.
const maxLogLines = 2000

// NewLog returns the page.
func NewLog(d *ui.Context) *Log {
	p := &Log{ui: d, prompt: ui.NewPrompt("Filter: "), table: ui.NewTable(
		ui.Column{Title: "time", Min: 8}, ui.Column{Title: "event", Min: 10},
		ui.Column{Title: "reference", Min: 24}, ui.Column{Title: "name", Min: 8, Max: 28, DropOrder: 1},
		ui.Column{Title: "about", Min: 10, Max: 200, DropOrder: 2},
	)}
	p.table.Single = true
	return p
}

// Name implements ui.Page.
func (*Log) Name() string { return "Log" }

// Typing implements ui.Page.
func (p *Log) Typing() bool { return p.prompt.IsOpen() }

// Keys implements ui.Page.
func (p *Log) Keys() []key.Binding {
	k := p.ui.Keys
	return append([]key.Binding{k.AuditTrail, k.Filter, k.Enter, k.Copy, k.Export, k.Back}, k.Navigation()...)
}

// Len implements ui.Rows.
func (p *Log) Len() int { return len(p.shown) }

// Row implements ui.Rows: the latest line comes first.
func (p *Log) Row(i int) (ui.Row, bool) {
	if i < 0 || i >= len(p.shown) {
		return ui.Row{}, false
	}
	one := p.all[p.shown[len(p.shown)-1-i]]
	return ui.Row{ID: strconv.Itoa(one.seq), State: one.what, Cells: []string{
		one.at.In(p.ui.Zone).Format(time.TimeOnly), one.what, one.reference, ui.Sanitize(one.name), ui.Sanitize(one.text)}}, true
}

// Update implements ui.Page.
func (p *Log) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case ui.PageShownMsg:
		p.visible = true
		p.applyFilter()
	case ui.PageHiddenMsg:
		p.visible = false
	case ui.EventsMsg:
		p.addMessages(msg.Messages)
	case ui.ConnStateMsg:
		if msg.Up {
			p.add(logLine{what: "live", text: "The agent is connected.", at: p.ui.Now()})
		} else {
			p.add(logLine{what: "lost", text: "The connection to the agent was lost.", at: p.ui.Now()})
		}
		p.applyFilter()
	case tea.MouseClickMsg:
		msg.Y -= 2
		p.table.Click(msg.Y, p)
	case tea.PasteMsg:
		if p.Typing() {
			p.prompt.Update(msg)
			p.search = p.prompt.Text()
			p.applyFilter()
		}
	case tea.KeyPressMsg:
		return p.press(msg)
	}
	return nil
}

func (p *Log) addMessages(messages []adminclient.Message) {
	for _, m := range messages {
		switch {
		case m.Certificate != nil:
			e := m.Certificate
			_, what, _ := strings.Cut(e.Event, ".")
			p.add(logLine{uuid: e.UUID, at: e.At, what: what, reference: e.ReferenceID, name: e.Name, text: e.Title})
		case m.Notice != nil:
			p.add(logLine{at: p.ui.Now(), what: m.Notice.Level, text: m.Notice.Message})
		}
	}
	p.applyFilter()
}

// add appends a line, and removes the oldest ones above the limit.
func (p *Log) add(one logLine) {
	p.seq++
	one.seq = p.seq
	p.all = append(p.all, one)
	if len(p.all) >= 2*maxLogLines {
		p.all = append(p.all[:0:0], p.all[len(p.all)-maxLogLines:]...)
	}
}

// applyFilter applies the search. If the selected row is not the latest, it stays selected.
func (p *Log) applyFilter() {
	if !p.visible {
		return // it is done when the page is shown
	}
	before := len(p.shown)
	p.shown = p.shown[:0]
	term := strings.ToLower(p.search)
	for i := max(0, len(p.all)-maxLogLines); i < len(p.all); i++ {
		one := p.all[i]
		if term == "" || strings.Contains(strings.ToLower(one.what+"\n"+one.reference+"\n"+one.name+"\n"+one.text), term) {
			p.shown = append(p.shown, i)
		}
	}
	if at := p.table.Cursor(); at > 0 && len(p.shown) > before {
		p.table.Select(at+len(p.shown)-before, len(p.shown))
	}
}

func (p *Log) press(msg tea.KeyPressMsg) tea.Cmd {
	k := p.ui.Keys
	switch {
	case p.Typing() && (key.Matches(msg, k.Enter) || key.Matches(msg, k.Back)):
		p.search = p.prompt.Text()
		if key.Matches(msg, k.Back) {
			p.search = ""
		}
		p.prompt.Close(p.search)
		p.applyFilter()
		return nil
	case p.Typing():
		p.prompt.Update(msg)
		p.search = p.prompt.Text()
		p.applyFilter()
		return nil
	case key.Matches(msg, k.Filter):
		p.prompt.Open()
		return nil
	case key.Matches(msg, k.Back):
		p.search = ""
		p.prompt.Close("")
		p.applyFilter()
		return nil
	case p.table.Update(msg, k, p):
		return nil
	case key.Matches(msg, k.AuditTrail):
		return func() tea.Msg { return OpenAuditMsg{} }
	case key.Matches(msg, k.Export):
		return p.export()
	}
	i := len(p.shown) - 1 - p.table.Cursor()
	if i < 0 || p.all[p.shown[i]].uuid == "" {
		return nil
	}
	one := p.all[p.shown[i]]
	switch {
	case key.Matches(msg, k.Enter):
		return func() tea.Msg { return OpenCertificateMsg{UUID: one.uuid} }
	case key.Matches(msg, k.Copy):
		return CopyToClipboard(one.reference)
	}
	return nil
}

func (p *Log) export() tea.Cmd {
	lines := make([]logLine, 0, len(p.shown))
	for _, i := range p.shown {
		lines = append(lines, p.all[i])
	}
	return p.ui.ExportCSV("log", []string{"at", "event", "reference_id", "full_name", "about"}, "line was", "lines were",
		ui.EachRow(lines, func(one logLine) []string {
			return []string{one.at.Format(time.RFC3339), one.what, one.reference, one.name, one.text}
		}))
}

// View implements ui.Page.
func (p *Log) View(width, height int) string {
	l := p.ui.Theme
	head := l.Dim.Render("Latest first, " + ui.Plural(len(p.shown), "line", "lines"))
	switch {
	case p.Typing():
		head = p.prompt.View(width)
	case p.search != "":
		head += "   Filter: " + l.Strong.Render(ui.Sanitize(p.search))
	}
	body := ""
	if len(p.shown) == 0 {
		said := "Nothing has happened since the screen was opened."
		if p.search != "" {
			said = "No line matches."
		}
		body = l.Block(l.Wrap(l.Dim.Render(said), width), width, height-2)
	} else {
		body = p.table.View(l, p, width, height-2)
	}
	return l.Block([]string{head}, width, 2) + "\n" + body
}
