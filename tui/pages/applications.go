package pages

import (
	"cmp"
	"context"
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/ui"
)

// Applications is the page of applications: those that wait for a decision, or those in
// another state, and the details of one.
type Applications struct {
	ui      *ui.Context
	vault   Vault
	rows    *List[adminclient.Application]
	search  ui.SearchBar
	state   string // "open" is waiting for a decision; "" is any state
	visible bool

	uuid    string // of the open one; "" shows the list
	one     adminclient.Application
	events  []adminclient.CertificateEvent
	reading bool
	stale   bool
	err     error
	lines   ui.Viewport

	result approvalResults
}

// NewApplications returns the page.
func NewApplications(d *ui.Context, v Vault) *Applications {
	p := &Applications{ui: d, vault: v, state: "open", search: ui.NewSearchBar(), lines: ui.NewViewport()}
	p.rows = NewList(d, ListSpec[adminclient.Application]{
		Name: "applications", Label: Label{One: "application", Many: "applications"}, EmptyText: noApplicationsText,
		Columns: []ui.Column{
			{Title: "name", Min: 16, Max: 34}, {Title: "title", Min: 16, Max: 40}, {Title: "state", Min: 10}, {Title: "since", Min: 7, Right: true},
			{Title: "by", Min: 12, Max: 20, DropOrder: 1}, {Title: "reference", Min: 24, DropOrder: 2}, {Title: "e-mail", Min: 16, Max: 40, DropOrder: 3},
		},
		CertificateOf: func(a *adminclient.Application) *client.Certificate { return &a.Certificate },
		Cells: func(a adminclient.Application) []string {
			by, since := lastChange(a)
			return []string{a.Name, a.Title, a.Status.Value, ui.FormatDuration(d.Now().Sub(since)), by, a.ReferenceID, a.Email}
		},
		Heading: []string{"uuid", "reference_id", "status", "certificate_title", "full_name", "applicant_email", "details", "submitted_at",
			"proof", "submitted_by", "evidence", "review_by", "review_at", "decided_by", "decided_at", "reason"},
		Record:   applicationRecord,
		Concerns: isApplicationEvent,
	}, p.source())
	return p
}

const noApplicationsText = "No application waits for a decision. To set who may apply, and for what, run: vecctl institution applying"

// isApplicationEvent reports whether an event is about an application.
func isApplicationEvent(e adminclient.CertificateEvent) bool {
	return e.Source == string(vault.FromCustomer)
}

// lastChange returns the staff member of the last change of an application, and its time.
func lastChange(a adminclient.Application) (by string, since time.Time) {
	switch {
	case a.Decision != nil:
		return a.Decision.By, a.Decision.At
	case a.Review != nil:
		return a.Review.By, a.Review.At
	}
	return "", a.CreatedAt
}

func applicationRecord(a adminclient.Application) []string {
	review, decision, evidence := cmp.Or(a.Review, &adminclient.Review{}), cmp.Or(a.Decision, &adminclient.Decision{}), cmp.Or(a.Evidence, &adminclient.Evidence{})
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.RFC3339)
	}
	return []string{a.UUID, a.ReferenceID, a.Status.Value, a.Title, a.Name, a.Email, a.Details, at(a.CreatedAt),
		a.Proof, a.SubmittedBy, evidence.Name, review.By, at(review.At), decision.By, at(decision.At), decision.Reason}
}

func (p *Applications) source() ListSource[adminclient.Application] {
	filter := adminclient.ApplicationFilter{Status: p.state, Search: p.search.Term}
	return func(ctx context.Context, page ListPage) (client.Page[adminclient.Application], error) {
		f := filter
		f.Page, f.PerPage = page.Number, page.Size
		return p.vault.Applications(ctx, f)
	}
}

// Name implements ui.Page.
func (*Applications) Name() string { return "Applications" }

// Typing implements ui.Page.
func (p *Applications) Typing() bool { return p.search.Typing() }

// Keys implements ui.Page.
func (p *Applications) Keys() []key.Binding {
	k := p.ui.Keys
	keys := []key.Binding{k.OpenEvidence, k.Review, k.Approve, k.Reject}
	if p.uuid != "" {
		return slices.Concat([]key.Binding{k.Back}, keys, []key.Binding{k.Enter, k.Copy, k.Export}, k.Navigation())
	}
	return slices.Concat([]key.Binding{k.Enter}, keys, []key.Binding{k.NextState, k.Filter, k.Mark, k.Range, k.Copy, k.Export, k.Back}, k.Navigation())
}

// applicationLoadedMsg is one application with its events.
type applicationLoadedMsg struct {
	uuid    string
	one     adminclient.Application
	history adminclient.CertificateHistory
	err     error
}

// Update implements ui.Page.
func (p *Applications) Update(msg tea.Msg) tea.Cmd {
	var more tea.Cmd
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		return p.press(msg)
	case tea.PasteMsg:
		p.search.Update(msg, p.ui.Keys)
		return nil
	case tea.MouseClickMsg:
		if p.uuid == "" {
			msg.Y -= 2
			_, _ = p.rows.Update(msg)
		}
		return nil
	case tea.MouseWheelMsg:
		if p.uuid != "" {
			p.lines.Update(msg, p.ui.Keys)
			return nil
		}
	case applicationLoadedMsg:
		p.onLoaded(msg)
	case decisionMsg:
		p.stale = true
		more = p.afterDecision(msg)
	case issueFailedMsg:
		return func() tea.Msg { return ui.ResultMsg{Err: msg.err} }
	case ui.PageShownMsg:
		p.visible, p.stale = true, true
	case ui.PageHiddenMsg:
		p.visible = false
	case ui.EventsMsg:
		more = p.onEvents(msg.Messages)
	case ui.ConnStateMsg:
		p.stale = p.stale || msg.Up
	case ui.TickMsg:
		p.stale = p.stale || p.err != nil
	}
	cmd, _ := p.rows.Update(msg)
	return tea.Batch(more, cmd, p.read())
}

func (p *Applications) onEvents(messages []adminclient.Message) tea.Cmd {
	var said tea.Cmd
	for _, m := range messages {
		if m.Snapshot != nil {
			p.stale, p.result = true, approvalResults{}
		}
		if e := m.Certificate; e != nil {
			p.stale = p.stale || e.UUID == p.uuid
			said = tea.Batch(said, p.onCertificate(*e))
		}
	}
	return said
}

// read reads the open application again if it may have changed.
func (p *Applications) read() tea.Cmd {
	if p.uuid == "" || !p.visible || !p.stale || p.reading {
		return nil
	}
	p.stale, p.reading = false, true
	uuid := p.uuid
	return p.ui.Query(func(ctx context.Context) tea.Msg {
		one, err := p.vault.Application(ctx, uuid)
		if err != nil {
			return applicationLoadedMsg{uuid: uuid, err: err}
		}
		story, err := p.vault.History(ctx, uuid)
		return applicationLoadedMsg{uuid, one, story, err}
	})
}

func (p *Applications) onLoaded(m applicationLoadedMsg) {
	if m.uuid != p.uuid {
		return
	}
	p.reading, p.err = false, m.err
	if m.err == nil {
		p.one, p.events = m.one, m.history.Events
	}
}

// applicationStates returns the filters by state, in the order of the key.
func applicationStates() []string {
	return []string{"open", "pending", "in_review", "processing", "approved", "failed", "rejected", "revoked", ""}
}

func (p *Applications) press(msg tea.KeyPressMsg) tea.Cmd {
	k := p.ui.Keys
	if p.uuid != "" {
		return p.pressOne(msg)
	}
	if changed, handled := p.search.Update(msg, k); handled {
		return p.reload(changed)
	}
	if key.Matches(msg, k.NextState) {
		all := applicationStates()
		p.state = all[(slices.Index(all, p.state)+1)%len(all)]
		return p.reload(true)
	}
	if cmd, handled := p.rows.Update(msg); handled {
		return cmd
	}
	if key.Matches(msg, k.Back) && (p.search.Term != "" || p.state != "open") {
		p.search.Clear()
		p.state = "open"
		return p.reload(true)
	}
	a, ok := p.rows.Current()
	if !ok {
		return nil
	}
	if key.Matches(msg, k.Enter) {
		// The data of the list is shown until the details are loaded.
		p.uuid, p.one, p.events, p.err, p.stale, p.reading = a.UUID, a, nil, nil, true, false
		p.lines.Top()
		return p.read()
	}
	return p.act(msg, a, p.rows.Marked())
}

func (p *Applications) reload(changed bool) tea.Cmd {
	if !changed {
		return nil
	}
	p.rows.EmptyText = "No application matches."
	if p.search.Term == "" && p.state == "open" {
		p.rows.EmptyText = noApplicationsText
	}
	return p.rows.SetSource(p.source())
}

func (p *Applications) pressOne(msg tea.KeyPressMsg) tea.Cmd {
	k := p.ui.Keys
	if p.lines.Update(msg, k) {
		return nil
	}
	switch {
	case key.Matches(msg, k.Back):
		p.uuid = ""
		return nil
	case key.Matches(msg, k.Enter):
		if uuid := p.uuid; hasCertificate(p.one) {
			return func() tea.Msg { return OpenCertificateMsg{UUID: uuid} }
		}
		return ui.ShowResult("There is no certificate yet: " + p.one.ReferenceID + " is " + p.one.Status.Value + ".")
	case key.Matches(msg, k.Copy):
		return CopyToClipboard(p.one.ReferenceID)
	case key.Matches(msg, k.Export):
		return ExportEvents(p.ui, p.one.ReferenceID, p.events)
	}
	return p.act(msg, p.one, nil)
}

// hasCertificate reports whether an application has become a certificate, or is about to
// become one.
func hasCertificate(a adminclient.Application) bool {
	return !awaitsDecision(a) && !a.Status.Is(vault.Rejected)
}

// awaitsDecision reports whether an application waits for a decision.
func awaitsDecision(a adminclient.Application) bool {
	return a.Status.Is(vault.Pending, vault.InReview)
}
