package intake

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest/sheet"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// sampleCaption is as long as what is printed under a code.
const sampleCaption = "VEC-IC-00000000000000000"

// Covered is a document on which the code covers something, or would.
type Covered struct {
	Row      int
	File     string
	Coverage pdf.Coverage
}

// inspectAt looks at a document as the stamper will, and at the place of its code.
func (in *Intake) inspectAt(o CheckRequest, c *RowResult, document io.ReaderAt, size int64) (pdf.Info, error) {
	p := c.Draft.Placement
	m, err := pdf.StampAt(p.At, p.Page, p.SizeMM, p.MarginMM)
	if err != nil {
		return pdf.Info{}, err
	}
	m.URL, m.Caption = o.Link, sampleCaption
	inspect := pdf.InspectAt
	if in.Institutions != nil {
		inspect = in.Institutions.Inspector().InspectAt
	}
	found, coverage, err := inspect(document, size, m, c.Certificate == nil)
	if isOffPage(err) {
		err = fmt.Errorf("placing the code: %w", err)
	}
	if err == nil && c.Certificate == nil {
		c.coverage = &coverage
	}
	return found, err
}

// Coverage is what the row's code covers, or would; nil where nobody looked.
func (c *RowResult) Coverage() *pdf.Coverage { return c.coverage }

// coverageCheck judges what codes would cover.
type coverageCheck struct {
	allowed bool // to cover something
	named   bool // the request says the place, and not a template
	dropped bool // there is nobody to give an answer by a flag
}

// judge refuses the rows whose code would cover something, and says what was found: the
// documents concerned, a warning about those that are not refused, and a line about all.
func (k coverageCheck) judge(all []*RowResult) (covered []Covered, warnings []string, summary string) {
	var let []string
	var free, freeOnCovered commonCorners
	looked, framed := 0, 0
	for _, c := range all {
		if c.coverage == nil || len(c.Problems) > 0 {
			continue
		}
		looked++
		free.add(c.coverage.Corners)
		if c.coverage.Frame {
			framed++
		}
		if !c.coverage.Covers() {
			continue
		}
		freeOnCovered.add(c.coverage.Corners)
		covered = append(covered, Covered{Row: c.Row.Number, File: c.file, Coverage: *c.coverage})
		if k.allowed || c.Renderer != nil && !k.named {
			let = append(let, fmt.Sprintf("%s (%s)", c.where(), c.coverage.Describe()))
			continue
		}
		c.refuse("%s: %s", c.where(), k.complaint(*c.coverage))
	}
	if looked == 0 {
		return nil, nil, ""
	}
	if len(let) > 0 {
		warnings = append(warnings, fmt.Sprintf("the code covers something on %s: %s", sheet.Plural(len(let), "document", "documents"), someOf(let)))
	}
	summary = summarize(looked, framed, covered)
	switch {
	case len(covered) == 0:
	case len(free.corners) > 0:
		summary += "; free on all of them: " + strings.Join(free.corners, ", ")
	case len(freeOnCovered.corners) > 0:
		summary += "; free on those: " + strings.Join(freeOnCovered.corners, ", ")
	}
	return covered, warnings, summary
}

// commonCorners are the corners that are free on all of some documents.
type commonCorners struct {
	corners []string
	any     bool
}

func (k *commonCorners) add(free []string) {
	if !k.any {
		k.corners, k.any = slices.Clone(free), true
		return
	}
	k.corners = slices.DeleteFunc(k.corners, func(corner string) bool { return !slices.Contains(free, corner) })
}

func (c *RowResult) where() string {
	if c.file == "" {
		return fmt.Sprintf("row %d", c.Row.Number)
	}
	return fmt.Sprintf("row %d, file %s", c.Row.Number, c.file)
}

// complaint says what the code would cover, and what to do.
func (k coverageCheck) complaint(at pdf.Coverage) string {
	var b strings.Builder
	instead := at.Instead()
	switch {
	case at.Describe() == pdf.UnseenContent:
		fmt.Fprintf(&b, "whether the code would cover something at %s cannot be found out: the page has an image of a kind that is not understood, or too much on it; look at it with: vecctl stamp", at.Place)
	case at.Place == "auto":
		fmt.Fprintf(&b, "no place for the code is free: at the bottom right it would cover %s", at.Describe())
	case len(instead) == 0:
		fmt.Fprintf(&b, "the code would cover %s at %s, and no corner is free", at.Describe(), at.Place)
	default:
		fmt.Fprintf(&b, "the code would cover %s at %s; free instead: %s", at.Describe(), at.Place, strings.Join(instead, ", "))
	}
	switch {
	case k.dropped && len(instead) > 0:
		b.WriteString("; set another place (qr.at, such as auto), or allow it (qr.cover)")
	case k.dropped:
		b.WriteString("; set a smaller size (qr.size), or allow it (qr.cover)")
	case len(instead) > 0:
		fmt.Fprintf(&b, "; use --qr-at %s, or --cover to let it cover that", instead[0])
	default:
		b.WriteString("; use a smaller --qr-size, another place, or --cover to let it cover that")
	}
	return b.String()
}

// summarize says on how many documents the code has a free place.
func summarize(looked, framed int, covered []Covered) string {
	var b strings.Builder
	fmt.Fprintf(&b, "code: looked at its place on %s", sheet.Plural(looked, "document", "documents"))
	if len(covered) == 0 && framed == 0 {
		b.WriteString("; it covers nothing")
		return b.String()
	}
	if n := len(covered); n > 0 {
		fmt.Fprintf(&b, "; on %d it would cover something", n)
		var kinds []string
		for _, kind := range []string{"text", "a drawing", "an image", "a form field or a note", pdf.UnseenContent} {
			count := 0
			for _, c := range covered {
				if strings.Contains(c.Coverage.Describe(), kind) {
					count++
				}
			}
			if count > 0 {
				kinds = append(kinds, fmt.Sprintf("%s on %d", kind, count))
			}
		}
		fmt.Fprintf(&b, " (%s)", strings.Join(kinds, ", "))
	}
	if framed > 0 {
		fmt.Fprintf(&b, "; on %d it lies on a frame or pattern of the whole page, which --qr-at auto keeps clear of", framed)
	}
	return b.String()
}

// CheckCovered looks at what a code covers on a document that staff or the command line
// bring alone. Nil is nothing that says something.
func CheckCovered(r io.ReaderAt, size int64, p vault.Placement, link string) error {
	m, err := pdf.StampAt(p.At, p.Page, p.SizeMM, p.MarginMM)
	if err != nil {
		return err
	}
	m.URL, m.Caption = link, sampleCaption
	_, at, err := pdf.InspectAt(r, size, m, true)
	if _, ok := errors.AsType[*pdf.Rejection](err); ok {
		return nil // what else is wrong is told by those who stamp it
	}
	if err != nil || !at.Covers() {
		return err
	}
	return fault.New(fault.Invalid, coverageCheck{}.complaint(at))
}
