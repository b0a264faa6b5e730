// Package office is the pages about the agent itself, one file each.
package office

import (
	"strconv"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/tui/desk"
	"github.com/vecctl/vecctl/tui/look"
	"github.com/vecctl/vecctl/tui/roster"
	"github.com/vecctl/vecctl/tui/table"
)

// Log is the page of what happens, the latest first, since the screen was opened.
type Log struct {
	desk    *desk.Desk
	table   table.Table
	all     []line // the oldest first
	shown   []int  // of all, those that the search lets through
	prompt  desk.Prompt
	search  string
	seq     int
	visible bool
}

// line is one thing that happened.
type line struct {
	seq                         int
	uuid                        string
	at                          time.Time
	what, reference, name, text string
}

// logHeld is how many lines are kept.
const logHeld = 2000

// NewLog makes the page.
func NewLog(d *desk.Desk) *Log {
	p := &Log{desk: d, prompt: desk.NewPrompt("Filter: "), table: table.New(
		table.Column{Title: "time", Min: 8}, table.Column{Title: "event", Min: 10},
		table.Column{Title: "reference", Min: 24}, table.Column{Title: "name", Min: 8, Max: 28, Keep: 1},
		table.Column{Title: "about", Min: 10, Max: 200, Keep: 2},
	)}
	p.table.Single = true
	return p
}

// Name implements desk.Page.
func (*Log) Name() string { return "Log" }

// Typing implements desk.Page.
func (p *Log) Typing() bool { return p.prompt.IsOpen() }

// Keys implements desk.Page.
func (p *Log) Keys() []key.Binding {
	k := p.desk.Keys
	return append([]key.Binding{k.Filter, k.Enter, k.Copy, k.Export, k.Back}, k.Moves()...)
}

// Len implements table.Rows.
func (p *Log) Len() int { return len(p.shown) }

// Row implements table.Rows: the latest line comes first.
func (p *Log) Row(i int) (table.Row, bool) {
	if i < 0 || i >= len(p.shown) {
		return table.Row{}, false
	}
	one := p.all[p.shown[len(p.shown)-1-i]]
	return table.Row{ID: strconv.Itoa(one.seq), State: one.what, Cells: []string{
		one.at.In(p.desk.Zone).Format(time.TimeOnly), one.what, one.reference, look.Clean(one.name), look.Clean(one.text)}}, true
}

// Update implements desk.Page.
func (p *Log) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case desk.Shown:
		p.visible = true
		p.sift()
	case desk.Hidden:
		p.visible = false
	case desk.News:
		p.hear(msg.Messages)
	case desk.Link:
		if msg.Up {
			p.add(line{what: "live", text: "The agent is connected.", at: p.desk.Now()})
		} else {
			p.add(line{what: "lost", text: "The connection to the agent is lost.", at: p.desk.Now()})
		}
		p.sift()
	case tea.MouseClickMsg:
		msg.Y -= 2
		p.table.Click(msg.Y, p)
	case tea.PasteMsg:
		if p.Typing() {
			p.prompt.Take(msg)
			p.search = p.prompt.Text()
			p.sift()
		}
	case tea.KeyPressMsg:
		return p.press(msg)
	}
	return nil
}

func (p *Log) hear(messages []staff.Message) {
	for _, m := range messages {
		switch {
		case m.Certificate != nil:
			e := m.Certificate
			_, what, _ := strings.Cut(e.Event, ".")
			p.add(line{uuid: e.UUID, at: e.At, what: what, reference: e.ReferenceID, name: e.Name, text: e.Title})
		case m.Notice != nil:
			p.add(line{at: p.desk.Now(), what: m.Notice.Level, text: m.Notice.Message})
		}
	}
	p.sift()
}

// add keeps a line and lets the oldest go.
func (p *Log) add(one line) {
	p.seq++
	one.seq = p.seq
	p.all = append(p.all, one)
	if len(p.all) >= 2*logHeld {
		p.all = append(p.all[:0:0], p.all[len(p.all)-logHeld:]...)
	}
}

// sift finds what the search lets through. A selected row that is not the latest
// stays where it is among the others.
func (p *Log) sift() {
	if !p.visible {
		return // it is done when somebody looks
	}
	before := len(p.shown)
	p.shown = p.shown[:0]
	term := strings.ToLower(p.search)
	for i := max(0, len(p.all)-logHeld); i < len(p.all); i++ {
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
	k := p.desk.Keys
	switch {
	case p.Typing() && (key.Matches(msg, k.Enter) || key.Matches(msg, k.Back)):
		p.search = p.prompt.Text()
		if key.Matches(msg, k.Back) {
			p.search = ""
		}
		p.prompt.Close(p.search)
		p.sift()
		return nil
	case p.Typing():
		p.prompt.Take(msg)
		p.search = p.prompt.Text()
		p.sift()
		return nil
	case key.Matches(msg, k.Filter):
		p.prompt.Open()
		return nil
	case key.Matches(msg, k.Back):
		p.search = ""
		p.prompt.Close("")
		p.sift()
		return nil
	case p.table.Update(msg, k, p):
		return nil
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
		return func() tea.Msg { return roster.Chosen{UUID: one.uuid} }
	case key.Matches(msg, k.Copy):
		return roster.Copy(one.reference)
	}
	return nil
}

func (p *Log) export() tea.Cmd {
	lines := make([]line, 0, len(p.shown))
	for _, i := range p.shown {
		lines = append(lines, p.all[i])
	}
	return p.desk.Save("log", []string{"at", "event", "reference_id", "full_name", "about"}, "line was", "lines were",
		desk.Each(lines, func(one line) []string {
			return []string{one.at.Format(time.RFC3339), one.what, one.reference, one.name, one.text}
		}))
}

// View implements desk.Page.
func (p *Log) View(width, height int) string {
	l := p.desk.Look
	head := l.Dim.Render("The latest first, " + look.Count(len(p.shown), "line", "lines"))
	switch {
	case p.Typing():
		head = p.prompt.View(width)
	case p.search != "":
		head += "   Filter: " + l.Strong.Render(look.Clean(p.search))
	}
	body := ""
	if len(p.shown) == 0 {
		said := "Nothing has happened since the screen was opened."
		if p.search != "" {
			said = "Nothing that happened is like that."
		}
		body = l.Block(l.Wrap(l.Dim.Render(said), width), width, height-2)
	} else {
		body = p.table.View(l, p, width, height-2)
	}
	return l.Block([]string{head}, width, 2) + "\n" + body
}
