package pages

import (
	"context"
	"fmt"
	"io"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/tui/ui"
)

// act does the action of a key to an application, or to all marked ones.
func (p *Applications) act(msg tea.KeyPressMsg, a adminclient.Application, marked []string) tea.Cmd {
	k := p.ui.Keys
	if key.Matches(msg, k.OpenEvidence) {
		return p.openEvidence(a)
	}
	of := decisionTargets{uuids: marked}
	if len(marked) == 0 {
		of = decisionTargets{uuids: []string{a.UUID}, one: &a}
	}
	switch {
	case key.Matches(msg, k.Review):
		return p.review(of)
	case key.Matches(msg, k.Approve):
		return p.approve(of)
	case key.Matches(msg, k.Reject):
		return ui.OpenDialog(ui.DialogMsg{
			Text: "Reject " + of.label() + "? The applicant sees the reason.", Fields: []ui.Field{{Label: "Reason"}},
			Do: func(answers []string) tea.Cmd {
				return p.decide(of, "rejected", func(ctx context.Context, uuid string) (adminclient.Application, error) {
					return p.vault.RejectApplication(ctx, uuid, answers[0])
				})
			},
		})
	}
	return nil
}

// decisionTargets are the applications of a decision.
type decisionTargets struct {
	uuids []string
	one   *adminclient.Application // nil for the marked ones
}

func (c decisionTargets) label() string {
	if c.one != nil {
		return fmt.Sprintf("the application of %s for %s", ui.Sanitize(c.one.Name), ui.Sanitize(c.one.Title))
	}
	return "the " + ui.Plural(len(c.uuids), "marked application", "marked applications")
}

// openEvidence opens the evidence file. It does not use the applicant's file name, and the
// extension is that of the format that the vault detected.
func (p *Applications) openEvidence(a adminclient.Application) tea.Cmd {
	if a.Evidence == nil {
		return ui.ShowResult(a.ReferenceID + " has no evidence file.")
	}
	ending := map[string]string{"jpeg": ".jpg", "png": ".png"}[a.Evidence.Format]
	if ending == "" {
		ending = ".pdf"
	}
	return OpenTempFile(p.ui, a.ReferenceID+"-evidence"+ending, "Opened the evidence of "+a.ReferenceID+".",
		func(ctx context.Context, w io.Writer) error {
			_, err := p.vault.ApplicationEvidence(ctx, a.UUID, w)
			return err
		})
}

func (p *Applications) review(of decisionTargets) tea.Cmd {
	take := func([]string) tea.Cmd { return p.decide(of, "in review", p.vault.ReviewApplication) }
	if len(of.uuids) == 1 {
		return take(nil)
	}
	return ui.OpenDialog(ui.DialogMsg{Text: "Start the review of " + of.label() + "?", Do: take})
}

// approvedWord is the word for approved applications.
const approvedWord = "approved"

// issue approves applications, and follows their certificates.
func (p *Applications) issue(of decisionTargets, a adminclient.ApplicationApproval) tea.Cmd {
	p.result.begin(of.uuids)
	return p.decide(of, approvedWord, func(ctx context.Context, uuid string) (adminclient.Application, error) {
		return p.vault.ApproveApplication(ctx, uuid, a)
	})
}

// decisionMsg has the results of decisions.
type decisionMsg struct {
	outcome     ui.ResultMsg
	refused     []string // UUIDs
	refusalText string   // the number of refused ones, and the reason
	issuing     bool
	ok          bool // at least one succeeded
}

// decide does an action to all selected applications, one after the other. It stops when the
// agent cannot be reached.
func (p *Applications) decide(of decisionTargets, done string, do func(ctx context.Context, uuid string) (adminclient.Application, error)) tea.Cmd {
	return p.ui.Do(func(ctx context.Context) tea.Msg {
		m := decisionMsg{issuing: done == approvedWord}
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
			m.outcome.Err = first
			return m
		case len(of.uuids) == 1:
			m.outcome.Text = reference + " is " + done + "."
		default:
			m.outcome.Text = ui.Plural(n, "application is", "applications are") + " " + done + "."
		}
		m.ok = true
		if len(m.refused) > 0 {
			m.refusalText = fmt.Sprintf(" %s not: %s", ui.Plural(len(m.refused), "was", "were"), ui.ErrorText(first))
		}
		return m
	})
}

// afterDecision shows the result of a decision; for an approval, with the state of the
// certificate as far as it is known.
func (p *Applications) afterDecision(m decisionMsg) tea.Cmd {
	if m.issuing {
		p.result.answered(m.refused)
		if concluded := p.reportResults(m.refusalText); concluded != nil {
			return tea.Batch(p.rows.Reload(m.ok), concluded)
		}
		if m.ok {
			m.outcome.Text = strings.TrimSuffix(m.outcome.Text, ".") + "; what is issued is being made."
		}
	}
	m.outcome.Text += m.refusalText
	return tea.Batch(p.rows.Reload(m.ok), func() tea.Msg { return m.outcome })
}
