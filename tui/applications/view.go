package applications

import (
	"cmp"
	"fmt"
	"time"

	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/look"
	"github.com/vecctl/vecctl/tui/roster"
)

// View implements desk.Page.
func (p *Page) View(width, height int) string {
	l := p.desk.Look
	switch {
	case p.uuid != "" && p.err != nil && len(p.events) == 0:
		return p.desk.Unread("It", p.err, width, height)
	case p.uuid != "":
		return p.lines.View(l, p.tell(l, width), width, height)
	}
	foot := p.foot(l, width)
	if height < 2+len(foot)+3 {
		foot = nil // a question has taken its room
	}
	list := p.rows.View(width, height-2-len(foot))
	if len(foot) > 0 {
		list += "\n" + l.Block(foot, width, len(foot))
	}
	return l.Block([]string{p.head(l, width)}, width, 2) + "\n" + list
}

func (p *Page) head(l look.Look, width int) string {
	head := "State: "
	switch p.state {
	case "open":
		head += l.Strong.Render("waiting for a decision")
	case "":
		head += "any"
	default:
		head += l.State(p.state, p.state)
	}
	return p.finder.Head(l, head, p.rows.Place(), width)
}

// foot says more of the selected application.
func (p *Page) foot(l look.Look, width int) []string {
	a, ok := p.rows.Current()
	if !ok {
		return []string{""}
	}
	return []string{"",
		l.Short(a.ReferenceID+"  "+look.Clean(p.standing(a)), width),
		l.Dim.Render(l.Short(look.Clean(evidenceOf(a)), width)),
	}
}

// standing says how an application stands, who has it, and since when.
func (p *Page) standing(a staff.Application) string {
	switch {
	case a.Status.Is(vault.Rejected) && a.Decision != nil:
		return fmt.Sprintf("rejected by %s, %s: %s", a.Decision.By, p.desk.Clock(a.Decision.At), a.Decision.Reason)
	case a.Status.Is(vault.Failed) && a.FailureReason != nil:
		return "failed: " + *a.FailureReason
	case a.Decision != nil:
		return fmt.Sprintf("%s; accepted by %s, %s", a.Status.Value, a.Decision.By, p.desk.Clock(a.Decision.At))
	case a.Review != nil:
		return fmt.Sprintf("in review by %s since %s", a.Review.By, p.desk.Clock(a.Review.At))
	}
	return "waits since " + p.desk.Clock(a.CreatedAt)
}

// removed says, of an application without evidence, that it was removed, or else what
// is said where there was none.
func removed(a staff.Application, prefix, none string) string {
	if gone := a.EvidenceRemovedAt; gone != nil {
		return prefix + "removed on " + gone.Format(time.DateOnly)
	}
	return none
}

// evidenceOf says what was handed in.
func evidenceOf(a staff.Application) string {
	if a.Evidence == nil {
		return removed(a, "evidence ", "without evidence")
	}
	return fmt.Sprintf("evidence: %s, %s, %s bytes", a.Evidence.Name, a.Evidence.Format, look.Number(int(a.Evidence.Size)))
}

// tell writes one application down.
func (p *Page) tell(l look.Look, width int) []string {
	a := p.one
	lines := []string{l.Strong.Render(a.ReferenceID) + "  " + l.State(a.Status.Value, a.Status.Value), ""}
	say := func(label, text string) { lines = append(lines, l.Entry(label, text, 10, width)...) }
	say("title", a.Title)
	say("name", a.Name)
	say("e-mail", a.Email)
	say("details", a.Details)
	if e := a.Evidence; e != nil {
		say("evidence", fmt.Sprintf("%s, %s, %s bytes", e.Name, e.Format, look.Number(int(e.Size))))
	} else {
		say("evidence", removed(a, "", "nothing was handed in"))
	}
	say("handed in", p.desk.Clock(a.CreatedAt)+", "+provenBy(a))
	if r := a.Review; r != nil {
		say("in review", "by "+r.By+" since "+p.desk.Clock(r.At))
	}
	if d := a.Decision; d != nil && !a.Status.Is(vault.Rejected) {
		say("accepted", "by "+d.By+", "+p.desk.Clock(d.At))
		say("issued", a.IssueDate)
	} else if d != nil {
		say("rejected", "by "+d.By+", "+p.desk.Clock(d.At))
		say("because", d.Reason)
	}
	if a.FailureReason != nil {
		say("failed as", *a.FailureReason)
	}
	if a.Status.Is(vault.Approved, vault.Revoked) {
		say("page", a.VerifyURL)
	}
	say("UUID", a.UUID)
	return append(lines, roster.Happened(p.desk, p.events)...)
}

// provenBy says how it is known that an application is the address's.
func provenBy(a staff.Application) string {
	switch a.Proof {
	case string(vault.ProvenByMail):
		return "proven by a link mailed to the address"
	case string(vault.ProvenByAccount):
		return "by the account of the address"
	}
	return "by " + cmp.Or(a.SubmittedBy, "staff") + ", for the applicant"
}
