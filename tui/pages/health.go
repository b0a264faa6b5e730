package pages

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/tui/ui"
)

// Finding is the result of one check of the machine and the home.
type Finding struct {
	Check, Level, Message, Fix string
}

// Doctor finds problems of the machine and the home.
type Doctor func(ctx context.Context) ([]Finding, error)

// Health is the page of the state of the agent, its home and its machine.
type Health struct {
	ui      *ui.Context
	doctor  Doctor
	status  adminclient.AgentStatus
	known   bool
	found   []Finding
	running bool
	err     error
	lines   ui.Viewport
}

// NewHealth returns the page.
func NewHealth(d *ui.Context, doctor Doctor) *Health {
	return &Health{ui: d, doctor: doctor, lines: ui.NewViewport()}
}

// Name implements ui.Page.
func (*Health) Name() string { return "Health" }

// Typing implements ui.Page.
func (*Health) Typing() bool { return false }

// Keys implements ui.Page.
func (p *Health) Keys() []key.Binding {
	return append([]key.Binding{p.ui.Keys.Refresh, p.ui.Keys.Export}, p.ui.Keys.Navigation()...)
}

type checksDoneMsg struct {
	found []Finding
	err   error
}

// Update implements ui.Page.
func (p *Health) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case ui.PageShownMsg:
		return p.runChecks()
	case ui.StatusMsg:
		if msg.Err == nil {
			p.status, p.known = msg.Status, true
		}
	case ui.EventsMsg:
		for _, m := range msg.Messages {
			if m.Snapshot != nil {
				p.status, p.known = m.Snapshot.Status, true
			}
		}
	case checksDoneMsg:
		p.running, p.err = false, msg.err
		if msg.err == nil {
			p.found = msg.found
		}
	case tea.MouseWheelMsg:
		p.lines.Update(msg, p.ui.Keys)
	case tea.KeyPressMsg:
		return p.press(msg)
	}
	return nil
}

func (p *Health) press(msg tea.KeyPressMsg) tea.Cmd {
	k := p.ui.Keys
	switch {
	case key.Matches(msg, k.Refresh):
		return p.runChecks()
	case key.Matches(msg, k.Export):
		return p.export()
	}
	p.lines.Update(msg, k)
	return nil
}

// runChecks runs all checks of the doctor.
func (p *Health) runChecks() tea.Cmd {
	if p.running || p.doctor == nil {
		return nil
	}
	p.running = true
	return p.ui.Do(func(ctx context.Context) tea.Msg {
		found, err := p.doctor(ctx)
		return checksDoneMsg{found, err}
	})
}

func (p *Health) export() tea.Cmd {
	found := p.found
	return p.ui.ExportCSV("health", []string{"check", "level", "message", "mend"}, "finding was", "findings were",
		ui.EachRow(found, func(f Finding) []string {
			return []string{f.Check, f.Level, f.Message, f.Fix}
		}))
}

// View implements ui.Page.
func (p *Health) View(width, height int) string {
	l := p.ui.Theme
	return p.lines.View(l, p.findingLines(l, width), width, height)
}

func (p *Health) findingLines(l ui.Theme, width int) []string {
	var lines []string
	wrapped := func(indent int, text string) {
		for _, line := range l.Wrap(text, max(20, width-indent)) {
			lines = append(lines, strings.Repeat(" ", indent)+line)
		}
	}
	if p.known {
		lines = append(lines, p.statusLines(l)...)
	}
	for _, problem := range p.status.Problems {
		wrapped(0, l.Bad.Render("problem now: ")+ui.Sanitize(problem.Message))
	}
	title := "Results of the doctor"
	if p.running {
		title += l.Dim.Render(" (checking" + l.Ellipsis + ")")
	}
	lines = append(lines, "", l.Strong.Render(title))
	if p.err != nil {
		wrapped(2, l.Bad.Render(ui.Sanitize(ui.ErrorText(p.err))))
	}
	for _, f := range p.found {
		parts := l.Wrap(ui.Sanitize(f.Message), max(20, width-23))
		for i, part := range parts {
			head := strings.Repeat(" ", 23)
			if i == 0 {
				head = "  " + l.StateText(f.Level, l.Fit(f.Level, 6)) + " " + l.Fit(f.Check, 13) + " "
			}
			lines = append(lines, head+part)
		}
		if f.Fix != "" {
			wrapped(23, l.Strong.Render("fix: ")+ui.Sanitize(f.Fix))
		}
	}
	return lines
}

func (p *Health) statusLines(l ui.Theme) []string {
	s := p.status
	const mega = 1 << 20
	lines := []string{
		l.Strong.Render(ui.Sanitize(s.Institution)) + "  " + l.Dim.Render(ui.Sanitize(s.BaseURL)),
		l.Dim.Render("home            ") + ui.Sanitize(s.Home),
		l.Dim.Render("database        ") + fmt.Sprintf("%.1f MB", float64(s.DatabaseSize)/mega),
	}
	for _, kind := range slices.Sorted(maps.Keys(s.Jobs)) {
		q := s.Jobs[kind]
		lines = append(lines, l.Dim.Render(fmt.Sprintf("queue %-9s ", kind))+fmt.Sprintf("%s due, %s later", ui.FormatNumber(q.Waiting), ui.FormatNumber(q.Later)))
	}
	if n := s.Corrections; n > 0 {
		lines = append(lines, l.Dim.Render("corrections     ")+ui.Plural(n, "is", "are")+" requested; vecctl correction list shows them")
	}
	if d := s.Drop; d != nil {
		lines = append(lines, l.Dim.Render("drop folder     ")+fmt.Sprintf("%s, %s (%s)", ui.Sanitize(d.Folder), ui.Plural(d.Total, "file", "files"), d.Watch))
	}
	return lines
}
