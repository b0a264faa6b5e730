package pages

import (
	"context"
	"slices"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/ui"
)

// Certificates is the page of all certificates, with a search and a filter by state.
type Certificates struct {
	ui     *ui.Context
	vault  Vault
	rows   *CertificateList
	search ui.SearchBar
	state  string // "" is any
}

// NewCertificates returns the page.
func NewCertificates(d *ui.Context, v Vault) *Certificates {
	p := &Certificates{ui: d, vault: v, search: ui.NewSearchBar()}
	kind := certificateListSpec("certificates", "No certificate matches.")
	kind.Concerns = func(e adminclient.CertificateEvent) bool {
		return p.state != "" || StateAfter(e) == vault.Processing
	}
	p.rows = NewCertificateList(d, v, kind, p.source())
	return p
}

func (p *Certificates) source() ListSource[client.Certificate] {
	filter := client.Filter{Status: p.state, Search: p.search.Term}
	return func(ctx context.Context, page ListPage) (client.Page[client.Certificate], error) {
		f := filter
		f.Page, f.PerPage = page.Number, page.Size
		return p.vault.List(ctx, f)
	}
}

// Name implements ui.Page.
func (*Certificates) Name() string { return "Certificates" }

// Typing implements ui.Page.
func (p *Certificates) Typing() bool { return p.search.Typing() }

// Keys implements ui.Page.
func (p *Certificates) Keys() []key.Binding {
	return append([]key.Binding{p.ui.Keys.Filter, p.ui.Keys.NextState}, p.rows.Keys()...)
}

// certificateStates returns the filters by state, in the order of the key.
func certificateStates() []string { return []string{"", "processing", "approved", "failed", "revoked"} }

// Update implements ui.Page.
func (p *Certificates) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		return p.press(msg)
	case tea.PasteMsg:
		p.search.Update(msg, p.ui.Keys)
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
	k := p.ui.Keys
	if changed, handled := p.search.Update(msg, k); handled {
		return p.reload(changed)
	}
	if key.Matches(msg, k.NextState) {
		all := certificateStates()
		p.state = all[(slices.Index(all, p.state)+1)%len(all)]
		return p.reload(true)
	}
	cmd, handled := p.rows.Update(msg)
	if !handled && key.Matches(msg, k.Back) && p.search.Term+p.state != "" {
		p.search.Clear()
		p.state = ""
		return p.reload(true)
	}
	return cmd
}

func (p *Certificates) reload(changed bool) tea.Cmd {
	if !changed {
		return nil
	}
	return p.rows.SetSource(p.source())
}

// View implements ui.Page.
func (p *Certificates) View(width, height int) string {
	l := p.ui.Theme
	head := "State: any"
	if p.state != "" {
		head = "State: " + l.StateText(p.state, p.state)
	}
	head = p.search.Header(l, head, p.rows.Position(), width)
	return joinLines(l.Block([]string{head}, width, 2), p.rows.View(width, height-2))
}
