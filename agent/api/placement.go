package api

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// groupQR is the field that is an object; its parts say where the code goes. It and
// the template are ours, beyond the guide's.
const groupQR = "qr"

func placementFields() []string {
	return []string{"template", groupQR, "qr[page]", "qr[at]", "qr[size]", "qr[margin]"}
}

// Bounds of a placement, as the command line has them: lengths in millimetres.
const (
	mostPage            = 100_000
	leastSide, mostSide = 8.0, 200.0
	mostMargin          = 200.0
	longestPlace        = 40 // characters
)

// placing reads where the code of one document goes.
type placing struct {
	fields map[string]string
	wrong  []string // fields that hold no text
	prefix string   // before a field's name in complaints
	bad    []fault.Field
}

// placement reads the fields that say where a document's code goes, and what is
// wrong with them. What they leave open is the template's to say, else the home's:
// the standards know both.
func placement(fields map[string]string, wrong []string, prefix string, of standards) (vault.Placement, []fault.Field, error) {
	p := &placing{fields: fields, wrong: wrong, prefix: prefix}
	if fields[groupQR] != "" || slices.Contains(wrong, groupQR) {
		p.complain(groupQR, "The %s field must be an array.")
	}
	asked := vault.Placement{Page: p.page(), At: p.at(), SizeMM: p.length("size", leastSide, mostSide), MarginMM: p.length("margin", 0, mostMargin)}
	template := p.text("template")
	standard, err := of(template)
	if fault.Is(err, fault.Invalid) && template != "" {
		p.complain("template", "The selected %s is invalid.")
		err = nil
	}
	return asked.Or(standard), p.bad, err
}

// standards finds where codes go that an upload does not say, by a template's name.
type standards func(template string) (vault.Placement, error)

// remembered asks once for each name.
func remembered(of standards) standards {
	type answer struct {
		placement vault.Placement
		err       error
	}
	have := map[string]answer{}
	return func(template string) (vault.Placement, error) {
		a, ok := have[template]
		if !ok {
			a.placement, a.err = of(template)
			have[template] = a
		}
		return a.placement, a.err
	}
}

// place reads where the code of an uploaded document goes, and looks whether it has
// room there. It returns what is wrong with it.
func (a *API) place(form *documentForm) (vault.Placement, []fault.Field, error) {
	p, bad, err := placement(form.fields, form.wrong, "", a.Placement)
	if err != nil || len(bad) > 0 || form.document == nil {
		return p, bad, err
	}
	err = a.Intake.Room(form.document, p)
	if bad = offPage("", err); bad != nil {
		err = nil
	}
	return p, bad, err
}

// placeAll does the same for the entries of a bulk request, whose documents are
// stored already.
func (a *API) placeAll(ctx context.Context, o *order) error {
	of := remembered(a.Placement)
	for i, e := range o.entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !e.Object {
			continue
		}
		prefix := "entries." + e.Key + "."
		p, bad, err := placement(e.Fields, e.Wrong, prefix, of)
		if err != nil {
			return err
		}
		o.drafts[i].Placement = p
		if o.bad[i] = append(o.bad[i], bad...); len(o.bad[i]) > 0 {
			continue
		}
		err = a.Intake.RoomOf(o.drafts[i].File, p)
		if bad = offPage(prefix, err); bad == nil && err != nil {
			return err
		}
		o.bad[i] = append(o.bad[i], bad...)
	}
	return nil
}

// complain notes what is wrong with a field; %s is the field's name.
func (p *placing) complain(field, format string) {
	name := p.prefix + field
	p.bad = append(p.bad, fault.Field{Name: name, Message: fmt.Sprintf(format, name)})
}

// text is a field's, without the spaces around it; "" where it is no text.
func (p *placing) text(field string) string {
	name := field
	if part, ok := strings.CutPrefix(field, groupQR+"."); ok {
		name = groupQR + "[" + part + "]"
	}
	if slices.Contains(p.wrong, name) {
		p.complain(field, "The %s field must be a string.")
		return ""
	}
	return strings.TrimSpace(p.fields[name])
}

func (p *placing) page() int {
	text := p.text("qr.page")
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n < 1 || n > mostPage {
		p.complain("qr.page", fmt.Sprintf("The %%s field must be an integer between 1 and %d.", mostPage))
	}
	return int(n)
}

func (p *placing) at() string {
	text := strings.ToLower(p.text("qr.at"))
	if _, err := pdf.ParsePlace(text); err != nil || len(text) > longestPlace {
		p.complain("qr.at", "The %s field must be bottom-right, bottom-left, top-right, top-left, auto, or X,Y in millimetres.")
		return ""
	}
	return text
}

var plainNumber = regexp.MustCompile(`^\d{1,5}(\.\d{1,6})?$`)

// length is a field in millimetres, above the least or, where that is 0, above it.
func (p *placing) length(part string, least, most float64) float64 {
	field := groupQR + "." + part
	text := p.text(field)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || !plainNumber.MatchString(text):
		p.complain(field, "The %s field must be a number.")
	case n < least || n > most:
		p.complain(field, fmt.Sprintf("The %%s field must be between %g and %g.", least, most))
	case n == 0:
		p.complain(field, "The %s field must be greater than 0.")
	}
	return n
}

// offPage is the complaint about a place that a document does not have; nil where
// the error is something else.
func offPage(prefix string, err error) []fault.Field {
	r, ok := errors.AsType[*pdf.Refusal](err)
	if !ok {
		return nil
	}
	field := "qr.at"
	if r.Reason == pdf.NoSuchPage {
		field = "qr.page"
	}
	return []fault.Field{{Name: prefix + field, Message: r.Message}}
}
