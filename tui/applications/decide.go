package applications

import (
	"context"
	"fmt"
	"io"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/tui/desk"
	"github.com/vecctl/vecctl/tui/look"
	"github.com/vecctl/vecctl/tui/roster"
)

// Decider is a vault in which it is decided about applications.
type Decider interface {
	ReviewApplication(ctx context.Context, name string) (staff.Application, error)
	ApproveApplication(ctx context.Context, name string, a staff.ApplicationApproval) (staff.Application, error)
	RejectApplication(ctx context.Context, name, reason string) (staff.Application, error)
	Templates(ctx context.Context) ([]map[string]any, error)
}

// act does what a key says to an application, or to all that are marked.
func (p *Page) act(msg tea.KeyPressMsg, a staff.Application, marked []string) tea.Cmd {
	k := p.desk.Keys
	if key.Matches(msg, k.OpenEvidence) {
		return p.openEvidence(a)
	}
	of := chosen{uuids: marked}
	if len(marked) == 0 {
		of = chosen{uuids: []string{a.UUID}, one: &a}
	}
	switch {
	case key.Matches(msg, k.Review):
		return p.review(of)
	case key.Matches(msg, k.Approve):
		return p.approve(of)
	case key.Matches(msg, k.Reject):
		return desk.Ask(desk.Question{
			Text: "Reject " + of.words() + "? Whoever applied is told the reason.", Fields: []desk.Field{{Label: "Reason"}},
			Do: func(answers []string) tea.Cmd {
				return p.decide(of, "rejected", func(ctx context.Context, uuid string) (staff.Application, error) {
					return p.vault.RejectApplication(ctx, uuid, answers[0])
				})
			},
		})
	}
	return nil
}

// chosen is what is decided about.
type chosen struct {
	uuids []string
	one   *staff.Application // nil for those that are marked
}

func (c chosen) words() string {
	if c.one != nil {
		return fmt.Sprintf("the application of %s for %s", look.Clean(c.one.Name), look.Clean(c.one.Title))
	}
	return "the " + look.Count(len(c.uuids), "application that is", "applications that are") + " marked"
}

// openEvidence shows what an applicant handed in. The file's name is not theirs, and
// its ending is what the vault found it to be.
func (p *Page) openEvidence(a staff.Application) tea.Cmd {
	if a.Evidence == nil {
		return desk.Say("Nothing was handed in with " + a.ReferenceID + ".")
	}
	ending := map[string]string{"jpeg": ".jpg", "png": ".png"}[a.Evidence.Format]
	if ending == "" {
		ending = ".pdf"
	}
	return roster.OpenFile(p.desk, a.ReferenceID+"-evidence"+ending, "Opened the evidence of "+a.ReferenceID+".",
		func(ctx context.Context, w io.Writer) error {
			_, err := p.vault.ApplicationEvidence(ctx, a.UUID, w)
			return err
		})
}

func (p *Page) review(of chosen) tea.Cmd {
	take := func([]string) tea.Cmd { return p.decide(of, "in review", p.vault.ReviewApplication) }
	if len(of.uuids) == 1 {
		return take(nil)
	}
	return desk.Ask(desk.Question{Text: "Take " + of.words() + " in review?", Do: take})
}

// issued is the word for applications that were approved.
const issued = "approved"

// issue approves, and watches for what becomes of it.
func (p *Page) issue(of chosen, a staff.ApplicationApproval) tea.Cmd {
	p.result.begin(of.uuids)
	return p.decide(of, issued, func(ctx context.Context, uuid string) (staff.Application, error) {
		return p.vault.ApproveApplication(ctx, uuid, a)
	})
}

// decided is what became of decisions.
type decided struct {
	said    desk.Said
	refused []string // UUIDs
	not     string   // how many were refused, and why
	issuing bool
	ok      bool // of one at least
}

// decide does something to all that are chosen, one after the other. Where the agent
// cannot be reached any more the rest is left.
func (p *Page) decide(of chosen, done string, do func(ctx context.Context, uuid string) (staff.Application, error)) tea.Cmd {
	return p.desk.Act(func(ctx context.Context) tea.Msg {
		m := decided{issuing: done == issued}
		var first error
		reference, n := "", 0
		for i, uuid := range of.uuids {
			changed, err := do(ctx, uuid)
			if err == nil {
				n, reference = n+1, changed.ReferenceID
				continue
			}
			if first == nil {
				first = err
			}
			m.refused = append(m.refused, uuid)
			if fault.Is(err, fault.Unavailable) {
				m.refused = append(m.refused, of.uuids[i+1:]...)
				break
			}
		}
		switch {
		case n == 0:
			m.said.Err = first
			return m
		case len(of.uuids) == 1:
			m.said.Text = reference + " is " + done + "."
		default:
			m.said.Text = look.Count(n, "application is", "applications are") + " " + done + "."
		}
		m.ok = true
		if len(m.refused) > 0 {
			m.not = fmt.Sprintf(" %s not: %s", look.Count(len(m.refused), "was", "were"), desk.Words(first))
		}
		return m
	})
}

// afterDecision says what became of a decision, for an approval what became of the
// certificate as far as that is known already.
func (p *Page) afterDecision(m decided) tea.Cmd {
	if m.issuing {
		p.result.answered(m.refused)
		if concluded := p.conclude(m.not); concluded != nil {
			return tea.Batch(p.rows.Again(m.ok), concluded)
		}
		if m.ok {
			m.said.Text = strings.TrimSuffix(m.said.Text, ".") + "; what is issued is being made."
		}
	}
	m.said.Text += m.not
	return tea.Batch(p.rows.Again(m.ok), func() tea.Msg { return m.said })
}
