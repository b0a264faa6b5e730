package pages

import (
	"context"
	"strconv"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/vault/audit"
	"github.com/vecctl/vecctl/tui/ui"
)

// Audit is the page of the audit trail, the latest entries first, and of one entry.
type Audit struct {
	polling

	ui       *ui.Context
	vault    Vault
	table    ui.Table
	all      []audit.Entry // the latest first
	complete bool          // the oldest ones are loaded
	known    bool
	err      error
	one      *audit.Entry
	details  ui.Viewport
}

// NewAudit returns the page.
func NewAudit(d *ui.Context, v Vault) *Audit {
	p := &Audit{ui: d, vault: v, details: ui.NewViewport(), table: ui.NewTable(
		ui.Column{Title: "time", Min: 8, Max: 19}, ui.Column{Title: "who", Min: 10, Max: 30},
		ui.Column{Title: "what", Min: 16, Max: 60}, ui.Column{Title: "object", Min: 14, Max: 60, DropOrder: 1},
		ui.Column{Title: "institution", Min: 11, Max: 24, DropOrder: 2}, ui.Column{Title: "person", Min: 8, Max: 16, DropOrder: 3},
	)}
	p.table.Single = true
	return p
}

// OpenAuditMsg opens the page of the audit trail.
type OpenAuditMsg struct{}

// To implements ui.NavigateMsg.
func (OpenAuditMsg) To() string { return "Audit trail" }

// auditLoadedMsg is a loaded piece of the trail.
type auditLoadedMsg struct {
	before uint64
	found  []audit.Entry
	took   time.Duration
	err    error
}

// Name implements ui.Page.
func (*Audit) Name() string { return OpenAuditMsg{}.To() }

// Typing implements ui.Page.
func (*Audit) Typing() bool { return false }

// Keys implements ui.Page.
func (p *Audit) Keys() []key.Binding {
	k := p.ui.Keys
	if p.one != nil {
		return append([]key.Binding{k.Enter, k.Copy}, k.Navigation()...)
	}
	return append([]key.Binding{k.Back, k.Enter, k.Copy, k.Export}, k.Navigation()...)
}

// Len implements ui.Rows.
func (p *Audit) Len() int { return len(p.all) }

// Row implements ui.Rows.
func (p *Audit) Row(i int) (ui.Row, bool) {
	if i < 0 || i >= len(p.all) {
		return ui.Row{}, false
	}
	e := p.all[i]
	return ui.Row{ID: strconv.FormatUint(e.Seq, 10), Cells: []string{p.ui.FormatTime(e.At), ui.Sanitize(e.Actor), ui.Sanitize(e.Request),
		ui.Sanitize(e.Object), ui.Sanitize(e.Institution), e.Person}}, true
}

// Update implements ui.Page.
func (p *Audit) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case ui.PageShownMsg:
		p.visible = true
		return p.refresh(0)
	case ui.PageHiddenMsg:
		p.visible, p.one = false, nil
	case ui.TickMsg:
		const usual = 3 * time.Second
		return p.refresh(usual)
	case auditLoadedMsg:
		p.onLoaded(msg)
	case tea.MouseClickMsg:
		if p.one == nil {
			p.table.Click(msg.Y-2, p)
		}
	case tea.MouseWheelMsg:
		p.details.Update(msg, p.ui.Keys)
	case tea.KeyPressMsg:
		return p.press(msg)
	}
	return nil
}

// refresh reads the latest entries again, but not too often.
func (p *Audit) refresh(pause time.Duration) tea.Cmd {
	if !p.due(p.ui.Now(), pause) {
		return nil
	}
	p.asked = p.ui.Now()
	return p.read(0)
}

// read reads the entries before a number; 0 reads the latest.
func (p *Audit) read(before uint64) tea.Cmd {
	p.reading = true
	return p.ui.Query(func(ctx context.Context) tea.Msg {
		begun := p.ui.Now()
		found, err := p.vault.LatestAudit(ctx, before)
		return auditLoadedMsg{before, found, p.ui.Now().Sub(begun), err}
	})
}

// onLoaded adds loaded entries: new ones at the beginning, older ones at the end.
func (p *Audit) onLoaded(m auditLoadedMsg) {
	p.reading, p.took, p.err = false, m.took, m.err
	if m.err != nil {
		return
	}
	p.known = true
	if m.before > 0 {
		p.complete = len(m.found) == 0
		p.all = append(p.all, m.found...)
		return
	}
	added, rest := 0, p.all
	for _, e := range m.found {
		if len(p.all) == 0 || e.Seq > p.all[0].Seq {
			added++
		}
	}
	if added == len(m.found) { // there may be a gap
		rest, p.complete = nil, false
	}
	p.all = append(append([]audit.Entry{}, m.found[:added]...), rest...)
	if at := p.table.Cursor(); at > 0 {
		p.table.Select(at+added, len(p.all))
	}
}

func (p *Audit) press(msg tea.KeyPressMsg) tea.Cmd {
	k := p.ui.Keys
	if p.one != nil {
		switch {
		case p.details.Update(msg, k):
		case key.Matches(msg, k.Copy):
			return tea.Batch(tea.SetClipboard(p.one.Object), ui.ShowResult("Copied: "+p.one.Object))
		case key.Matches(msg, k.Enter):
			p.one = nil
		}
		return nil
	}
	if p.table.Update(msg, k, p) {
		if n := len(p.all); !p.complete && !p.reading && n > 0 && p.table.Cursor() >= n-10 {
			return p.read(p.all[n-1].Seq)
		}
		return nil
	}
	if p.table.Cursor() >= len(p.all) {
		return nil
	}
	e := p.all[p.table.Cursor()]
	switch {
	case key.Matches(msg, k.Enter):
		p.one = &e
		p.details.Top()
	case key.Matches(msg, k.Copy):
		return tea.Batch(tea.SetClipboard(e.Object), ui.ShowResult("Copied: "+e.Object))
	case key.Matches(msg, k.Export):
		return p.ui.ExportCSV("audit", []string{"seq", "at", "who", "what", "from", "institution", "object", "person", "hash"}, "entry was", "entries were",
			ui.EachRow(p.all, func(e audit.Entry) []string {
				return []string{strconv.FormatUint(e.Seq, 10), e.At.Format(time.RFC3339Nano), e.Actor, e.Request, e.RemoteAddr, e.Institution, e.Object, e.Person, e.Hash}
			}))
	}
	return nil
}

// View implements ui.Page.
func (p *Audit) View(width, height int) string {
	l := p.ui.Theme
	if p.one != nil {
		return p.details.View(l, p.detailLines(l, width), width, height)
	}
	head := l.Dim.Render("Who did what, the latest first. A person is a keyed hash, which vecctl recipient export finds.")
	body := ""
	switch {
	case p.err != nil && !p.known:
		body = p.ui.ErrorView("The audit trail", p.err, width, height-2)
	case !p.known:
		body = p.ui.LoadingView(width, height-2)
	case len(p.all) == 0:
		body = l.Block(l.Wrap(l.Dim.Render("Nobody has changed anything yet."), width), width, height-2)
	default:
		body = p.table.View(l, p, width, height-2)
	}
	return l.Block([]string{l.Truncate(head, width)}, width, 2) + "\n" + body
}

// detailLines returns one entry.
func (p *Audit) detailLines(l ui.Theme, width int) []string {
	e := p.one
	lines := []string{l.Strong.Render("Entry " + strconv.FormatUint(e.Seq, 10)), ""}
	for _, one := range [][2]string{
		{"time", e.At.In(p.ui.Zone).Format(time.DateTime)}, {"who", e.Actor}, {"from", e.RemoteAddr}, {"what", e.Request},
		{"institution", e.Institution}, {"object", e.Object}, {"person", e.Person}, {"hash", e.Hash},
	} {
		if text := strings.TrimSpace(ui.Sanitize(one[1])); text != "" {
			lines = append(lines, l.LabelLines(one[0], text, 11, width)...)
		}
	}
	return lines
}
