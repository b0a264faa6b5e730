// Package report prints the results of a batch as a PDF document for people to read
// and to sign.
package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Report is what is printed.
type Report struct {
	Institution  string
	Zone         *time.Location // in which moments are told
	Batch        client.Batch
	Certificates []client.Certificate   // of the batch, in any order
	Key          adminclient.SigningKey // with which the institution signs now
	Signers      []string               // who is to sign, such as "The dean"
	MadeAt       time.Time
}

// Result is what became of the printing.
type Result struct {
	Pages int
	// Missing are the characters that no font holds, in order. They are spelled out by
	// their numbers.
	Missing []string
}

// Write prints the summary.
func (s Report) Write(w io.Writer, fonts Fonts) (Result, error) {
	s.Certificates = slices.SortedFunc(slices.Values(s.Certificates), func(a, b client.Certificate) int {
		return cmp.Compare(a.ID, b.ID)
	})
	faces, err := fonts.load(s.texts())
	if err != nil {
		return Result{}, err
	}
	p := newLayout(s, faces)
	p.title()
	p.details()
	p.totals()
	p.certificates()
	p.signatures()
	if p.err != nil {
		return Result{}, p.err
	}
	return Result{Pages: len(p.pages), Missing: slices.Sorted(maps.Keys(faces.missing))}, p.write(w)
}

// texts are all texts that somebody else has written.
func (s Report) texts() []string {
	all := []string{s.Institution, s.Batch.Name, s.Key.Subject, s.Key.Issuer}
	all = append(all, s.Signers...)
	for _, c := range s.Certificates {
		all = append(all, c.Name, c.Title, c.File.Name)
		if c.FailureReason != nil {
			all = append(all, *c.FailureReason)
		}
		if c.Revocation != nil {
			all = append(all, c.Revocation.Reason)
		}
	}
	return all
}

// inState lists the certificates in a state.
func (s Report) inState(state vault.Status) []client.Certificate {
	return slices.DeleteFunc(slices.Clone(s.Certificates), func(c client.Certificate) bool { return !c.Status.Is(state) })
}

func (s Report) count(is func(client.Certificate) bool) string {
	n := 0
	for _, c := range s.Certificates {
		if is(c) {
			n++
		}
	}
	return strconv.Itoa(n)
}

func (s Report) moment(t time.Time) string { return t.In(s.Zone).Format("2 January 2006, 15:04 MST") }

func (p *layout) title() {
	p.line(p.bold, 18, "Outcome of a batch", box{X: left, Y: p.y, W: width, H: 26})
	p.y += 28
	p.line(p.bold, 12, p.report.Batch.Name, box{X: left, Y: p.y, W: width, H: 18})
	p.y += 28
}

func (p *layout) details() {
	b := p.report.Batch
	facts := [][2]string{
		{"Institution", p.report.Institution},
		{"Batch", b.BatchID},
		{"Submitted", p.report.moment(b.CreatedAt)},
		{"This report", p.report.moment(p.report.MadeAt)},
	}
	if b.Status != string(vault.BatchDone) {
		facts = append(facts, [2]string{"Not final", fmt.Sprintf("the batch is %s; certificates may still be added to those below", b.Status)})
	}
	for _, f := range facts {
		p.labelledLine(f[0], f[1])
	}
	p.y += 12
}

func (p *layout) totals() {
	s := p.report
	in := func(state vault.Status) string {
		return s.count(func(c client.Certificate) bool { return c.Status.Is(state) })
	}
	rows := [][]string{
		{"Entries", strconv.Itoa(len(s.Certificates))},
		{"Certificates issued", in(vault.Approved)},
		{"Failed", in(vault.Failed)},
		{"Revoked", in(vault.Revoked)},
	}
	for _, more := range [][]string{
		{"In progress", in(vault.Processing)},
		{"Rows that were refused and not issued", strconv.Itoa(s.Batch.RejectedRows())},
		{"Replaced by a corrected certificate", s.count(func(c client.Certificate) bool { return c.SupersededBy != nil })},
		{"Recipients whom no mail has reached", s.count(func(c client.Certificate) bool { return c.Undelivered != nil })},
	} {
		if more[1] != "0" {
			rows = append(rows, more)
		}
	}
	p.table("Counts", []column{{"", 240, false}, {"Number", 60, true}}, rows)
}

func (p *layout) certificates() {
	var issued, lost, taken [][]string
	for i, c := range p.report.inState(vault.Approved) {
		issued = append(issued, []string{strconv.Itoa(i + 1), c.Name, c.Title, c.IssueDate, c.ReferenceID})
	}
	for i, c := range p.report.inState(vault.Failed) {
		reason := "no reason was noted"
		if c.FailureReason != nil {
			reason = *c.FailureReason
		}
		lost = append(lost, []string{strconv.Itoa(i + 1), c.Name, c.Title, c.File.Name, reason})
	}
	for i, c := range p.report.inState(vault.Revoked) {
		row := []string{strconv.Itoa(i + 1), c.Name, c.ReferenceID, "", ""}
		if c.Revocation != nil {
			row[3], row[4] = c.Revocation.At.In(p.report.Zone).Format(time.DateOnly), c.Revocation.Reason
		}
		taken = append(taken, row)
	}
	p.table("Certificates issued", []column{{"No.", 30, true}, {"Name", 142, false}, {"Title", 130, false}, {"Date", 54, false}, {"Reference", 126, false}}, issued)
	p.table("Failures", []column{{"No.", 30, true}, {"Name", 120, false}, {"Title", 100, false}, {"Document", 92, false}, {"Reason", 140, false}}, lost)
	p.table("Revoked", []column{{"No.", 30, true}, {"Name", 130, false}, {"Reference", 126, false}, {"Date", 54, false}, {"Reason", 142, false}}, taken)
}

// signatures says with what the certificates are signed, and leaves room for people
// to sign. It stays together on one page.
func (p *layout) signatures() {
	const line = 52
	p.ensureSpace(100 + line*float64((len(p.report.Signers)+1)/2))
	p.heading("Signatures")
	k := p.report.Key
	by := "self-made"
	if k.Issuer != k.Subject {
		by = "its certificate names " + k.Issuer + " as its issuer"
	}
	if k.Fingerprint != "" {
		p.labelledLine("Signing key", fmt.Sprintf("%s (%s), valid until %s", k.Subject, by, k.ValidUntil.In(p.report.Zone).Format("2 January 2006")))
		p.labelledLine("Its SHA-256", k.Fingerprint)
	}
	p.y += 6
	for i, who := range p.report.Signers {
		x := left + float64(i%2)*(width/2+8)
		y := p.y + line*float64(i/2) + line - 14
		p.page().Shapes = append(p.page().Shapes, rule(x, y, width/2-8))
		p.line(p.regular, 8, who+" – name, date, signature", box{X: x, Y: y + 2, W: width/2 - 8, H: 12})
	}
}
