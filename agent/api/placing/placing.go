// Package placing reads where the code of a document is to go, of what a request
// says.
package placing

import (
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

// Group is the field that is an object; its parts say where the code goes. It and
// the template are ours, beyond the guide's.
const Group = "qr"

// Fields are those of a form that say where a code goes.
func Fields() []string {
	return []string{"template", Group, "qr[page]", "qr[at]", "qr[size]", "qr[margin]"}
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

// Read reads the fields that say where a document's code goes, and what is wrong
// with them; those that are named as wrong hold no text. The prefix stands before a
// field's name in complaints. What the fields leave open is the template's to say,
// else the home's: the standards know both.
func Read(fields map[string]string, wrong []string, prefix string, of Standards) (vault.Placement, []fault.Field, error) {
	p := &placing{fields: fields, wrong: wrong, prefix: prefix}
	if fields[Group] != "" || slices.Contains(wrong, Group) {
		p.complain(Group, "The %s field must be an array.")
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

// Standards finds where codes go that an upload does not say, by a template's name.
// One that is not there is an error of kind Invalid.
type Standards func(template string) (vault.Placement, error)

// Remembered asks once for each name.
func (of Standards) Remembered() Standards {
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

// complain notes what is wrong with a field; %s is the field's name.
func (p *placing) complain(field, format string) {
	name := p.prefix + field
	p.bad = append(p.bad, fault.Field{Name: name, Message: fmt.Sprintf(format, name)})
}

// text is a field's, without the spaces around it; "" where it is no text.
func (p *placing) text(field string) string {
	name := field
	if part, ok := strings.CutPrefix(field, Group+"."); ok {
		name = Group + "[" + part + "]"
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
	field := Group + "." + part
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

// OffPage is the complaint about a place that a document does not have; nil where
// the error is something else.
func OffPage(prefix string, err error) []fault.Field {
	r, ok := errors.AsType[*pdf.Rejection](err)
	if !ok {
		return nil
	}
	field := "qr.at"
	if r.Reason == pdf.NoSuchPage {
		field = "qr.page"
	}
	return []fault.Field{{Name: prefix + field, Message: r.Message}}
}
