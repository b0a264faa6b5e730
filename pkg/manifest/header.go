package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest/cell"
	"github.com/vecctl/vecctl/pkg/manifest/sheet"
)

// field is one of the columns that mean something.
type field int

const (
	noField field = iota - 1
	fieldTitle
	fieldName
	fieldEmail
	fieldDate
	fieldDetails
	fieldFile
	fieldCount
)

var fieldNames = [fieldCount]string{"certificate_title", "full_name", "applicant_email", "issue_date", "details", "file"}

// required tells whether every manifest must have the column, and every row a
// value in it.
func (f field) required() bool { return f != fieldDate && f != fieldDetails }

// limit is the greatest length in characters; 0 is none.
func (f field) limit() int {
	switch f {
	case fieldTitle, fieldName, fieldEmail, fieldFile:
		return MaxText
	case fieldDetails:
		return MaxDetails
	}
	return 0
}

// aliases are the other names under which a field is known, folded as by fold.
func aliases(f field) []string {
	switch f {
	case fieldTitle:
		return []string{"certificatetitle", "title", "certificate", "certificatename", "titleofcertificate", "titleofthecertificate", "award", "awardtitle"}
	case fieldName:
		return []string{"fullname", "name", "studentname", "student", "recipient", "recipientname", "nameofrecipient", "nameofstudent",
			"holder", "holdername", "graduate", "graduatename", "participant", "participantname", "applicant", "applicantname", "learner", "learnername"}
	case fieldEmail:
		return []string{"applicantemail", "email", "mail", "emailaddress", "mailaddress", "studentemail", "recipientemail", "participantemail", "learneremail", "emailid"}
	case fieldDate:
		return []string{"issuedate", "date", "issued", "issuedon", "dateofissue", "dateissued", "issueddate", "awarddate", "certificatedate", "dateofaward"}
	case fieldDetails:
		return []string{"details", "detail", "description", "notes", "note", "remarks", "comment", "comments", "additionaldetails"}
	case fieldFile:
		return []string{"file", "filename", "document", "documentname", "pdf", "pdffile", "pdfname", "path", "filepath", "certificatefile", "documentfile", "attachment"}
	}
	return nil
}

// fold leaves of a heading what identifies it: letters and digits, in lower
// case, without accents and without a remark in brackets.
func fold(heading string) string {
	bare := heading
	if before, after, ok := strings.Cut(heading, "("); ok && strings.HasSuffix(cell.Trim(after), ")") && cell.Trim(before) != "" {
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
	folded := fold(heading)
	for f := range fieldCount {
		if slices.Contains(aliases(f), folded) {
			return f
		}
	}
	return noField
}

// mapped tells whether the person gave the heading a field.
func mapped(heading string, given map[string]string) bool {
	for h := range given {
		if sameHeading(h, heading) {
			return true
		}
	}
	return false
}

func sameHeading(a, b string) bool {
	return cell.Clean(a) == cell.Clean(b) || fold(a) == fold(b) && fold(a) != ""
}

// columns say where each field stands.
type columns struct {
	of    [fieldCount]int // position in the header, -1 for absent
	extra []int           // columns that are only carried along
	// template is the column that names templates, -1 for none; with it, or
	// where the person names one, rows may do without a file.
	template  int
	templated bool
}

// TemplateColumn is the heading of the column that names templates.
const TemplateColumn = "template"

// needs tells whether every manifest must have the column.
func (c columns) needs(f field) bool {
	return f.required() && (f != fieldFile || !c.templated && c.template < 0)
}

// at is the field in a column.
func (c columns) at(column int) field {
	return field(slices.Index(c.of[:], column))
}

// matchHeader finds the fields' columns: those that the person maps, then by
// the headings. A field that two headings name is an error.
func matchHeader(header []string, opts Options) (columns, error) {
	given, c := opts.Map, columns{template: -1, templated: opts.Templated}
	for f := range c.of {
		c.of[f] = -1
	}
	if err := c.mapGiven(header, given); err != nil {
		return c, err
	}
	chosen := c.of
	for i, h := range header {
		f := fieldOf(h)
		if slices.Contains(chosen[:], i) || f == noField || chosen[f] >= 0 {
			continue
		}
		if first := c.of[f]; first >= 0 {
			return c, invalid("the headings %s (column %d) and %s (column %d) both mean %s: rename one, or say which with --map %s",
				cell.Quote(header[first]), first+1, cell.Quote(h), i+1, fieldNames[f], cell.ShellQuote(header[first]+"="+fieldNames[f]))
		}
		c.of[f] = i
	}
	for i, h := range header {
		if c.at(i) == noField && !isReason(h) && cell.Trim(h) != "" {
			c.extra = append(c.extra, i)
			if fold(h) == TemplateColumn && c.template < 0 {
				c.template = i
			}
		}
	}
	return c, c.complete(header)
}

// mapGiven takes over what the person says with --map.
func (c *columns) mapGiven(header []string, given map[string]string) error {
	for _, h := range slices.Sorted(maps.Keys(given)) {
		f := field(slices.Index(fieldNames[:], strings.ToLower(cell.Trim(given[h]))))
		if f == noField {
			f = fieldOf(given[h])
		}
		if f == noField {
			return invalid("--map %s: %s is no field: use one of %s", cell.ShellQuote(h+"="+given[h]), cell.Quote(given[h]), strings.Join(fieldNames[:], ", "))
		}
		i := slices.IndexFunc(header, func(x string) bool { return cell.Clean(x) == cell.Clean(h) })
		if i < 0 {
			i = slices.IndexFunc(header, func(x string) bool { return sameHeading(x, h) })
		}
		switch {
		case i < 0:
			return invalid("--map %s: there is no column %s. The columns are %s", cell.ShellQuote(h+"="+given[h]), cell.Quote(h), listed(header))
		case c.of[f] >= 0 && c.of[f] != i:
			return invalid("--map gives %s two columns, %s and %s: name one", fieldNames[f], cell.Quote(header[c.of[f]]), cell.Quote(header[i]))
		case c.at(i) != noField && c.at(i) != f:
			return invalid("--map makes the column %s both %s and %s: name one", cell.Quote(header[i]), fieldNames[c.at(i)], fieldNames[f])
		}
		c.of[f] = i
	}
	return nil
}

// complete is an error when a required column is missing; it suggests the
// heading that may have been meant.
func (c columns) complete(header []string) error {
	if !slices.ContainsFunc(c.of[:], func(i int) bool { return i >= 0 }) {
		return invalid("no headings: the first line must name the columns %s; found %s", strings.Join(fieldNames[:], ", "), listed(header))
	}
	var missing []string
	for f, i := range c.of {
		if i < 0 && c.needs(field(f)) {
			missing = append(missing, c.suggest(field(f), header))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return invalid("%s", strings.Join(missing, ". "))
}

// belowHeadings adds to an error about the headings which line looks more like them
// than the first one: many tables begin with a title.
func belowHeadings(err error, t *sheet.Sheet, opts Options) error {
	const far, like = 20, 3
	known := func(cells []string) (n int) {
		for _, h := range cells {
			if fieldOf(h) != noField || mapped(h, opts.Map) {
				n++
			}
		}
		return n
	}
	message, ok := fault.Message(err)
	for _, l := range t.Lines[:min(len(t.Lines), far)] {
		if n := known(l.Cells); ok && n >= like && n > known(t.Header.Cells) {
			return invalid("%s. Line %d looks like the headings: remove the lines above it", message, l.Line)
		}
	}
	return err
}

// suggest complains about one missing column and names the nearest heading.
func (c columns) suggest(f field, header []string) string {
	best, bestDistance := -1, 0
	for _, i := range c.extra {
		for _, alias := range aliases(f) {
			d := distance(fold(header[i]), alias, max(1, len(alias)/3))
			if d >= 0 && (best < 0 || d < bestDistance) {
				best, bestDistance = i, d
			}
		}
	}
	if best < 0 {
		return fmt.Sprintf("no column for %s: the columns are %s. Add it, or say which one it is with --map COLUMN=%s", fieldNames[f], listed(header), fieldNames[f])
	}
	return fmt.Sprintf("no column for %s: the nearest heading is %s (column %d). Rename it to %s, or use --map %s",
		fieldNames[f], cell.Quote(header[best]), best+1, fieldNames[f], cell.ShellQuote(header[best]+"="+fieldNames[f]))
}

// isReason recognises the column that WriteRejected adds.
func isReason(heading string) bool { return fold(heading) == reasonColumn }

// listed quotes headings for a message.
func listed(header []string) string {
	var names []string
	for _, h := range header {
		if cell.Trim(h) != "" {
			names = append(names, cell.Quote(h))
		}
	}
	if len(names) > 20 {
		names = append(names[:20], "...")
	}
	return strings.Join(names, ", ")
}
