package page

import (
	"cmp"
	"context"
	"fmt"
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
)

// StoryVault is what is asked of the vault about one certificate.
type StoryVault interface {
	vaultOf
	Story(ctx context.Context, name string) (staff.Story, error)
	Certificate(ctx context.Context, name string) (client.Certificate, error)
	Mails(ctx context.Context, f staff.MailFilter) ([]staff.Mail, error)
}

// Revoker is a vault that takes certificates back.
type Revoker interface {
	Revoke(ctx context.Context, name, reason string) (client.Certificate, error)
}

// Story is the page of one certificate and everything that happened to it.
type Story struct {
	desk    *desk.Desk
	vault   StoryVault
	revoker Revoker // nil where certificates cannot be taken back
	uuid    string
	story   staff.Story
	mails   []staff.Mail // newest first
	known   bool
	reading bool
	stale   bool
	asked   time.Time
	err     error
	lines   scroll.Scroll
}

// NewStory makes the page.
func NewStory(d *desk.Desk, v StoryVault) *Story {
	p := &Story{desk: d, vault: v, lines: scroll.New()}
	p.revoker, _ = v.(Revoker)
	if d.Remote {
		p.revoker = nil
	}
	return p
}

// Name implements desk.Page.
func (*Story) Name() string { return "Certificate" }

// Aside tells that the page comes up only when a certificate is chosen.
func (*Story) Aside() bool { return true }

// Typing implements desk.Page.
func (*Story) Typing() bool { return false }

// Keys implements desk.Page.
func (p *Story) Keys() []key.Binding {
	k := p.desk.Keys
	keys := []key.Binding{k.Back, k.Retry, k.Open, k.OpenPage, k.Copy, k.CopyLink, k.Export}
	if p.revoker != nil {
		keys = append(keys, k.Revoke)
	}
	return append(keys, k.Moves()...)
}

// Messages of this page.
type (
	storyRead struct {
		uuid  string
		story staff.Story
		mails []staff.Mail
		err   error
	}
	storyActed struct{ said desk.Said }
)

// Update implements desk.Page.
func (p *Story) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case roster.Chosen:
		p.uuid, p.known, p.err, p.stale, p.reading = msg.UUID, false, nil, true, false
		p.lines.Top()
		return p.read()
	case storyRead:
		if msg.uuid != p.uuid {
			return nil
		}
		p.reading, p.err = false, msg.err
		if msg.err == nil {
			p.story, p.mails, p.known = msg.story, msg.mails, true
		}
		return p.read()
	case storyActed:
		p.stale = true
		return tea.Batch(p.read(), func() tea.Msg { return msg.said })
	case desk.News:
		for _, m := range msg.Messages {
			p.stale = p.stale || m.Snapshot != nil || m.Certificate != nil && m.Certificate.UUID == p.uuid
		}
		return p.read()
	case desk.Link:
		p.stale = p.stale || msg.Up
		return p.read()
	case desk.Hidden:
		p.uuid = ""
	case desk.Tick:
		// Mails go their way without a word in the event stream.
		const now = 5 * time.Second
		p.stale = p.stale || p.desk.Now().Sub(p.asked) > now
		return p.read()
	case tea.MouseWheelMsg:
		p.lines.Update(msg, p.desk.Keys)
	case tea.KeyPressMsg:
		return p.press(msg)
	}
	return nil
}

// read asks for the story when what is shown may be old.
func (p *Story) read() tea.Cmd {
	if p.uuid == "" || !p.stale || p.reading {
		return nil
	}
	p.stale, p.reading, p.asked = false, true, p.desk.Now()
	uuid := p.uuid
	return p.desk.Ask(func(ctx context.Context) tea.Msg {
		if !p.desk.Remote {
			const latest = 50
			s, err := p.vault.Story(ctx, uuid)
			if err != nil {
				return storyRead{uuid: uuid, err: err}
			}
			mails, err := p.vault.Mails(ctx, staff.MailFilter{Certificate: uuid, Limit: latest})
			return storyRead{uuid, s, mails, err}
		}
		c, err := p.vault.Certificate(ctx, uuid)
		return storyRead{uuid, staff.Story{Certificate: c}, nil, err}
	})
}

func (p *Story) press(msg tea.KeyPressMsg) tea.Cmd {
	if p.lines.Update(msg, p.desk.Keys) || !p.known {
		return nil
	}
	return p.act(msg)
}

func (p *Story) act(msg tea.KeyPressMsg) tea.Cmd {
	k, c := p.desk.Keys, p.story.Certificate
	switch {
	case key.Matches(msg, k.Retry):
		return p.desk.Act(func(ctx context.Context) tea.Msg {
			_, err := p.vault.Retry(ctx, c.UUID)
			return storyActed{desk.Said{Text: c.ReferenceID + " is processed again.", Err: err}}
		})
	case key.Matches(msg, k.Revoke) && p.revoker != nil:
		return p.revoke(c)
	case key.Matches(msg, k.Open):
		return roster.OpenDocument(p.desk, p.vault, c)
	case key.Matches(msg, k.OpenPage):
		return roster.OpenAddress(p.desk, c)
	case key.Matches(msg, k.Copy):
		return roster.Copy(c.ReferenceID)
	case key.Matches(msg, k.CopyLink):
		return roster.Copy(c.VerifyURL)
	case key.Matches(msg, k.Export):
		return roster.SaveEvents(p.desk, p.story.Certificate.ReferenceID, p.story.Events)
	}
	return nil
}

func (p *Story) revoke(c client.Certificate) tea.Cmd {
	if !c.Status.Is(vault.Approved) {
		return desk.Say(c.ReferenceID + " is " + c.Status.Value + "; only one that is approved can be revoked.")
	}
	return desk.Ask(desk.Question{
		Text:   "Revoke the certificate of " + look.Clean(c.Name) + "? Everyone who checks it will see the reason. This cannot be taken back.",
		Fields: []desk.Field{{Label: "Reason"}, {Label: "Its reference, " + c.ReferenceID, Must: c.ReferenceID}},
		Do: func(answers []string) tea.Cmd {
			return p.desk.Act(func(ctx context.Context) tea.Msg {
				_, err := p.revoker.Revoke(ctx, c.UUID, answers[0])
				return storyActed{desk.Said{Text: c.ReferenceID + " is revoked.", Err: err}}
			})
		},
	})
}

// View implements desk.Page.
func (p *Story) View(width, height int) string {
	l := p.desk.Look
	switch {
	case p.err != nil && !p.known:
		return p.desk.Unread("It", p.err, width, height)
	case !p.known:
		return p.desk.Reading(width, height)
	}
	return p.lines.View(l, p.tell(l, width), width, height)
}

// tell writes the story down.
func (p *Story) tell(l look.Look, width int) []string {
	c := p.story.Certificate
	var lines []string
	say := func(label, text string) { lines = append(lines, l.Entry(label, text, 15, width)...) }
	lines = append(lines, l.Strong.Render(c.ReferenceID)+"  "+l.State(roster.StateOf(c), roster.StateOf(c)), "")
	say("name", c.Name)
	say("title", c.Title)
	say("e-mail", c.Email)
	say("issued", c.IssueDate)
	say("details", c.Details)
	say("failed because", text(c.FailureReason))
	if r := c.Revocation; r != nil {
		say("revoked", p.desk.Clock(r.At)+": "+r.Reason)
	}
	if c.File.Name != "" {
		say("file", fmt.Sprintf("%s, %s bytes", c.File.Name, look.Number(int(c.File.Size))))
	}
	if v := c.Verified; v != nil {
		say("verified PDF", fmt.Sprintf("%s, %s bytes", v.Name, look.Number(int(v.Size))))
		say("SHA-256", v.SHA256)
	}
	say("batch", text(c.BatchID))
	if !c.Status.Is(vault.Pending, vault.InReview, vault.Rejected) {
		say("page", c.VerifyURL) // of an application there is none
		if c.ShareURL != c.VerifyURL {
			say("shared page", c.ShareURL)
		}
	}
	say("UUID", c.UUID)
	lines = append(lines, p.tellChain(l)...)
	lines = append(lines, roster.Happened(p.desk, p.story.Events)...)
	return append(lines, p.tellMails(l)...)
}

// tellMails lists what was sent to whom, the oldest first.
func (p *Story) tellMails(l look.Look) []string {
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
		lines = append(lines, "  "+l.Fit(p.desk.Clock(at), 19)+"  "+l.State(m.State, l.Fit(m.State, 10))+"  "+l.Dim.Render(look.Clean(note)))
	}
	return lines
}

// tellChain lists what the certificate corrects and what corrects it.
func (p *Story) tellChain(l look.Look) []string {
	if len(p.story.Chain) < 2 {
		return nil
	}
	lines := []string{"", l.Strong.Render("Corrections, the oldest first")}
	for _, c := range p.story.Chain {
		sign := "  "
		if c.UUID == p.story.Certificate.UUID {
			sign = "> "
		}
		lines = append(lines, sign+c.ReferenceID+"  "+l.State(roster.StateOf(c), l.Fit(roster.StateOf(c), 10))+"  "+p.desk.Clock(c.CreatedAt)+"  "+look.Clean(c.Name))
	}
	return lines
}
