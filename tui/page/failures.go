package page

import (
	"context"
	"fmt"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/desk"
	"github.com/vecctl/vecctl/tui/look"
	"github.com/vecctl/vecctl/tui/roster"
	"github.com/vecctl/vecctl/tui/table"
)

// FailureVault is what is asked of the vault about what failed.
type FailureVault interface {
	CertificateVault
	Failures(ctx context.Context, batch string) ([]staff.FailureGroup, error)
	FailedFor(ctx context.Context, code string, page, perPage int) (client.Page[client.Certificate], error)
}

// Failures is the page of what failed: groups by cause, and the certificates of
// one. A remote vault has no groups; there all of them are listed.
type Failures struct {
	desk    *desk.Desk
	vault   FailureVault
	table   table.Table
	groups  []staff.FailureGroup
	known   bool
	visible bool
	stale   bool
	reading bool
	asked   time.Time
	took    time.Duration
	err     error
	inside  string // the cause whose certificates are listed; "" lists the groups
	rows    *roster.Roster
}

// NewFailures makes the page.
func NewFailures(d *desk.Desk, v FailureVault) *Failures {
	p := &Failures{desk: d, vault: v, stale: true, table: table.New(
		table.Column{Title: "cause", Min: 16, Max: 22}, table.Column{Title: "count", Min: 7, Max: 9, Right: true},
		table.Column{Title: "reason of the latest", Min: 20, Max: 300},
	)}
	p.table.Single = true
	kind := ofFailures("failures", "Nothing has failed.")
	kind.Concerns = func(e staff.CertificateEvent) bool {
		state := roster.StateAfter(e)
		return state == vault.Failed || state == vault.Processing
	}
	p.rows = roster.New(d, v, kind, nil)
	if d.Remote {
		p.rows.Reset(func(ctx context.Context, page, perPage int) (client.Page[client.Certificate], error) {
			return v.List(ctx, client.Filter{Status: string(vault.Failed), Page: page, PerPage: perPage})
		})
	}
	return p
}

// Name implements desk.Page.
func (*Failures) Name() string { return "Failures" }

// Typing implements desk.Page.
func (*Failures) Typing() bool { return false }

// listing tells whether certificates are shown, not groups.
func (p *Failures) listing() bool { return p.desk.Remote || p.inside != "" }

// Keys implements desk.Page.
func (p *Failures) Keys() []key.Binding {
	if p.listing() {
		return p.rows.Keys()
	}
	k := p.desk.Keys
	return append([]key.Binding{k.Enter, k.Retry, k.Export}, k.Moves()...)
}

// Messages of this page.
type (
	failuresRead struct {
		groups []staff.FailureGroup
		took   time.Duration
		err    error
	}
	groupRetried struct{ said desk.Said }
)

// Len implements table.Rows.
func (p *Failures) Len() int { return len(p.groups) }

// Row implements table.Rows.
func (p *Failures) Row(i int) (table.Row, bool) {
	if i < 0 || i >= len(p.groups) {
		return table.Row{}, false
	}
	g := p.groups[i]
	return table.Row{ID: g.Code, Cells: []string{g.Code, look.Number(g.Count), look.Clean(g.Reason)}}, true
}

// Update implements desk.Page.
func (p *Failures) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case desk.Shown:
		p.visible, p.stale = true, true
	case desk.Hidden:
		p.visible = false
	case desk.News:
		for _, m := range msg.Messages {
			p.stale = p.stale || m.Snapshot != nil || m.Certificate != nil && roster.StateAfter(*m.Certificate) != vault.Approved
		}
	case desk.Link:
		p.stale = p.stale || msg.Up
	case failuresRead:
		p.reading, p.took, p.err = false, msg.took, msg.err
		if msg.err == nil {
			p.groups, p.known = msg.groups, true
		}
		p.stale = p.stale || msg.err != nil
		return nil
	case groupRetried:
		p.stale, p.asked = true, time.Time{} // whoever acted wants to see it
		return tea.Batch(p.refresh(), func() tea.Msg { return msg.said })
	case tea.MouseClickMsg:
		if !p.listing() {
			p.table.Click(msg.Y, p)
			return nil
		}
		msg.Y -= 2
		_, _ = p.rows.Update(msg)
		return nil
	case tea.KeyPressMsg:
		if p.listing() {
			return p.pressRow(msg)
		}
		return p.pressGroup(msg)
	}
	cmd, _ := p.rows.Update(msg)
	return tea.Batch(cmd, p.refresh())
}

// refresh counts the groups again when that may have changed.
func (p *Failures) refresh() tea.Cmd {
	const soonest, share = 500 * time.Millisecond, 10
	if p.desk.Remote || !p.visible || !p.stale || p.reading || p.desk.Now().Sub(p.asked) < max(soonest, share*p.took) {
		return nil
	}
	p.stale, p.reading, p.asked = false, true, p.desk.Now()
	return p.desk.Ask(func(ctx context.Context) tea.Msg {
		begun := p.desk.Now()
		groups, err := p.vault.Failures(ctx, "")
		return failuresRead{groups, p.desk.Now().Sub(begun), err}
	})
}

func (p *Failures) pressRow(msg tea.KeyPressMsg) tea.Cmd {
	cmd, handled := p.rows.Update(msg)
	if !handled && key.Matches(msg, p.desk.Keys.Back) {
		p.inside = ""
	}
	return cmd
}

func (p *Failures) pressGroup(msg tea.KeyPressMsg) tea.Cmd {
	k := p.desk.Keys
	if p.table.Update(msg, k, p) || p.table.Cursor() >= len(p.groups) {
		return nil
	}
	g := p.groups[p.table.Cursor()]
	switch {
	case key.Matches(msg, k.Enter):
		p.inside = g.Code
		return p.rows.Reset(func(ctx context.Context, page, perPage int) (client.Page[client.Certificate], error) {
			return p.vault.FailedFor(ctx, g.Code, page, perPage)
		})
	case key.Matches(msg, k.Retry):
		return desk.Ask(desk.Question{
			Text: fmt.Sprintf("Retry %s that failed for %s?", look.Count(g.Count, "certificate", "certificates"), g.Code),
			Do:   func([]string) tea.Cmd { return p.retry(g.Code) },
		})
	case key.Matches(msg, k.Export):
		return p.export()
	}
	return nil
}

func (p *Failures) retry(code string) tea.Cmd {
	return p.desk.Act(func(ctx context.Context) tea.Msg {
		return groupRetried{roster.RetrySaid(p.vault.RetrySelected(ctx, staff.Selection{Code: code}))}
	})
}

func (p *Failures) export() tea.Cmd {
	groups := p.groups
	return p.desk.Save("causes", []string{"code", "count", "reason", "mend"}, "cause was", "causes were",
		desk.Each(groups, func(g staff.FailureGroup) []string {
			return []string{g.Code, fmt.Sprint(g.Count), g.Reason, g.Mend}
		}))
}

// View implements desk.Page.
func (p *Failures) View(width, height int) string {
	l := p.desk.Look
	if p.listing() {
		head := l.Strong.Render("All failures")
		if p.inside != "" {
			head = "Failed for " + l.Bad.Render(p.inside)
		}
		if place := p.rows.Place(); place != "" {
			head = l.Fit(head, width-l.Width(place)-2) + "  " + l.Dim.Render(place)
		}
		return join(l.Block([]string{head}, width, 2), p.rows.View(width, height-2))
	}
	switch {
	case p.err != nil && !p.known:
		return p.desk.Unread("The failures", p.err, width, height)
	case !p.known:
		return p.desk.Reading(width, height)
	case len(p.groups) == 0:
		return l.Block([]string{l.Good.Render("Nothing has failed.")}, width, height)
	}
	g := p.groups[min(p.table.Cursor(), len(p.groups)-1)]
	foot := []string{"", l.Strong.Render("Why: ") + look.Clean(g.Reason), l.Strong.Render("What to do: ") + look.Clean(g.Mend)}
	var lines []string
	for _, line := range foot {
		lines = append(lines, l.Wrap(line, width)...)
	}
	n := min(len(lines), max(3, height/2))
	return join(p.table.View(l, p, width, height-n), l.Block(lines, width, n))
}
