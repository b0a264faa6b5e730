package pages

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/ui"
)

// approvalResults collects the results of approvals on this screen.
type approvalResults struct {
	open           int // approvals without a result
	waits          map[string]bool
	issued, failed int
	last           string // reference
	lastFailed     string // UUID
}

func (r *approvalResults) begin(uuids []string) {
	if r.waits == nil {
		r.waits = map[string]bool{}
	}
	for _, uuid := range uuids {
		r.waits[uuid] = true
	}
	r.open++
}

func (r *approvalResults) answered(refused []string) {
	r.open = max(0, r.open-1)
	for _, uuid := range refused {
		delete(r.waits, uuid)
	}
}

// onCertificate records the result of a certificate.
func (p *Applications) onCertificate(e adminclient.CertificateEvent) tea.Cmd {
	r := &p.result
	state := StateAfter(e)
	if !r.waits[e.UUID] || state != vault.Approved && state != vault.Failed {
		return nil
	}
	delete(r.waits, e.UUID)
	if r.last = e.ReferenceID; state == vault.Approved {
		r.issued++
	} else {
		r.failed++
		r.lastFailed = e.UUID
	}
	return p.reportResults("")
}

// issueFailedMsg has the reason why a certificate failed after its approval.
type issueFailedMsg struct{ err error }

// reportResults shows the results when all approvals have one.
func (p *Applications) reportResults(more string) tea.Cmd {
	r := p.result
	if r.open > 0 || len(r.waits) > 0 || r.issued+r.failed == 0 {
		return nil
	}
	p.result = approvalResults{}
	text := ui.Plural(r.issued, "certificate is", "certificates are") + " issued."
	if r.issued == 1 && r.failed == 0 {
		text = r.last + " is issued."
	}
	if r.failed == 0 {
		return ui.ShowResult(text + more)
	}
	return p.ui.Query(func(ctx context.Context) tea.Msg {
		if r.issued+r.failed > 1 {
			text += " " + ui.Plural(r.failed, "one", "others") + " failed, the last of them"
		} else {
			text = r.last + " was approved and failed"
		}
		a, err := p.vault.Application(ctx, r.lastFailed)
		switch {
		case err != nil:
			return issueFailedMsg{err}
		case a.FailureReason != nil:
			text += ": " + *a.FailureReason
		}
		return issueFailedMsg{fault.New(fault.Illegal, text+more)}
	})
}
