// Package applications is the page of what people apply for: the queue, one of it,
// and the decisions about it.
package applications

import (
	"cmp"
	"context"
	"io"
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/desk"
	"github.com/vecctl/vecctl/tui/look"
	"github.com/vecctl/vecctl/tui/roster"
	"github.com/vecctl/vecctl/tui/scroll"
	"github.com/vecctl/vecctl/tui/table"
)

// Vault is what is asked of the vault about what people apply for.
type Vault interface {
	Decider
	Applications(ctx context.Context, f staff.ApplicationFilter) (client.Page[staff.Application], error)
	Application(ctx context.Context, name string) (staff.Application, error)
	ApplicationEvidence(ctx context.Context, name string, w io.Writer) (int64, error)
	Story(ctx context.Context, name string) (staff.Story, error)
}

// Page is the page of what people apply for: the queue of those that wait
// for a decision, or those of another state, and one of them.
type Page struct {
	desk    *desk.Desk
	vault   Vault
	rows    *roster.List[staff.Application]
	finder  desk.Finder
	state   string // "open" is those that wait; "" is any
	visible bool

	uuid    string // of the one that is looked at; "" lists them
	one     staff.Application
	events  []staff.CertificateEvent
	reading bool
	stale   bool
	err     error
	lines   scroll.Scroll

	result result
}

// New makes the page.
func New(d *desk.Desk, v Vault) *Page {
	p := &Page{desk: d, vault: v, state: "open", finder: desk.NewFinder(), lines: scroll.New()}
	p.rows = roster.NewList(d, roster.Kind[staff.Application]{
		Name: "applications", Noun: roster.Noun{One: "application", Many: "applications"}, Empty: noneWaits,
		Columns: []table.Column{
			{Title: "name", Min: 16, Max: 34}, {Title: "title", Min: 16, Max: 40}, {Title: "state", Min: 10}, {Title: "since", Min: 7, Right: true},
			{Title: "by", Min: 12, Max: 20, Keep: 1}, {Title: "reference", Min: 24, Keep: 2}, {Title: "e-mail", Min: 16, Max: 40, Keep: 3},
		},
		Of: func(a *staff.Application) *client.Certificate { return &a.Certificate },
		Cells: func(a staff.Application) []string {
			by, since := lately(a)
			return []string{a.Name, a.Title, a.Status.Value, look.Span(d.Now().Sub(since)), by, a.ReferenceID, a.Email}
		},
		Heading: []string{"uuid", "reference_id", "status", "certificate_title", "full_name", "applicant_email", "details", "submitted_at",
			"proof", "submitted_by", "evidence", "review_by", "review_at", "decided_by", "decided_at", "reason"},
		Record:   applicationRecord,
		Concerns: ofCustomers,
	}, p.source())
	return p
}

const noneWaits = "No application waits for a decision. Who may apply, and for what, is said with: vecctl institution applying"

// ofCustomers tells whether an event is of an application.
func ofCustomers(e staff.CertificateEvent) bool { return e.Source == string(vault.FromCustomer) }

// lately is who of the staff did something to an application last, and since when it
// stands as it does.
func lately(a staff.Application) (by string, since time.Time) {
	switch {
	case a.Decision != nil:
		return a.Decision.By, a.Decision.At
	case a.Review != nil:
		return a.Review.By, a.Review.At
	}
	return "", a.CreatedAt
}

func applicationRecord(a staff.Application) []string {
	review, decision, evidence := cmp.Or(a.Review, &staff.Review{}), cmp.Or(a.Decision, &staff.Decision{}), cmp.Or(a.Evidence, &staff.Evidence{})
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.RFC3339)
	}
	return []string{a.UUID, a.ReferenceID, a.Status.Value, a.Title, a.Name, a.Email, a.Details, at(a.CreatedAt),
		a.Proof, a.SubmittedBy, evidence.Name, review.By, at(review.At), decision.By, at(decision.At), decision.Reason}
}

func (p *Page) source() roster.Source[staff.Application] {
	filter := staff.ApplicationFilter{Status: p.state, Search: p.finder.Term}
	return func(ctx context.Context, page, perPage int) (client.Page[staff.Application], error) {
		f := filter
		f.Page, f.PerPage = page, perPage
		return p.vault.Applications(ctx, f)
	}
}

// Name implements desk.Page.
func (*Page) Name() string { return "Applications" }

// Typing implements desk.Page.
func (p *Page) Typing() bool { return p.finder.Typing() }

// Keys implements desk.Page.
func (p *Page) Keys() []key.Binding {
	k := p.desk.Keys
	keys := []key.Binding{k.OpenEvidence, k.Review, k.Approve, k.Reject}
	if p.uuid != "" {
		return slices.Concat([]key.Binding{k.Back}, keys, []key.Binding{k.Enter, k.Copy, k.Export}, k.Moves())
	}
	return slices.Concat([]key.Binding{k.Enter}, keys, []key.Binding{k.States, k.Filter, k.Mark, k.Range, k.Copy, k.Export, k.Back}, k.Moves())
}

// applicationRead is one application and what happened to it.
type applicationRead struct {
	uuid  string
	one   staff.Application
	story staff.Story
	err   error
}

// Update implements desk.Page.
func (p *Page) Update(msg tea.Msg) tea.Cmd {
	var more tea.Cmd
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		return p.press(msg)
	case tea.PasteMsg:
		p.finder.Take(msg, p.desk.Keys)
		return nil
	case tea.MouseClickMsg:
		if p.uuid == "" {
			msg.Y -= 2
			_, _ = p.rows.Update(msg)
		}
		return nil
	case tea.MouseWheelMsg:
		if p.uuid != "" {
			p.lines.Update(msg, p.desk.Keys)
			return nil
		}
	case applicationRead:
		p.take(msg)
	case decided:
		p.stale = true
		more = p.afterDecision(msg)
	case failedFor:
		return func() tea.Msg { return desk.Said{Err: msg.err} }
	case desk.Shown:
		p.visible, p.stale = true, true
	case desk.Hidden:
		p.visible = false
	case desk.News:
		more = p.hear(msg.Messages)
	case desk.Link:
		p.stale = p.stale || msg.Up
	case desk.Tick:
		p.stale = p.stale || p.err != nil
	}
	cmd, _ := p.rows.Update(msg)
	return tea.Batch(more, cmd, p.read())
}

func (p *Page) hear(messages []staff.Message) tea.Cmd {
	var said tea.Cmd
	for _, m := range messages {
		if m.Snapshot != nil {
			p.stale, p.result = true, result{}
		}
		if e := m.Certificate; e != nil {
			p.stale = p.stale || e.UUID == p.uuid
			said = tea.Batch(said, p.settle(*e))
		}
	}
	return said
}

// read asks for the application that is looked at when what is shown may be old.
func (p *Page) read() tea.Cmd {
	if p.uuid == "" || !p.visible || !p.stale || p.reading {
		return nil
	}
	p.stale, p.reading = false, true
	uuid := p.uuid
	return p.desk.Ask(func(ctx context.Context) tea.Msg {
		one, err := p.vault.Application(ctx, uuid)
		if err != nil {
			return applicationRead{uuid: uuid, err: err}
		}
		story, err := p.vault.Story(ctx, uuid)
		return applicationRead{uuid, one, story, err}
	})
}

func (p *Page) take(m applicationRead) {
	if m.uuid != p.uuid {
		return
	}
	p.reading, p.err = false, m.err
	if m.err == nil {
		p.one, p.events = m.one, m.story.Events
	}
}

// applicationStates are the filters by state, in the order of the key.
func applicationStates() []string {
	return []string{"open", "pending", "in_review", "processing", "approved", "failed", "rejected", "revoked", ""}
}

func (p *Page) press(msg tea.KeyPressMsg) tea.Cmd {
	k := p.desk.Keys
	if p.uuid != "" {
		return p.pressOne(msg)
	}
	if changed, handled := p.finder.Take(msg, k); handled {
		return p.find(changed)
	}
	if key.Matches(msg, k.States) {
		all := applicationStates()
		p.state = all[(slices.Index(all, p.state)+1)%len(all)]
		return p.find(true)
	}
	if cmd, handled := p.rows.Update(msg); handled {
		return cmd
	}
	if key.Matches(msg, k.Back) && (p.finder.Term != "" || p.state != "open") {
		p.finder.Clear()
		p.state = "open"
		return p.find(true)
	}
	a, ok := p.rows.Current()
	if !ok {
		return nil
	}
	if key.Matches(msg, k.Enter) {
		// What the list has is shown until all is read.
		p.uuid, p.one, p.events, p.err, p.stale, p.reading = a.UUID, a, nil, nil, true, false
		p.lines.Top()
		return p.read()
	}
	return p.act(msg, a, p.rows.Marked())
}

func (p *Page) find(changed bool) tea.Cmd {
	if !changed {
		return nil
	}
	p.rows.Empty = "No application is like that."
	if p.finder.Term == "" && p.state == "open" {
		p.rows.Empty = noneWaits
	}
	return p.rows.Reset(p.source())
}

func (p *Page) pressOne(msg tea.KeyPressMsg) tea.Cmd {
	k := p.desk.Keys
	if p.lines.Update(msg, k) {
		return nil
	}
	switch {
	case key.Matches(msg, k.Back):
		p.uuid = ""
		return nil
	case key.Matches(msg, k.Enter):
		if uuid := p.uuid; hasCertificate(p.one) {
			return func() tea.Msg { return roster.Chosen{UUID: uuid} }
		}
		return desk.Say("There is no certificate: " + p.one.ReferenceID + " is " + p.one.Status.Value + ".")
	case key.Matches(msg, k.Copy):
		return roster.Copy(p.one.ReferenceID)
	case key.Matches(msg, k.Export):
		return roster.SaveEvents(p.desk, p.one.ReferenceID, p.events)
	}
	return p.act(msg, p.one, nil)
}

// hasCertificate tells whether an application has become a certificate, or is about
// to.
func hasCertificate(a staff.Application) bool {
	return !waits(a) && !a.Status.Is(vault.Rejected)
}

// waits tells whether an application waits for a decision.
func waits(a staff.Application) bool {
	return a.Status.Is(vault.Pending, vault.InReview)
}
