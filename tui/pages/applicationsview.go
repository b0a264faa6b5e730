package pages

import (
	"cmp"
	"fmt"
	"time"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/ui"
)

// View implements ui.Page.
func (p *Applications) View(width, height int) string {
	l := p.ui.Theme
	switch {
	case p.uuid != "" && p.err != nil && len(p.events) == 0:
		return p.ui.ErrorView("It", p.err, width, height)
	case p.uuid != "":
		return p.lines.View(l, p.detailLines(l, width), width, height)
	}
	foot := p.footer(l, width)
	if height < 2+len(foot)+3 {
		foot = nil // a dialog needs its room
	}
	list := p.rows.View(width, height-2-len(foot))
	if len(foot) > 0 {
		list += "\n" + l.Block(foot, width, len(foot))
	}
	return l.Block([]string{p.header(l, width)}, width, 2) + "\n" + list
}

func (p *Applications) header(l ui.Theme, width int) string {
	head := "State: "
	switch p.state {
	case "open":
		head += l.Strong.Render("waiting for a decision")
	case "":
		head += "any"
	default:
		head += l.StateText(p.state, p.state)
	}
	return p.search.Header(l, head, p.rows.Position(), width)
}

// footer shows details of the selected application.
func (p *Applications) footer(l ui.Theme, width int) []string {
	a, ok := p.rows.Current()
	if !ok {
		return []string{""}
	}
	return []string{"",
		l.Truncate(a.ReferenceID+"  "+ui.Sanitize(p.statusText(a)), width),
		l.Dim.Render(l.Truncate(ui.Sanitize(evidenceText(a)), width)),
	}
}

// statusText describes the state of an application, who changed it, and when.
func (p *Applications) statusText(a adminclient.Application) string {
	switch {
	case a.Status.Is(vault.Rejected) && a.Decision != nil:
		return fmt.Sprintf("rejected by %s, %s: %s", a.Decision.By, p.ui.FormatTime(a.Decision.At), a.Decision.Reason)
	case a.Status.Is(vault.Failed) && a.FailureReason != nil:
		return "failed: " + *a.FailureReason
	case a.Decision != nil:
		return fmt.Sprintf("%s; accepted by %s, %s", a.Status.Value, a.Decision.By, p.ui.FormatTime(a.Decision.At))
	case a.Review != nil:
		return fmt.Sprintf("in review by %s since %s", a.Review.By, p.ui.FormatTime(a.Review.At))
	}
	return "waiting since " + p.ui.FormatTime(a.CreatedAt)
}

// evidenceRemovedText describes an application without evidence: when it was removed, or the
// text none if there was none.
func evidenceRemovedText(a adminclient.Application, prefix, none string) string {
	if gone := a.EvidenceRemovedAt; gone != nil {
		return prefix + "removed on " + gone.Format(time.DateOnly)
	}
	return none
}

// evidenceText describes the evidence file.
func evidenceText(a adminclient.Application) string {
	if a.Evidence == nil {
		return evidenceRemovedText(a, "evidence ", "without evidence")
	}
	return fmt.Sprintf("evidence: %s, %s, %s bytes", a.Evidence.Name, a.Evidence.Format, ui.FormatNumber(int(a.Evidence.Size)))
}

// detailLines returns the details of an application.
func (p *Applications) detailLines(l ui.Theme, width int) []string {
	a := p.one
	lines := []string{l.Strong.Render(a.ReferenceID) + "  " + l.StateText(a.Status.Value, a.Status.Value), ""}
	say := func(label, text string) { lines = append(lines, l.LabelLines(label, text, 10, width)...) }
	say("title", a.Title)
	say("name", a.Name)
	say("e-mail", a.Email)
	say("details", a.Details)
	if e := a.Evidence; e != nil {
		say("evidence", fmt.Sprintf("%s, %s, %s bytes", e.Name, e.Format, ui.FormatNumber(int(e.Size))))
		if e.Note != "" {
			say("", "! "+e.Note)
		}
	} else {
		say("evidence", evidenceRemovedText(a, "", "no file"))
	}
	say("submitted", p.ui.FormatTime(a.CreatedAt)+", "+proofText(a))
	if r := a.Review; r != nil {
		say("in review", "by "+r.By+" since "+p.ui.FormatTime(r.At))
	}
	if d := a.Decision; d != nil && !a.Status.Is(vault.Rejected) {
		say("accepted", "by "+d.By+", "+p.ui.FormatTime(d.At))
		say("issued", a.IssueDate)
	} else if d != nil {
		say("rejected", "by "+d.By+", "+p.ui.FormatTime(d.At))
		say("because", d.Reason)
	}
	if a.FailureReason != nil {
		say("failed as", *a.FailureReason)
	}
	if a.Status.Is(vault.Approved, vault.Revoked) {
		say("page", a.VerifyURL)
	}
	say("UUID", a.UUID)
	return append(lines, TimelineLines(p.ui, p.events)...)
}

// proofText describes how the applicant's address was verified.
func proofText(a adminclient.Application) string {
	switch a.Proof {
	case string(vault.ProvenByMail):
		return "address confirmed by a link in a mail"
	case string(vault.ProvenByAccount):
		return "submitted while signed in"
	}
	return "by " + cmp.Or(a.SubmittedBy, "staff") + ", for the applicant"
}
