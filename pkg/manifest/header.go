package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest/sheet"
	"github.com/vecctl/vecctl/pkg/vault"
)

// field is one of the columns that mean something: one of what a certificate says, or
// the file.
type field int

const (
	noField      = field(-1)
	fieldEmail   = field(vault.FieldEmail)
	fieldDate    = field(vault.FieldIssueDate)
	fieldDetails = field(vault.FieldDetails)
	fieldFile    = field(vault.FieldCount)
	fieldCount   = fieldFile + 1
)

const (
	fileColumn  = "file"
	maxFileName = 255
)

// described returns what the field holds; ok is false for the file.
func (f field) described() (d vault.Field, ok bool) {
	if f == fieldFile {
		return d, false
	}
	return vault.FieldID(f).Field(), true
}

// name is the field's heading as messages spell it.
func (f field) name() string {
	if d, ok := f.described(); ok {
		return d.Key
	}
	return fileColumn
}

// fieldNames lists the headings of all fields.
func fieldNames() []string {
	names := make([]string, fieldCount)
	for f := range fieldCount {
		names[f] = f.name()
	}
	return names
}

// required reports whether every manifest must have the column, and every row a
// value in it.
func (f field) required() bool {
	d, ok := f.described()
	return !ok || d.Required
}

// limit is the greatest length in characters; 0 is none.
func (f field) limit() int {
	if d, ok := f.described(); ok {
		return d.Limit
	}
	return maxFileName
}

// aliases are the headings that mean the field, folded as by foldHeading.
func (f field) aliases() []string {
	if d, ok := f.described(); ok {
		return d.Headings
	}
	return []string{"file", "filename", "document", "documentname", "pdf", "pdffile", "pdfname", "path", "filepath", "certificatefile", "documentfile", "attachment"}
}

// foldHeading leaves of a heading what identifies it: letters and digits, in lower
// case, without accents and without a remark in brackets.
func foldHeading(heading string) string {
	bare := heading
	if before, after, ok := strings.Cut(heading, "("); ok && strings.HasSuffix(sheet.Trim(after), ")") && sheet.Trim(before) != "" {
		bare = before
	}
	var b strings.Builder
	for _, r := range norm.NFKD.String(bare) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// fieldOf finds the field that a heading names by itself.
func fieldOf(heading string) field {
	folded := foldHeading(heading)
	for f := range fieldCount {
		if slices.Contains(f.aliases(), folded) {
			return f
		}
	}
	return noField
}

// isMapped reports whether the person gave the heading a field.
func isMapped(heading string, given map[string]string) bool {
	for h := range given {
		if sameHeading(h, heading) {
			return true
		}
	}
	return false
}

func sameHeading(a, b string) bool {
	return sheet.Clean(a) == sheet.Clean(b) || foldHeading(a) == foldHeading(b) && foldHeading(a) != ""
}

// columns say where each field stands.
type columns struct {
	position [fieldCount]int // position in the header, -1 for absent
	extra    []int           // columns that are only carried along
	// template is the column that names templates, -1 for none; with it, or
	// where the person names one, rows may do without a file.
	template  int
	templated bool
}

// TemplateColumn is the heading of the column that names templates.
const TemplateColumn = "template"

// requires reports whether every manifest must have the column.
func (c columns) requires(f field) bool {
	return f.required() && (f != fieldFile || !c.templated && c.template < 0)
}

// fieldAt is the field in a column.
func (c columns) fieldAt(column int) field {
	return field(slices.Index(c.position[:], column))
}

// texts are the columns of text, in which zeros before a number count.
func (c columns) texts() (all []int) {
	for f, i := range c.position {
		if i >= 0 && field(f) != fieldDate {
			all = append(all, i)
		}
	}
	return all
}

// matchHeader finds the fields' columns: those that the person maps, then by
// the headings. A field that two headings name is an error.
func matchHeader(header []string, opts Options) (columns, error) {
	given, c := opts.Map, columns{template: -1, templated: opts.Templated}
	for f := range c.position {
		c.position[f] = -1
	}
	if err := c.mapGiven(header, given); err != nil {
		return c, err
	}
	chosen := c.position
	for i, h := range header {
		f := fieldOf(h)
		if slices.Contains(chosen[:], i) || f == noField || chosen[f] >= 0 {
			continue
		}
		if first := c.position[f]; first >= 0 {
			return c, invalidError("the headings %s (column %d) and %s (column %d) both mean %s: rename one, or say which with --map %s",
				sheet.Quote(header[first]), first+1, sheet.Quote(h), i+1, f.name(), sheet.ShellQuote(header[first]+"="+f.name()))
		}
		c.position[f] = i
	}
	for i, h := range header {
		if c.fieldAt(i) == noField && !isReasonColumn(h) && sheet.Trim(h) != "" {
			c.extra = append(c.extra, i)
			if foldHeading(h) == TemplateColumn && c.template < 0 {
				c.template = i
			}
		}
	}
	return c, c.checkComplete(header)
}

// mapGiven takes over what the person says with --map.
func (c *columns) mapGiven(header []string, given map[string]string) error {
	for _, h := range slices.Sorted(maps.Keys(given)) {
		f := field(slices.Index(fieldNames(), strings.ToLower(sheet.Trim(given[h]))))
		if f == noField {
			f = fieldOf(given[h])
		}
		if f == noField {
			return invalidError("--map %s: %s is no field: use one of %s", sheet.ShellQuote(h+"="+given[h]), sheet.Quote(given[h]), strings.Join(fieldNames(), ", "))
		}
		i := slices.IndexFunc(header, func(x string) bool { return sheet.Clean(x) == sheet.Clean(h) })
		if i < 0 {
			i = slices.IndexFunc(header, func(x string) bool { return sameHeading(x, h) })
		}
		switch {
		case i < 0:
			return invalidError("--map %s: there is no column %s. The columns are %s", sheet.ShellQuote(h+"="+given[h]), sheet.Quote(h), quoteHeadings(header))
		case c.position[f] >= 0 && c.position[f] != i:
			return invalidError("--map gives %s two columns, %s and %s: name one", f.name(), sheet.Quote(header[c.position[f]]), sheet.Quote(header[i]))
		case c.fieldAt(i) != noField && c.fieldAt(i) != f:
			return invalidError("--map makes the column %s both %s and %s: name one", sheet.Quote(header[i]), c.fieldAt(i).name(), f.name())
		}
		c.position[f] = i
	}
	return nil
}

// checkComplete is an error when a required column is missing; it suggests the
// heading that may have been meant.
func (c columns) checkComplete(header []string) error {
	if !slices.ContainsFunc(c.position[:], func(i int) bool { return i >= 0 }) {
		return invalidError("no headings: the first line must name the columns %s; found %s", strings.Join(fieldNames(), ", "), quoteHeadings(header))
	}
	var missing []string
	for f, i := range c.position {
		if i < 0 && c.requires(field(f)) {
			missing = append(missing, c.suggest(field(f), header))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return invalidError("%s", strings.Join(missing, ". "))
}

// suggestHeaderRow adds to an error about the headings which line looks more like them
// than the first one: many tables begin with a title.
func suggestHeaderRow(err error, t *sheet.Sheet, opts Options) error {
	const far, like = 20, 3
	known := func(cells []string) (n int) {
		for _, h := range cells {
			if fieldOf(h) != noField || isMapped(h, opts.Map) {
				n++
			}
		}
		return n
	}
	message, ok := fault.Message(err)
	for _, l := range t.Records[:min(len(t.Records), far)] {
		if n := known(l.Cells); ok && n >= like && n > known(t.Header.Cells) {
			return invalidError("%s. Line %d looks like the headings: remove the lines above it", message, l.Line)
		}
	}
	return err
}

// suggest complains about one missing column and names the nearest heading.
func (c columns) suggest(f field, header []string) string {
	best, bestDistance := -1, 0
	for _, i := range c.extra {
		for _, alias := range f.aliases() {
			d := editDistance(foldHeading(header[i]), alias, max(1, len(alias)/3))
			if d >= 0 && (best < 0 || d < bestDistance) {
				best, bestDistance = i, d
			}
		}
	}
	if best < 0 {
		return fmt.Sprintf("no column for %s: the columns are %s. Add it, or say which one it is with --map COLUMN=%s", f.name(), quoteHeadings(header), f.name())
	}
	return fmt.Sprintf("no column for %s: the nearest heading is %s (column %d). Rename it to %s, or use --map %s",
		f.name(), sheet.Quote(header[best]), best+1, f.name(), sheet.ShellQuote(header[best]+"="+f.name()))
}

// isReasonColumn recognises the column that WriteRejected adds.
func isReasonColumn(heading string) bool { return foldHeading(heading) == reasonColumn }

// quoteHeadings quotes headings for a message.
func quoteHeadings(header []string) string {
	var names []string
	for _, h := range header {
		if sheet.Trim(h) != "" {
			names = append(names, sheet.Quote(h))
		}
	}
	if len(names) > 20 {
		names = append(names[:20], "...")
	}
	return strings.Join(names, ", ")
}
