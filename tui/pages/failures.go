package pages

import (
	"context"
	"fmt"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/ui"
)

// Failures is the page of failed certificates: groups by cause, and the certificates of one
// group. A remote vault has no groups; there the page lists all failed certificates.
type Failures struct {
	polling

	ui     *ui.Context
	vault  Vault
	table  ui.Table
	groups []adminclient.FailureGroup
	known  bool
	stale  bool
	err    error
	cause  string // the cause whose certificates are listed; "" lists the groups
	rows   *CertificateList
}

// NewFailures returns the page.
func NewFailures(d *ui.Context, v Vault) *Failures {
	p := &Failures{ui: d, vault: v, stale: true, table: ui.NewTable(
		ui.Column{Title: "cause", Min: 16, Max: 22}, ui.Column{Title: "count", Min: 7, Max: 9, Right: true},
		ui.Column{Title: "reason of the latest", Min: 20, Max: 300},
	)}
	p.table.Single = true
	kind := failureListSpec("failures", "No certificate has failed.")
	kind.Concerns = func(e adminclient.CertificateEvent) bool {
		state := StateAfter(e)
		return state == vault.Failed || state == vault.Processing
	}
	p.rows = NewCertificateList(d, v, kind, nil)
	if d.Remote {
		p.rows.SetSource(func(ctx context.Context, page ListPage) (client.Page[client.Certificate], error) {
			return v.List(ctx, client.Filter{Status: string(vault.Failed), Page: page.Number, PerPage: page.Size})
		})
	}
	return p
}

// Name implements ui.Page.
func (*Failures) Name() string { return "Failures" }

// Typing implements ui.Page.
func (*Failures) Typing() bool { return false }

// listing reports whether the page shows certificates, not groups.
func (p *Failures) listing() bool { return p.ui.Remote || p.cause != "" }

// Keys implements ui.Page.
func (p *Failures) Keys() []key.Binding {
	if p.listing() {
		return p.rows.Keys()
	}
	k := p.ui.Keys
	return append([]key.Binding{k.Enter, k.Retry, k.Export}, k.Navigation()...)
}

// Messages of this page.
type (
	failuresLoadedMsg struct {
		groups []adminclient.FailureGroup
		took   time.Duration
		err    error
	}
	groupRetriedMsg struct{ result ui.ResultMsg }
)

// Len implements ui.Rows.
func (p *Failures) Len() int { return len(p.groups) }

// Row implements ui.Rows.
func (p *Failures) Row(i int) (ui.Row, bool) {
	if i < 0 || i >= len(p.groups) {
		return ui.Row{}, false
	}
	g := p.groups[i]
	return ui.Row{ID: g.Code, Cells: []string{g.Code, ui.FormatNumber(g.Count), ui.Sanitize(g.Reason)}}, true
}

// Update implements ui.Page.
func (p *Failures) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case ui.PageShownMsg:
		p.visible, p.stale = true, true
	case ui.PageHiddenMsg:
		p.visible = false
	case ui.EventsMsg:
		for _, m := range msg.Messages {
			p.stale = p.stale || m.Snapshot != nil || m.Certificate != nil && StateAfter(*m.Certificate) != vault.Approved
		}
	case ui.ConnStateMsg:
		p.stale = p.stale || msg.Up
	case failuresLoadedMsg:
		p.reading, p.took, p.err = false, msg.took, msg.err
		if msg.err == nil {
			p.groups, p.known = msg.groups, true
		}
		p.stale = p.stale || msg.err != nil
		return nil
	case groupRetriedMsg:
		p.stale, p.asked = true, time.Time{} // shows the result at once
		return tea.Batch(p.refresh(), func() tea.Msg { return msg.result })
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

// refresh reads the groups again if they may have changed.
func (p *Failures) refresh() tea.Cmd {
	const soonest = 500 * time.Millisecond
	if p.ui.Remote || !p.stale || !p.due(p.ui.Now(), soonest) {
		return nil
	}
	p.stale, p.reading, p.asked = false, true, p.ui.Now()
	return p.ui.Query(func(ctx context.Context) tea.Msg {
		begun := p.ui.Now()
		groups, err := p.vault.Failures(ctx, "")
		return failuresLoadedMsg{groups, p.ui.Now().Sub(begun), err}
	})
}

func (p *Failures) pressRow(msg tea.KeyPressMsg) tea.Cmd {
	cmd, handled := p.rows.Update(msg)
	if !handled && key.Matches(msg, p.ui.Keys.Back) {
		p.cause = ""
	}
	return cmd
}

func (p *Failures) pressGroup(msg tea.KeyPressMsg) tea.Cmd {
	k := p.ui.Keys
	if p.table.Update(msg, k, p) || p.table.Cursor() >= len(p.groups) {
		return nil
	}
	g := p.groups[p.table.Cursor()]
	switch {
	case key.Matches(msg, k.Enter):
		p.cause = g.Code
		return p.rows.SetSource(func(ctx context.Context, page ListPage) (client.Page[client.Certificate], error) {
			if page.After != "" {
				page.Number = 1
			}
			return p.vault.FailedFor(ctx, g.Code, page.After, page.Number, page.Size)
		})
	case key.Matches(msg, k.Retry):
		return ui.OpenDialog(ui.DialogMsg{
			Text: fmt.Sprintf("Retry %s that failed for %s?", ui.Plural(g.Count, "certificate", "certificates"), g.Code),
			Do:   func([]string) tea.Cmd { return p.retry(g.Code) },
		})
	case key.Matches(msg, k.Export):
		return p.export()
	}
	return nil
}

func (p *Failures) retry(code string) tea.Cmd {
	return p.ui.Do(func(ctx context.Context) tea.Msg {
		return groupRetriedMsg{RetryResult(p.vault.RetrySelected(ctx, adminclient.Selection{Code: code}))}
	})
}

func (p *Failures) export() tea.Cmd {
	groups := p.groups
	return p.ui.ExportCSV("causes", []string{"code", "count", "reason", "mend"}, "cause was", "causes were",
		ui.EachRow(groups, func(g adminclient.FailureGroup) []string {
			return []string{g.Code, fmt.Sprint(g.Count), g.Reason, g.Fix}
		}))
}

// View implements ui.Page.
func (p *Failures) View(width, height int) string {
	l := p.ui.Theme
	if p.listing() {
		head := l.Strong.Render("All failures")
		if p.cause != "" {
			head = "Failed for " + l.Bad.Render(p.cause)
		}
		if place := p.rows.Position(); place != "" {
			head = l.Fit(head, width-l.Width(place)-2) + "  " + l.Dim.Render(place)
		}
		return joinLines(l.Block([]string{head}, width, 2), p.rows.View(width, height-2))
	}
	switch {
	case p.err != nil && !p.known:
		return p.ui.ErrorView("The failures", p.err, width, height)
	case !p.known:
		return p.ui.LoadingView(width, height)
	case len(p.groups) == 0:
		return l.Block([]string{l.Good.Render("No certificate has failed.")}, width, height)
	}
	g := p.groups[min(p.table.Cursor(), len(p.groups)-1)]
	foot := []string{"", l.Strong.Render("Why: ") + ui.Sanitize(g.Reason), l.Strong.Render("What to do: ") + ui.Sanitize(g.Fix)}
	var lines []string
	for _, line := range foot {
		lines = append(lines, l.Wrap(line, width)...)
	}
	n := min(len(lines), max(3, height/2))
	return joinLines(p.table.View(l, p, width, height-n), l.Block(lines, width, n))
}
