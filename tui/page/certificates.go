package page

import (
	"context"
	"slices"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/desk"
	"github.com/vecctl/vecctl/tui/roster"
)

// CertificateVault is what is asked of the vault about certificates.
type CertificateVault interface {
	vaultOf
	List(ctx context.Context, f client.Filter) (client.Page[client.Certificate], error)
}

// Certificates is the page of all certificates, with search and state.
type Certificates struct {
	desk   *desk.Desk
	vault  CertificateVault
	rows   *roster.Roster
	finder desk.Finder
	state  string // "" is any
}

// NewCertificates makes the page.
func NewCertificates(d *desk.Desk, v CertificateVault) *Certificates {
	p := &Certificates{desk: d, vault: v, finder: desk.NewFinder()}
	kind := ofCertificates("certificates", "No certificate is like that.")
	kind.Concerns = func(e staff.CertificateEvent) bool {
		return p.state != "" || roster.StateAfter(e) == vault.Processing
	}
	p.rows = roster.New(d, v, kind, p.source())
	return p
}

func (p *Certificates) source() roster.Source[client.Certificate] {
	filter := client.Filter{Status: p.state, Search: p.finder.Term}
	return func(ctx context.Context, page, perPage int) (client.Page[client.Certificate], error) {
		f := filter
		f.Page, f.PerPage = page, perPage
		return p.vault.List(ctx, f)
	}
}

// Name implements desk.Page.
func (*Certificates) Name() string { return "Certificates" }

// Typing implements desk.Page.
func (p *Certificates) Typing() bool { return p.finder.Typing() }

// Keys implements desk.Page.
func (p *Certificates) Keys() []key.Binding {
	return append([]key.Binding{p.desk.Keys.Filter, p.desk.Keys.States}, p.rows.Keys()...)
}

// states are the filters by state, in the order of the key.
func states() []string { return []string{"", "processing", "approved", "failed", "revoked"} }

// Update implements desk.Page.
func (p *Certificates) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		return p.press(msg)
	case tea.PasteMsg:
		p.finder.Take(msg, p.desk.Keys)
		return nil
	case tea.MouseClickMsg:
		msg.Y -= 2
		_, _ = p.rows.Update(msg)
		return nil
	}
	cmd, _ := p.rows.Update(msg)
	return cmd
}

func (p *Certificates) press(msg tea.KeyPressMsg) tea.Cmd {
	k := p.desk.Keys
	if changed, handled := p.finder.Take(msg, k); handled {
		return p.find(changed)
	}
	if key.Matches(msg, k.States) {
		all := states()
		p.state = all[(slices.Index(all, p.state)+1)%len(all)]
		return p.find(true)
	}
	cmd, handled := p.rows.Update(msg)
	if !handled && key.Matches(msg, k.Back) && p.finder.Term+p.state != "" {
		p.finder.Clear()
		p.state = ""
		return p.find(true)
	}
	return cmd
}

func (p *Certificates) find(changed bool) tea.Cmd {
	if !changed {
		return nil
	}
	return p.rows.Reset(p.source())
}

// View implements desk.Page.
func (p *Certificates) View(width, height int) string {
	l := p.desk.Look
	head := "State: any"
	if p.state != "" {
		head = "State: " + l.State(p.state, p.state)
	}
	head = p.finder.Head(l, head, p.rows.Place(), width)
	return join(l.Block([]string{head}, width, 2), p.rows.View(width, height-2))
}
