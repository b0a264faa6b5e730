package form

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

// PlacementField is the field that is an object; its parts say where the code goes. It and
// the template are ours, beyond the guide's.
const PlacementField = "qr"

// PlacementFields are those of a form that say where a code goes.
func PlacementFields() []string {
	return []string{"template", PlacementField, "qr[page]", "qr[at]", "qr[size]", "qr[margin]"}
}

// Bounds of a placement, as the command line has them: lengths in millimetres.
const (
	maxPage          = 100_000
	minSide, maxSide = 8.0, 200.0
	maxMargin        = 200.0
	maxPosition      = 40 // characters
)

// placementReader reads where the code of one document goes.
type placementReader struct {
	fields      map[string]string
	notText     []string // fields that hold no text
	prefix      string   // before a field's name in complaints
	fieldErrors []fault.Field
}

// ReadPlacement reads the fields that say where a document's code goes, and what is wrong
// with them; those that are named as wrong hold no text. The prefix stands before a
// field's name in complaints. What the fields leave open is the template's to say,
// else the home's: the defaults know both.
func ReadPlacement(fields map[string]string, wrong []string, prefix string, defaults DefaultPlacement) (vault.Placement, []fault.Field, error) {
	p := &placementReader{fields: fields, notText: wrong, prefix: prefix}
	if fields[PlacementField] != "" || slices.Contains(wrong, PlacementField) {
		p.addError(PlacementField, "The %s field must be an array.")
	}
	given := vault.Placement{Page: p.page(), At: p.at(), SizeMM: p.length("size", minSide, maxSide), MarginMM: p.length("margin", 0, maxMargin)}
	template := p.text("template")
	standard, err := defaults(template)
	if fault.Is(err, fault.Invalid) && template != "" {
		p.addError("template", "The selected %s is invalid.")
		err = nil
	}
	return given.Or(standard), p.fieldErrors, err
}

// DefaultPlacement finds where codes go that an upload does not say, by a template's name.
// One that is not there is an error of kind Invalid.
type DefaultPlacement func(template string) (vault.Placement, error)

// Cached asks once for each name.
func (defaults DefaultPlacement) Cached() DefaultPlacement {
	type answer struct {
		placement vault.Placement
		err       error
	}
	cached := map[string]answer{}
	return func(template string) (vault.Placement, error) {
		a, ok := cached[template]
		if !ok {
			a.placement, a.err = defaults(template)
			cached[template] = a
		}
		return a.placement, a.err
	}
}

// addError notes what is wrong with a field; %s is the field's name.
func (p *placementReader) addError(field, format string) {
	name := p.prefix + field
	p.fieldErrors = append(p.fieldErrors, fault.Field{Name: name, Message: fmt.Sprintf(format, name)})
}

// text is a field's, without the spaces around it; "" where it is no text.
func (p *placementReader) text(field string) string {
	name := field
	if part, ok := strings.CutPrefix(field, PlacementField+"."); ok {
		name = PlacementField + "[" + part + "]"
	}
	if slices.Contains(p.notText, name) {
		p.addError(field, "The %s field must be a string.")
		return ""
	}
	return strings.TrimSpace(p.fields[name])
}

func (p *placementReader) page() int {
	text := p.text("qr.page")
	switch strings.ToLower(text) {
	case "":
		return 0
	case "last":
		return vault.LastPage
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n < 1 || n > maxPage {
		p.addError("qr.page", fmt.Sprintf("The %%s field must be an integer between 1 and %d, or last.", maxPage))
	}
	return int(n)
}

func (p *placementReader) at() string {
	text := strings.ToLower(p.text("qr.at"))
	if _, err := pdf.ParsePlace(text); err != nil || len(text) > maxPosition {
		p.addError("qr.at", "The %s field must be bottom-right, bottom-left, top-right, top-left, auto, or X,Y in millimetres.")
		return ""
	}
	return text
}

var decimalFormat = regexp.MustCompile(`^\d{1,5}(\.\d{1,6})?$`)

// length is a field in millimetres, above the least or, where that is 0, above it.
func (p *placementReader) length(part string, least, most float64) float64 {
	field := PlacementField + "." + part
	text := p.text(field)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || !decimalFormat.MatchString(text):
		p.addError(field, "The %s field must be a number.")
	case n < least || n > most:
		p.addError(field, fmt.Sprintf("The %%s field must be between %g and %g.", least, most))
	case n == 0:
		p.addError(field, "The %s field must be greater than 0.")
	}
	return n
}

// PlacementErrors is the complaint about a place that a document does not have; nil where
// the error is something else.
func PlacementErrors(prefix string, err error) []fault.Field {
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
