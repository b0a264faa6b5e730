package pages

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/ui"
)

// CertificateDetail is the page of one certificate and its history.
type CertificateDetail struct {
	ui      *ui.Context
	vault   Vault
	uuid    string
	history adminclient.CertificateHistory
	mails   []adminclient.Mail // newest first
	known   bool
	reading bool
	stale   bool
	asked   time.Time
	err     error
	lines   ui.Viewport
}

// NewCertificateDetail returns the page.
func NewCertificateDetail(d *ui.Context, v Vault) *CertificateDetail {
	return &CertificateDetail{ui: d, vault: v, lines: ui.NewViewport()}
}

// Name implements ui.Page.
func (*CertificateDetail) Name() string { return "Certificate" }

// Typing implements ui.Page.
func (*CertificateDetail) Typing() bool { return false }

// Keys implements ui.Page.
func (p *CertificateDetail) Keys() []key.Binding {
	k := p.ui.Keys
	keys := []key.Binding{k.Back, k.Retry, k.Open, k.OpenPage, k.Copy, k.CopyLink, k.Export}
	if !p.ui.Remote {
		keys = append(keys, k.Revoke)
	}
	return append(keys, k.Navigation()...)
}

// Messages of this page.
type (
	certificateLoadedMsg struct {
		uuid    string
		history adminclient.CertificateHistory
		mails   []adminclient.Mail
		err     error
	}
	certificateActionMsg struct{ result ui.ResultMsg }
)

// Update implements ui.Page.
func (p *CertificateDetail) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case OpenCertificateMsg:
		p.uuid, p.known, p.err, p.stale, p.reading = msg.UUID, false, nil, true, false
		p.lines.Top()
		return p.read()
	case certificateLoadedMsg:
		if msg.uuid != p.uuid {
			return nil
		}
		p.reading, p.err = false, msg.err
		if msg.err == nil {
			p.history, p.mails, p.known = msg.history, msg.mails, true
		}
		return p.read()
	case certificateActionMsg:
		p.stale = true
		return tea.Batch(p.read(), func() tea.Msg { return msg.result })
	case ui.EventsMsg:
		for _, m := range msg.Messages {
			p.stale = p.stale || m.Snapshot != nil || m.Certificate != nil && m.Certificate.UUID == p.uuid
		}
		return p.read()
	case ui.ConnStateMsg:
		p.stale = p.stale || msg.Up
		return p.read()
	case ui.PageHiddenMsg:
		p.uuid = ""
	case ui.TickMsg:
		// Mails cause no events in the stream.
		const now = 5 * time.Second
		p.stale = p.stale || p.ui.Now().Sub(p.asked) > now
		return p.read()
	case tea.MouseWheelMsg:
		p.lines.Update(msg, p.ui.Keys)
	case tea.KeyPressMsg:
		return p.press(msg)
	}
	return nil
}

// read reads the history again if it may have changed.
func (p *CertificateDetail) read() tea.Cmd {
	if p.uuid == "" || !p.stale || p.reading {
		return nil
	}
	p.stale, p.reading, p.asked = false, true, p.ui.Now()
	uuid := p.uuid
	return p.ui.Query(func(ctx context.Context) tea.Msg {
		if !p.ui.Remote {
			const latest = 50
			s, err := p.vault.History(ctx, uuid)
			if err != nil {
				return certificateLoadedMsg{uuid: uuid, err: err}
			}
			mails, err := p.vault.Mails(ctx, adminclient.MailFilter{Certificate: uuid, Limit: latest})
			return certificateLoadedMsg{uuid, s, mails, err}
		}
		c, err := p.vault.Certificate(ctx, uuid)
		return certificateLoadedMsg{uuid, adminclient.CertificateHistory{Certificate: c}, nil, err}
	})
}

func (p *CertificateDetail) press(msg tea.KeyPressMsg) tea.Cmd {
	if p.lines.Update(msg, p.ui.Keys) || !p.known {
		return nil
	}
	return p.act(msg)
}

func (p *CertificateDetail) act(msg tea.KeyPressMsg) tea.Cmd {
	k, c := p.ui.Keys, p.history.Certificate
	switch {
	case key.Matches(msg, k.Retry):
		return p.ui.Do(func(ctx context.Context) tea.Msg {
			_, err := p.vault.Retry(ctx, c.UUID)
			return certificateActionMsg{ui.ResultMsg{Text: c.ReferenceID + " is processed again.", Err: err}}
		})
	case key.Matches(msg, k.Revoke) && !p.ui.Remote:
		return p.revoke(c)
	case key.Matches(msg, k.Open):
		return OpenCertificatePDF(p.ui, p.vault, c)
	case key.Matches(msg, k.OpenPage):
		return OpenCertificatePage(p.ui, c)
	case key.Matches(msg, k.Copy):
		return CopyToClipboard(c.ReferenceID)
	case key.Matches(msg, k.CopyLink):
		return CopyToClipboard(c.VerifyURL)
	case key.Matches(msg, k.Export):
		return ExportEvents(p.ui, p.history.Certificate.ReferenceID, p.history.Events)
	}
	return nil
}

func (p *CertificateDetail) revoke(c client.Certificate) tea.Cmd {
	if !c.Status.Is(vault.Approved) {
		return ui.ShowResult(c.ReferenceID + " is " + c.Status.Value + "; only an approved certificate can be revoked.")
	}
	return ui.OpenDialog(ui.DialogMsg{
		Text:   "Revoke the certificate of " + ui.Sanitize(c.Name) + "? Anyone who checks it will see the reason. This cannot be undone.",
		Fields: []ui.Field{{Label: "Reason"}, {Label: "Its reference, " + c.ReferenceID, Expected: c.ReferenceID}},
		Do: func(answers []string) tea.Cmd {
			return p.ui.Do(func(ctx context.Context) tea.Msg {
				_, err := p.vault.Revoke(ctx, c.UUID, answers[0])
				return certificateActionMsg{ui.ResultMsg{Text: c.ReferenceID + " is revoked.", Err: err}}
			})
		},
	})
}

// View implements ui.Page.
func (p *CertificateDetail) View(width, height int) string {
	l := p.ui.Theme
	switch {
	case p.err != nil && !p.known:
		return p.ui.ErrorView("It", p.err, width, height)
	case !p.known:
		return p.ui.LoadingView(width, height)
	}
	return p.lines.View(l, p.detailLines(l, width), width, height)
}

// detailLines returns the details and the history.
func (p *CertificateDetail) detailLines(l ui.Theme, width int) []string {
	c := p.history.Certificate
	var lines []string
	say := func(label, text string) { lines = append(lines, l.LabelLines(label, text, 15, width)...) }
	lines = append(lines, l.Strong.Render(c.ReferenceID)+"  "+l.StateText(DisplayState(c), DisplayState(c)), "")
	say("name", c.Name)
	content := c.Vault()
	for _, f := range vault.Fields() {
		if f.ID != vault.FieldName {
			say(f.Label, f.Get(content))
		}
	}
	say("failure reason", orEmpty(c.FailureReason))
	if r := c.Revocation; r != nil {
		say("revoked", p.ui.FormatTime(r.At)+": "+r.Reason)
	}
	if c.File.Name != "" {
		say("file", fmt.Sprintf("%s, %s bytes", c.File.Name, ui.FormatNumber(int(c.File.Size))))
	}
	if v := c.Verified; v != nil {
		say("verified PDF", fmt.Sprintf("%s, %s bytes", v.Name, ui.FormatNumber(int(v.Size))))
		say("SHA-256", v.SHA256)
	}
	say("batch", orEmpty(c.BatchID))
	if !c.Status.Is(vault.Pending, vault.InReview, vault.Rejected) {
		say("page", c.VerifyURL) // an application has none
		if c.ShareURL != c.VerifyURL {
			say("shared page", c.ShareURL)
		}
	}
	say("UUID", c.UUID)
	lines = append(lines, p.lineageLines(l)...)
	lines = append(lines, TimelineLines(p.ui, p.history.Events)...)
	return append(lines, p.mailLines(l)...)
}

// mailLines lists the mails, the oldest first.
func (p *CertificateDetail) mailLines(l ui.Theme) []string {
	if len(p.mails) == 0 {
		return nil
	}
	lines := []string{"", l.Strong.Render("Mails")}
	for _, m := range slices.Backward(p.mails) {
		at, note := m.CreatedAt, m.Kind+" to "+cmp.Or(m.To, "staff")
		if m.SentAt != nil {
			at = *m.SentAt
		}
		if m.Reason != "" {
			note += ": " + m.Reason
		}
		lines = append(lines, "  "+l.Fit(p.ui.FormatTime(at), 19)+"  "+l.StateText(m.State, l.Fit(m.State, 10))+"  "+l.Dim.Render(ui.Sanitize(note)))
	}
	return lines
}

// lineageLines lists the chain of corrections of the certificate.
func (p *CertificateDetail) lineageLines(l ui.Theme) []string {
	if len(p.history.Chain) < 2 {
		return nil
	}
	lines := []string{"", l.Strong.Render("Corrections, the oldest first")}
	for _, c := range p.history.Chain {
		sign := "  "
		if c.UUID == p.history.Certificate.UUID {
			sign = "> "
		}
		lines = append(lines, sign+c.ReferenceID+"  "+l.StateText(DisplayState(c), l.Fit(DisplayState(c), 10))+"  "+p.ui.FormatTime(c.CreatedAt)+"  "+ui.Sanitize(c.Name))
	}
	return lines
}
