package page

import (
	"context"
	"slices"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/tui/desk"
	"github.com/vecctl/vecctl/tui/look"
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
	prompt desk.Prompt
	search string
	state  string // "" is any
}

// NewCertificates makes the page.
func NewCertificates(d *desk.Desk, v CertificateVault) *Certificates {
	p := &Certificates{desk: d, vault: v, prompt: desk.NewPrompt("Search: ")}
	kind := ofCertificates("certificates", "No certificate is like that.")
	kind.Concerns = func(e client.CertificateEvent) bool {
		return p.state != "" || roster.StateAfter(e) == "processing"
	}
	p.rows = roster.New(d, v, kind, p.source())
	return p
}

func (p *Certificates) source() roster.Source[client.Certificate] {
	filter := client.Filter{Status: p.state, Search: p.search}
	return func(ctx context.Context, page, perPage int) (client.Page[client.Certificate], error) {
		f := filter
		f.Page, f.PerPage = page, perPage
		return p.vault.List(ctx, f)
	}
}

// Name implements desk.Page.
func (*Certificates) Name() string { return "Certificates" }

// Typing implements desk.Page.
func (p *Certificates) Typing() bool { return p.prompt.IsOpen() }

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
		if p.Typing() {
			p.prompt.Take(msg)
			return nil
		}
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
	if p.Typing() {
		switch {
		case key.Matches(msg, k.Enter):
			p.prompt.Close(p.prompt.Text())
			return p.find(p.prompt.Text(), p.state)
		case key.Matches(msg, k.Back):
			p.prompt.Close(p.search)
			return nil
		}
		p.prompt.Take(msg)
		return nil
	}
	switch {
	case key.Matches(msg, k.Filter):
		p.prompt.Open()
		return nil
	case key.Matches(msg, k.States):
		all := states()
		return p.find(p.search, all[(slices.Index(all, p.state)+1)%len(all)])
	}
	cmd, handled := p.rows.Update(msg)
	if !handled && key.Matches(msg, k.Back) && p.search+p.state != "" {
		p.prompt.Close("")
		return p.find("", "")
	}
	return cmd
}

func (p *Certificates) find(search, state string) tea.Cmd {
	if search == p.search && state == p.state {
		return nil
	}
	p.search, p.state = search, state
	return p.rows.Reset(p.source())
}

// View implements desk.Page.
func (p *Certificates) View(width, height int) string {
	l := p.desk.Look
	head := "State: any"
	if p.state != "" {
		head = "State: " + l.State(p.state, p.state)
	}
	switch {
	case p.Typing():
		head = p.prompt.View(width)
	case p.search != "":
		head += "   Search: " + l.Strong.Render(look.Clean(p.search))
	}
	if place := p.rows.Place(); place != "" && !p.Typing() {
		head = l.Fit(head, width-l.Width(place)-2) + "  " + l.Dim.Render(place)
	}
	return join(l.Block([]string{head}, width, 2), p.rows.View(width, height-2))
}
