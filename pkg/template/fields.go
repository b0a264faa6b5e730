package template

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/template/typeset"
)

const (
	defaultShrink  = 0.6
	defaultLeading = 1.3
	minSize        = 4.0
	maxSize        = 500.0
)

// loadFields checks the fields one by one.
func (l *loader) loadFields() {
	switch {
	case len(l.spec.Fields) == 0:
		l.addError("fields is missing: a template without any shows nobody's name")
	case len(l.spec.Fields) > maxFields:
		l.addError("fields has %d entries; at most %d are taken", len(l.spec.Fields), maxFields)
		return
	}
	title := l.titleField()
	for i, s := range l.spec.Fields {
		f, faults := l.field(s)
		if f.order = i; f.role == "" {
			f.role = pdf.Paragraph
			if i == title {
				f.role = pdf.Heading
			}
		}
		for _, x := range faults {
			l.addError("field %d (%.40q): %s", i+1, s.Text, x)
		}
		l.t.fields = append(l.t.fields, f)
		for _, w := range f.segments {
			l.needColumn(w)
		}
	}
}

// needColumn enters a column that rows must have.
func (l *loader) needColumn(w segment) {
	if w.column != "" && w.column != InstitutionColumn && !w.optional && !slices.Contains(l.t.Columns, w.column) {
		l.t.Columns = append(l.t.Columns, w.column)
	}
}

// titleField is the field that is the heading where none is said to be one: the text in the
// largest letters that is the same on all documents; -1: there is none.
func (l *loader) titleField() int {
	title := -1
	for i, s := range l.spec.Fields {
		if s.Role == string(pdf.Heading) {
			return -1
		}
		if s.Role == "" && !strings.Contains(s.Text, "{") && (title < 0 || s.Size > l.spec.Fields[title].Size) {
			title = i
		}
	}
	return title
}

// loadLanguage reads which language the documents are in.
func (l *loader) loadLanguage() {
	if l.Language == "" {
		return
	}
	words, err := parseText(l.Language)
	f := field{segments: words}
	switch {
	case err != nil:
		l.addError("language: %v", err)
		return
	case f.isStatic():
		if err := checkLanguage(l.Language); err != nil {
			l.addError("%s", errorMessage(err))
		}
	}
	for _, w := range words {
		l.needColumn(w)
	}
	l.t.language = &f
}

func (l *loader) field(s fieldSpec) (field, []string) {
	var faults []string
	wrong := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	f := field{role: pdf.Role(s.Role), dateFormat: cmp.Or(s.DateFormat, defaultDateFormat), box: typeset.Box{X: s.X * pointsPerMM, Y: s.Y * pointsPerMM, W: s.Width * pointsPerMM, H: s.Height * pointsPerMM}}
	var err error
	if f.segments, err = parseText(s.Text); err != nil {
		wrong("%v", err)
	} else if len(f.segments) == 0 {
		wrong("its text is empty")
	}
	if !slices.Contains([]pdf.Role{"", pdf.Heading, pdf.Paragraph, pdf.Artifact}, f.role) {
		wrong("role is %q; it can be heading, paragraph or artifact", s.Role)
	}
	if err := checkDateFormat(f.dateFormat); err != nil {
		wrong("%v", err)
	}
	switch {
	case !(s.Width > 0 && s.Height > 0):
		wrong("width and height must be above 0: they say how much room the text has")
	case l.t.WidthMM > 0 && !(s.X >= 0 && s.Y >= 0 && s.X+s.Width <= l.t.WidthMM+0.01 && s.Y+s.Height <= l.t.HeightMM+0.01):
		wrong("it lies off the page: %g to %g mm across and %g to %g mm down, and the page is %.0f x %.0f mm",
			s.X, s.X+s.Width, s.Y, s.Y+s.Height, l.t.WidthMM, l.t.HeightMM)
	}
	f.style, err = l.style(s)
	if err != nil {
		wrong("%v", err)
	}
	if s.Colour != "" && s.Color != "" {
		wrong("it has both colour and color; keep one of them")
	}
	if f.style.Colour, err = parseColour(cmp.Or(s.Colour, s.Color, "#000000")); err != nil {
		wrong("%v", err)
	}
	if h := f.box.H; h > 0 && f.style.MinSize*f.style.Leading > h*1.001 {
		wrong("a line of %g points does not fit into its height of %g mm", f.style.MinSize, s.Height)
	}
	return f, faults
}

func (l *loader) style(s fieldSpec) (typeset.Style, error) {
	style := typeset.Style{Size: s.Size, MinSize: s.MinSize, Lines: s.Lines, WrapFirst: s.Fit == "wrap", Leading: cmp.Or(s.Leading, defaultLeading)}
	if style.MinSize == 0 {
		style.MinSize = max(minSize, s.Size*defaultShrink)
	}
	name := s.Font
	if name == "" && len(l.spec.Fonts) == 1 {
		for only := range l.spec.Fonts {
			name = only
		}
	}
	_, known := l.spec.Fonts[name]
	style.Fonts = l.fonts[name]
	aligns := map[string]typeset.Align{"": typeset.Start, "left": typeset.Start, "center": typeset.Middle, "right": typeset.End}
	downs := map[string]typeset.Align{"": typeset.Middle, "top": typeset.Start, "middle": typeset.Middle, "bottom": typeset.End}
	var ok, ok2 bool
	style.Horizontal, ok = aligns[s.Align]
	style.Vertical, ok2 = downs[s.Valign]
	switch {
	case !known:
		return style, fmt.Errorf("its font is %q, and fonts has none of that name", s.Font)
	case !(s.Size >= minSize && s.Size <= maxSize):
		return style, fmt.Errorf("size is %g; it must be %g to %g points", s.Size, minSize, maxSize)
	case !(style.MinSize >= minSize && style.MinSize <= s.Size):
		return style, fmt.Errorf("min_size is %g; it must be %g points at least, and not above size", s.MinSize, minSize)
	case s.Lines < 0 || s.Lines > 50:
		return style, fmt.Errorf("lines is %d; it must be 0 to 50", s.Lines)
	case !(style.Leading >= 0.8 && style.Leading <= 4):
		return style, fmt.Errorf("leading is %g; it must be 0.8 to 4", s.Leading)
	case s.Fit != "" && s.Fit != "shrink" && s.Fit != "wrap":
		return style, fmt.Errorf("fit is %q; it can be shrink or wrap", s.Fit)
	case !ok:
		return style, fmt.Errorf("align is %q; it can be left, center or right", s.Align)
	case !ok2:
		return style, fmt.Errorf("valign is %q; it can be top, middle or bottom", s.Valign)
	}
	return style, nil
}

// loadStamp reads where the code goes.
func (l *loader) loadStamp() {
	m, err := pdf.StampAt(l.QR.At, l.QR.Page, cmp.Or(l.QR.Size, pdf.DefaultSizeMM), cmp.Or(l.QR.Margin, pdf.DefaultMarginMM))
	if err != nil {
		l.addError("qr.at: %s", errorMessage(err))
	}
	if l.QR.Page > 1 || l.QR.Page < 0 {
		l.addError("qr.page is %d; the page that a template makes is 1", l.QR.Page)
	}
	l.t.Stamp, l.t.Place = m, cmp.Or(l.QR.At, pdf.DefaultPlace)
}
