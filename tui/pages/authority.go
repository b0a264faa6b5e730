package pages

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/tui/ui"
)

// Authority is the page of the certification authority: the latest certification of each
// domain, those that wait for a decision first, and the stores.
type Authority struct {
	polling

	ui     *ui.Context
	vault  Vault
	table  ui.Table
	stores []adminclient.Store
	all    []adminclient.StoreCertification
	shown  []adminclient.StoreCertification
	state  string // "" is any
	search ui.SearchBar
	known  bool
	err    error
}

// expiringWithin is the time before the end of a certification in which its state is expiring.
const expiringWithin = 30 * 24 * time.Hour

// NewAuthority returns the page.
func NewAuthority(d *ui.Context, v Vault) *Authority {
	p := &Authority{ui: d, vault: v, search: ui.NewSearchBar(), table: ui.NewTable(
		ui.Column{Title: "domain", Min: 18, Max: 50}, ui.Column{Title: "state", Min: 10},
		ui.Column{Title: "badge", Min: 12}, ui.Column{Title: "until", Min: 10},
		ui.Column{Title: "store", Min: 10, Max: 30, DropOrder: 1}, ui.Column{Title: "waits for", Min: 9, Max: 20, DropOrder: 2},
	)}
	p.table.Single = true
	return p
}

// Name implements ui.Page.
func (*Authority) Name() string { return "Authority" }

// Typing implements ui.Page.
func (p *Authority) Typing() bool { return p.search.Typing() }

// Keys implements ui.Page.
func (p *Authority) Keys() []key.Binding {
	k := p.ui.Keys
	return append([]key.Binding{k.NextState, k.Approve, k.Reject, k.Revoke, k.Filter, k.Copy, k.Export, k.Back}, k.Navigation()...)
}

// Messages of this page.
type (
	authorityLoadedMsg struct {
		stores []adminclient.Store
		all    []adminclient.StoreCertification
		took   time.Duration
		err    error
	}
	authorityActionMsg struct{ result ui.ResultMsg }
)

// Len implements ui.Rows.
func (p *Authority) Len() int { return len(p.shown) }

// Row implements ui.Rows.
func (p *Authority) Row(i int) (ui.Row, bool) {
	if i < 0 || i >= len(p.shown) {
		return ui.Row{}, false
	}
	c := p.shown[i]
	until := ""
	if c.ExpiresAt != nil {
		until = c.ExpiresAt.In(p.ui.Zone).Format(time.DateOnly)
	}
	state := p.stateOf(c)
	return ui.Row{ID: c.RequestID, State: state, Cells: []string{
		ui.Sanitize(c.Domain), state, c.Badge, until, ui.Sanitize(c.Store), strings.Join(c.WaitsFor, ", ")}}, true
}

// stateOf returns the state of a certification; one that ends soon is expiring.
func (p *Authority) stateOf(c adminclient.StoreCertification) string {
	if c.Status == adminclient.CertificationActive && c.ExpiresAt != nil && c.ExpiresAt.Sub(p.ui.Now()) < expiringWithin {
		return "expiring"
	}
	return c.Status
}

func authorityStates() []string {
	return []string{"", "pending", "expiring", "active", "expired", "revoked", "rejected"}
}

// Update implements ui.Page.
func (p *Authority) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case ui.PageShownMsg:
		p.visible = true
		return p.refresh(0)
	case ui.PageHiddenMsg:
		p.visible = false
	case ui.TickMsg:
		const usual = 3 * time.Second
		return p.refresh(usual)
	case authorityLoadedMsg:
		p.reading, p.took, p.err = false, msg.took, msg.err
		if msg.err == nil {
			p.stores, p.all, p.known = msg.stores, msg.all, true
			p.applyFilter()
		}
	case authorityActionMsg:
		return tea.Batch(p.refresh(0), func() tea.Msg { return msg.result })
	case tea.MouseClickMsg:
		p.table.Click(msg.Y-2, p)
	case tea.PasteMsg:
		p.search.Update(msg, p.ui.Keys)
	case tea.KeyPressMsg:
		return p.press(msg)
	}
	return nil
}

func (p *Authority) refresh(pause time.Duration) tea.Cmd {
	if !p.due(p.ui.Now(), pause) {
		return nil
	}
	p.reading, p.asked = true, p.ui.Now()
	return p.ui.Query(func(ctx context.Context) tea.Msg {
		begun := p.ui.Now()
		stores, err := p.vault.Stores(ctx)
		if err != nil {
			return authorityLoadedMsg{err: err}
		}
		all, err := p.vault.StoreCertifications(ctx, "")
		return authorityLoadedMsg{stores, all, p.ui.Now().Sub(begun), err}
	})
}

// applyFilter applies the filter, and sorts: waiting certifications first, then by their end.
func (p *Authority) applyFilter() {
	selected := ""
	if c, ok := p.current(); ok {
		selected = c.RequestID
	}
	p.shown = nil
	for _, c := range p.all {
		about := strings.ToLower(c.Domain + "\n" + c.Project + "\n" + c.Store + "\n" + c.Hash + "\n" + c.RequestID)
		if (p.state == "" || p.stateOf(c) == p.state) && strings.Contains(about, strings.ToLower(p.search.Term)) {
			p.shown = append(p.shown, c)
		}
	}
	order := authorityStates()
	slices.SortStableFunc(p.shown, func(c, d adminclient.StoreCertification) int {
		return cmp.Compare(slices.Index(order, p.stateOf(c)), slices.Index(order, p.stateOf(d)))
	})
	if i := slices.IndexFunc(p.shown, func(c adminclient.StoreCertification) bool { return c.RequestID == selected }); i >= 0 {
		p.table.Select(i, len(p.shown))
	}
}

// refilter applies a changed filter, and selects the first row.
func (p *Authority) refilter() {
	p.table.Select(0, 0)
	p.applyFilter()
}

func (p *Authority) current() (adminclient.StoreCertification, bool) {
	if i := p.table.Cursor(); i < len(p.shown) {
		return p.shown[i], true
	}
	return adminclient.StoreCertification{}, false
}

func (p *Authority) press(msg tea.KeyPressMsg) tea.Cmd {
	k := p.ui.Keys
	if changed, handled := p.search.Update(msg, k); handled {
		if changed {
			p.refilter()
		}
		return nil
	}
	switch {
	case p.table.Update(msg, k, p):
		return nil
	case key.Matches(msg, k.NextState):
		all := authorityStates()
		p.state = all[(slices.Index(all, p.state)+1)%len(all)]
		p.refilter()
		return nil
	case key.Matches(msg, k.Back):
		p.search.Clear()
		p.state = ""
		p.refilter()
		return nil
	}
	c, ok := p.current()
	switch {
	case !ok:
	case key.Matches(msg, k.Approve):
		return p.decide(c, "approve", "", "is approved")
	case key.Matches(msg, k.Reject):
		return ui.OpenDialog(ui.DialogMsg{
			Text: "Reject the request of " + ui.Sanitize(c.Domain) + "? The store sees the reason.", Fields: []ui.Field{{Label: "Reason"}},
			Do: func(answers []string) tea.Cmd { return p.decide(c, "reject", answers[0], "is rejected") },
		})
	case key.Matches(msg, k.Revoke):
		return p.revoke(c)
	case key.Matches(msg, k.Copy):
		text := cmp.Or(c.Hash, c.RequestID)
		return tea.Batch(tea.SetClipboard(text), ui.ShowResult("Copied: "+text))
	case key.Matches(msg, k.Export):
		return p.export()
	}
	return nil
}

func (p *Authority) decide(c adminclient.StoreCertification, act, reason, done string) tea.Cmd {
	return p.ui.Do(func(ctx context.Context) tea.Msg {
		after, err := p.vault.DecideRequest(ctx, c.RequestID, act, reason)
		said := ui.ResultMsg{Text: fmt.Sprintf("The request of %s %s; its state is %s.", ui.Sanitize(c.Domain), done, after.Status), Err: err}
		return authorityActionMsg{said}
	})
}

func (p *Authority) revoke(c adminclient.StoreCertification) tea.Cmd {
	if c.Status != adminclient.CertificationActive {
		return ui.ShowResult(ui.Sanitize(c.Domain) + " is " + c.Status + "; only an active certification can be revoked.")
	}
	return ui.OpenDialog(ui.DialogMsg{
		Text:   "Revoke the certification of " + ui.Sanitize(c.Domain) + "? This cannot be undone.",
		Fields: []ui.Field{{Label: "Reason"}, {Label: "Its domain, " + c.Domain, Expected: c.Domain}},
		Do: func(answers []string) tea.Cmd {
			return p.ui.Do(func(ctx context.Context) tea.Msg {
				_, err := p.vault.RevokeCertification(ctx, c.Hash, answers[0])
				return authorityActionMsg{ui.ResultMsg{Text: "The certification of " + ui.Sanitize(c.Domain) + " is revoked.", Err: err}}
			})
		},
	})
}

func (p *Authority) export() tea.Cmd {
	shown := slices.Clone(p.shown)
	return p.ui.ExportCSV("certifications", []string{"request_id", "domain", "store_slug", "status", "badge_code", "verification_hash"}, "certification was", "certifications were",
		ui.EachRow(shown, func(c adminclient.StoreCertification) []string {
			return []string{c.RequestID, c.Domain, c.Store, c.Status, c.Badge, c.Hash}
		}))
}

// View implements ui.Page.
func (p *Authority) View(width, height int) string {
	l := p.ui.Theme
	switch {
	case p.err != nil && !p.known:
		return p.ui.ErrorView("The authority", p.err, width, height)
	case !p.known:
		return p.ui.LoadingView(width, height)
	case len(p.stores) == 0:
		return l.Block(l.Wrap(l.Dim.Render("There are no stores. Register one with: vecctl authority store add SLUG"), width), width, height)
	}
	foot := p.details(l, width)
	body := ""
	if len(p.shown) == 0 {
		body = l.Block([]string{l.Dim.Render("No certification matches.")}, width, height-2-len(foot))
	} else {
		body = p.table.View(l, p, width, height-2-len(foot))
	}
	return l.Block([]string{p.search.Header(l, p.header(l), "", width), l.Dim.Render(l.Truncate(p.storeLine(), width))}, width, 2) + "\n" + body + "\n" + l.Block(foot, width, len(foot))
}

// header shows the number of stores, and of certifications by state.
func (p *Authority) header(l ui.Theme) string {
	counts := map[string]int{}
	for _, c := range p.all {
		counts[p.stateOf(c)]++
	}
	parts := []string{ui.Plural(len(p.stores), "store", "stores")}
	for _, state := range authorityStates()[1:] {
		if n := counts[state]; n > 0 {
			parts = append(parts, ui.FormatNumber(n)+" "+l.StateText(state, state))
		}
	}
	if p.state != "" {
		parts = append(parts, " State: "+l.StateText(p.state, p.state))
	}
	return strings.Join(parts, "  ")
}

// storeLine lists the stores, with marks for disabled and reviewed ones.
func (p *Authority) storeLine() string {
	var names []string
	for _, s := range p.stores {
		name := ui.Sanitize(s.Slug)
		switch {
		case s.Disabled:
			name += " (disabled)"
		case s.Review:
			name += " (reviewed)"
		}
		names = append(names, name)
	}
	return "Stores: " + strings.Join(names, ", ")
}

// details shows details of the selected certification and its store.
func (p *Authority) details(l ui.Theme, width int) []string {
	c, ok := p.current()
	if !ok {
		return []string{""}
	}
	store := ""
	for _, s := range p.stores {
		if s.Slug == c.Store && s.Disabled {
			store = ", which is disabled"
		} else if s.Slug == c.Store && s.Review {
			store = ", whose requests staff look at"
		}
	}
	lines := []string{"", l.Truncate(fmt.Sprintf("%s of store %s%s, SDK %s, asked for %s", ui.Sanitize(c.Project), ui.Sanitize(c.Store), store, c.SDKVersion, p.ui.FormatTime(c.RequestedAt)), width)}
	if c.Hash != "" {
		lines = append(lines, l.Truncate("hash "+c.Hash, width))
	}
	if c.Reason != "" {
		lines = append(lines, l.Truncate("reason: "+ui.Sanitize(c.Reason), width))
	}
	return lines
}
