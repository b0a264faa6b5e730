package office

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/tui/desk"
	"github.com/vecctl/vecctl/tui/look"
	"github.com/vecctl/vecctl/tui/scroll"
)

// Finding is what one check of the machine and the home found.
type Finding struct {
	Check, Level, Message, Mend string
}

// Doctor looks for what is wrong with the machine and the home.
type Doctor func(ctx context.Context) ([]Finding, error)

// Health is the page of how the agent, its home and its machine are.
type Health struct {
	desk    *desk.Desk
	doctor  Doctor
	status  staff.AgentStatus
	known   bool
	found   []Finding
	looking bool
	err     error
	lines   scroll.Scroll
}

// NewHealth makes the page.
func NewHealth(d *desk.Desk, doctor Doctor) *Health {
	return &Health{desk: d, doctor: doctor, lines: scroll.New()}
}

// Name implements desk.Page.
func (*Health) Name() string { return "Health" }

// Typing implements desk.Page.
func (*Health) Typing() bool { return false }

// Keys implements desk.Page.
func (p *Health) Keys() []key.Binding {
	return append([]key.Binding{p.desk.Keys.Again, p.desk.Keys.Export}, p.desk.Keys.Moves()...)
}

type examined struct {
	found []Finding
	err   error
}

// Update implements desk.Page.
func (p *Health) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case desk.Shown:
		return p.look()
	case desk.Pulse:
		if msg.Err == nil {
			p.status, p.known = msg.Status, true
		}
	case desk.News:
		for _, m := range msg.Messages {
			if m.Snapshot != nil {
				p.status, p.known = m.Snapshot.Status, true
			}
		}
	case examined:
		p.looking, p.err = false, msg.err
		if msg.err == nil {
			p.found = msg.found
		}
	case tea.MouseWheelMsg:
		p.lines.Update(msg, p.desk.Keys)
	case tea.KeyPressMsg:
		return p.press(msg)
	}
	return nil
}

func (p *Health) press(msg tea.KeyPressMsg) tea.Cmd {
	k := p.desk.Keys
	switch {
	case key.Matches(msg, k.Again):
		return p.look()
	case key.Matches(msg, k.Export):
		return p.export()
	}
	p.lines.Update(msg, k)
	return nil
}

// look has the doctor make all checks.
func (p *Health) look() tea.Cmd {
	if p.looking || p.doctor == nil {
		return nil
	}
	p.looking = true
	return p.desk.Act(func(ctx context.Context) tea.Msg {
		found, err := p.doctor(ctx)
		return examined{found, err}
	})
}

func (p *Health) export() tea.Cmd {
	found := p.found
	return p.desk.Save("health", []string{"check", "level", "message", "mend"}, "finding was", "findings were",
		desk.Each(found, func(f Finding) []string {
			return []string{f.Check, f.Level, f.Message, f.Mend}
		}))
}

// View implements desk.Page.
func (p *Health) View(width, height int) string {
	l := p.desk.Look
	return p.lines.View(l, p.tell(l, width), width, height)
}

func (p *Health) tell(l look.Look, width int) []string {
	var lines []string
	wrapped := func(indent int, text string) {
		for _, line := range l.Wrap(text, max(20, width-indent)) {
			lines = append(lines, strings.Repeat(" ", indent)+line)
		}
	}
	if p.known {
		lines = append(lines, p.tellStatus(l)...)
	}
	for _, problem := range p.status.Problems {
		wrapped(0, l.Bad.Render("now wrong: ")+look.Clean(problem.Message))
	}
	title := "What the doctor found"
	if p.looking {
		title += l.Dim.Render(" (looking" + l.Cut + ")")
	}
	lines = append(lines, "", l.Strong.Render(title))
	if p.err != nil {
		wrapped(2, l.Bad.Render(look.Clean(desk.Words(p.err))))
	}
	for _, f := range p.found {
		parts := l.Wrap(look.Clean(f.Message), max(20, width-23))
		for i, part := range parts {
			head := strings.Repeat(" ", 23)
			if i == 0 {
				head = "  " + l.State(f.Level, l.Fit(f.Level, 6)) + " " + l.Fit(f.Check, 13) + " "
			}
			lines = append(lines, head+part)
		}
		if f.Mend != "" {
			wrapped(23, l.Strong.Render("mend: ")+look.Clean(f.Mend))
		}
	}
	return lines
}

func (p *Health) tellStatus(l look.Look) []string {
	s := p.status
	const mega = 1 << 20
	lines := []string{
		l.Strong.Render(look.Clean(s.Institution)) + "  " + l.Dim.Render(look.Clean(s.BaseURL)),
		l.Dim.Render("home            ") + look.Clean(s.Home),
		l.Dim.Render("database        ") + fmt.Sprintf("%.1f MB", float64(s.DatabaseSize)/mega),
	}
	for _, kind := range slices.Sorted(maps.Keys(s.Jobs)) {
		q := s.Jobs[kind]
		lines = append(lines, l.Dim.Render(fmt.Sprintf("queue %-9s ", kind))+fmt.Sprintf("%s due, %s later", look.Number(q.Waiting), look.Number(q.Later)))
	}
	if n := s.Corrections; n > 0 {
		lines = append(lines, l.Dim.Render("corrections     ")+look.Count(n, "is", "are")+" asked for; vecctl corrections lists them")
	}
	if d := s.Drop; d != nil {
		lines = append(lines, l.Dim.Render("drop folder     ")+fmt.Sprintf("%s, %s (%s)", look.Clean(d.Folder), look.Count(d.Total, "file", "files"), d.Watch))
	}
	return lines
}
