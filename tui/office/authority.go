package office

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client/registrar"
	"github.com/vecctl/vecctl/tui/desk"
	"github.com/vecctl/vecctl/tui/look"
	"github.com/vecctl/vecctl/tui/table"
)

// AuthorityVault is what is asked of the certification authority.
type AuthorityVault interface {
	Stores(ctx context.Context) ([]registrar.Store, error)
	StoreCertifications(ctx context.Context, store string) ([]registrar.StoreCertification, error)
	DecideRequest(ctx context.Context, id, act, reason string) (registrar.StoreCertification, error)
	RevokeCertification(ctx context.Context, hash, reason string) (registrar.StoreCertification, error)
}

// Authority is the page of the certification authority: each domain's
// certification by state, those that wait for a decision first, and the stores.
type Authority struct {
	desk    *desk.Desk
	vault   AuthorityVault
	table   table.Table
	stores  []registrar.Store
	all     []registrar.StoreCertification
	shown   []registrar.StoreCertification
	state   string // "" is any
	finder  desk.Finder
	known   bool
	visible bool
	reading bool
	asked   time.Time
	took    time.Duration
	err     error
}

// expiring is how long before its end a certification is said to be expiring.
const expiring = 30 * 24 * time.Hour

// NewAuthority makes the page.
func NewAuthority(d *desk.Desk, v AuthorityVault) *Authority {
	p := &Authority{desk: d, vault: v, finder: desk.NewFinder(), table: table.New(
		table.Column{Title: "domain", Min: 18, Max: 50}, table.Column{Title: "state", Min: 10},
		table.Column{Title: "badge", Min: 12}, table.Column{Title: "until", Min: 10},
		table.Column{Title: "store", Min: 10, Max: 30, Keep: 1}, table.Column{Title: "waits for", Min: 9, Max: 20, Keep: 2},
	)}
	p.table.Single = true
	return p
}

// Name implements desk.Page.
func (*Authority) Name() string { return "Authority" }

// Typing implements desk.Page.
func (p *Authority) Typing() bool { return p.finder.Typing() }

// Keys implements desk.Page.
func (p *Authority) Keys() []key.Binding {
	k := p.desk.Keys
	return append([]key.Binding{k.States, k.Approve, k.Reject, k.Revoke, k.Filter, k.Copy, k.Export, k.Back}, k.Moves()...)
}

// Messages of this page.
type (
	authorityRead struct {
		stores []registrar.Store
		all    []registrar.StoreCertification
		took   time.Duration
		err    error
	}
	authorityActed struct{ said desk.Said }
)

// Len implements table.Rows.
func (p *Authority) Len() int { return len(p.shown) }

// Row implements table.Rows.
func (p *Authority) Row(i int) (table.Row, bool) {
	if i < 0 || i >= len(p.shown) {
		return table.Row{}, false
	}
	c := p.shown[i]
	until := ""
	if c.ExpiresAt != nil {
		until = c.ExpiresAt.In(p.desk.Zone).Format(time.DateOnly)
	}
	state := p.stateOf(c)
	return table.Row{ID: c.RequestID, State: state, Cells: []string{
		look.Clean(c.Domain), state, c.Badge, until, look.Clean(c.Store), strings.Join(c.WaitsFor, ", ")}}, true
}

// stateOf is a certification's state, in which one that ends soon is expiring.
func (p *Authority) stateOf(c registrar.StoreCertification) string {
	if c.Status == registrar.Active && c.ExpiresAt != nil && c.ExpiresAt.Sub(p.desk.Now()) < expiring {
		return "expiring"
	}
	return c.Status
}

func authorityStates() []string {
	return []string{"", "pending", "expiring", "active", "expired", "revoked", "rejected"}
}

// Update implements desk.Page.
func (p *Authority) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case desk.Shown:
		p.visible = true
		return p.refresh(0)
	case desk.Hidden:
		p.visible = false
	case desk.Tick:
		const usual = 3 * time.Second
		return p.refresh(usual)
	case authorityRead:
		p.reading, p.took, p.err = false, msg.took, msg.err
		if msg.err == nil {
			p.stores, p.all, p.known = msg.stores, msg.all, true
			p.sift()
		}
	case authorityActed:
		return tea.Batch(p.refresh(0), func() tea.Msg { return msg.said })
	case tea.MouseClickMsg:
		p.table.Click(msg.Y-2, p)
	case tea.PasteMsg:
		p.finder.Take(msg, p.desk.Keys)
	case tea.KeyPressMsg:
		return p.press(msg)
	}
	return nil
}

func (p *Authority) refresh(pause time.Duration) tea.Cmd {
	const share = 10
	if !p.visible || p.reading || pause > 0 && p.desk.Now().Sub(p.asked) < max(pause, share*p.took) {
		return nil
	}
	p.reading, p.asked = true, p.desk.Now()
	return p.desk.Ask(func(ctx context.Context) tea.Msg {
		begun := p.desk.Now()
		stores, err := p.vault.Stores(ctx)
		if err != nil {
			return authorityRead{err: err}
		}
		all, err := p.vault.StoreCertifications(ctx, "")
		return authorityRead{stores, all, p.desk.Now().Sub(begun), err}
	})
}

// sift shows what is in the state asked for: what waits first, then what ends first.
func (p *Authority) sift() {
	selected := ""
	if c, ok := p.current(); ok {
		selected = c.RequestID
	}
	p.shown = nil
	for _, c := range p.all {
		about := strings.ToLower(c.Domain + "\n" + c.Project + "\n" + c.Store + "\n" + c.Hash + "\n" + c.RequestID)
		if (p.state == "" || p.stateOf(c) == p.state) && strings.Contains(about, strings.ToLower(p.finder.Term)) {
			p.shown = append(p.shown, c)
		}
	}
	order := authorityStates()
	slices.SortStableFunc(p.shown, func(c, d registrar.StoreCertification) int {
		return cmp.Compare(slices.Index(order, p.stateOf(c)), slices.Index(order, p.stateOf(d)))
	})
	if i := slices.IndexFunc(p.shown, func(c registrar.StoreCertification) bool { return c.RequestID == selected }); i >= 0 {
		p.table.Select(i, len(p.shown))
	}
}

// find lists others, from the first of them.
func (p *Authority) find() {
	p.table.Select(0, 0)
	p.sift()
}

func (p *Authority) current() (registrar.StoreCertification, bool) {
	if i := p.table.Cursor(); i < len(p.shown) {
		return p.shown[i], true
	}
	return registrar.StoreCertification{}, false
}

func (p *Authority) press(msg tea.KeyPressMsg) tea.Cmd {
	k := p.desk.Keys
	if changed, handled := p.finder.Take(msg, k); handled {
		if changed {
			p.find()
		}
		return nil
	}
	switch {
	case p.table.Update(msg, k, p):
		return nil
	case key.Matches(msg, k.States):
		all := authorityStates()
		p.state = all[(slices.Index(all, p.state)+1)%len(all)]
		p.find()
		return nil
	case key.Matches(msg, k.Back):
		p.finder.Clear()
		p.state = ""
		p.find()
		return nil
	}
	c, ok := p.current()
	switch {
	case !ok:
	case key.Matches(msg, k.Approve):
		return p.decide(c, "approve", "", "is approved")
	case key.Matches(msg, k.Reject):
		return desk.Ask(desk.Question{
			Text: "Reject the request of " + look.Clean(c.Domain) + "? The store is told the reason.", Fields: []desk.Field{{Label: "Reason"}},
			Do: func(answers []string) tea.Cmd { return p.decide(c, "reject", answers[0], "is rejected") },
		})
	case key.Matches(msg, k.Revoke):
		return p.revoke(c)
	case key.Matches(msg, k.Copy):
		text := cmp.Or(c.Hash, c.RequestID)
		return tea.Batch(tea.SetClipboard(text), desk.Say("Copied: "+text))
	case key.Matches(msg, k.Export):
		return p.export()
	}
	return nil
}

func (p *Authority) decide(c registrar.StoreCertification, act, reason, done string) tea.Cmd {
	return p.desk.Act(func(ctx context.Context) tea.Msg {
		after, err := p.vault.DecideRequest(ctx, c.RequestID, act, reason)
		said := desk.Said{Text: fmt.Sprintf("The request of %s %s; it is %s now.", look.Clean(c.Domain), done, after.Status), Err: err}
		return authorityActed{said}
	})
}

func (p *Authority) revoke(c registrar.StoreCertification) tea.Cmd {
	if c.Status != registrar.Active {
		return desk.Say(look.Clean(c.Domain) + " is " + c.Status + "; only one that is active can be revoked.")
	}
	return desk.Ask(desk.Question{
		Text:   "Revoke the certification of " + look.Clean(c.Domain) + "? This cannot be taken back.",
		Fields: []desk.Field{{Label: "Reason"}, {Label: "Its domain, " + c.Domain, Must: c.Domain}},
		Do: func(answers []string) tea.Cmd {
			return p.desk.Act(func(ctx context.Context) tea.Msg {
				_, err := p.vault.RevokeCertification(ctx, c.Hash, answers[0])
				return authorityActed{desk.Said{Text: "The certification of " + look.Clean(c.Domain) + " is revoked.", Err: err}}
			})
		},
	})
}

func (p *Authority) export() tea.Cmd {
	shown := slices.Clone(p.shown)
	return p.desk.Save("certifications", []string{"request_id", "domain", "store_slug", "status", "badge_code", "verification_hash"}, "certification was", "certifications were",
		desk.Each(shown, func(c registrar.StoreCertification) []string {
			return []string{c.RequestID, c.Domain, c.Store, c.Status, c.Badge, c.Hash}
		}))
}

// View implements desk.Page.
func (p *Authority) View(width, height int) string {
	l := p.desk.Look
	switch {
	case p.err != nil && !p.known:
		return p.desk.Unread("The authority", p.err, width, height)
	case !p.known:
		return p.desk.Reading(width, height)
	case len(p.stores) == 0:
		return l.Block(l.Wrap(l.Dim.Render("There is no store. One is registered with: vecctl authority store add SLUG"), width), width, height)
	}
	foot := p.details(l, width)
	body := ""
	if len(p.shown) == 0 {
		body = l.Block([]string{l.Dim.Render("There is no such certification.")}, width, height-2-len(foot))
	} else {
		body = p.table.View(l, p, width, height-2-len(foot))
	}
	return l.Block([]string{p.finder.Head(l, p.head(l), "", width), l.Dim.Render(l.Short(p.storeLine(), width))}, width, 2) + "\n" + body + "\n" + l.Block(foot, width, len(foot))
}

// head counts stores, and certifications by state.
func (p *Authority) head(l look.Look) string {
	counts := map[string]int{}
	for _, c := range p.all {
		counts[p.stateOf(c)]++
	}
	parts := []string{look.Count(len(p.stores), "store", "stores")}
	for _, state := range authorityStates()[1:] {
		if n := counts[state]; n > 0 {
			parts = append(parts, look.Number(n)+" "+l.State(state, state))
		}
	}
	if p.state != "" {
		parts = append(parts, " State: "+l.State(p.state, p.state))
	}
	return strings.Join(parts, "  ")
}

// storeLine names the stores, and what is special about each.
func (p *Authority) storeLine() string {
	var names []string
	for _, s := range p.stores {
		name := look.Clean(s.Slug)
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

// details says more of the selected certification and its store.
func (p *Authority) details(l look.Look, width int) []string {
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
	lines := []string{"", l.Short(fmt.Sprintf("%s of store %s%s, SDK %s, asked for %s", look.Clean(c.Project), look.Clean(c.Store), store, c.SDKVersion, p.desk.Clock(c.RequestedAt)), width)}
	if c.Hash != "" {
		lines = append(lines, l.Short("hash "+c.Hash, width))
	}
	if c.Reason != "" {
		lines = append(lines, l.Short("reason: "+look.Clean(c.Reason), width))
	}
	return lines
}
