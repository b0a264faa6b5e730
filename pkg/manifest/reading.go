package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/manifest/sheet"
)

// Column is a column of the manifest and what it is used for.
type Column struct {
	Heading string // as given
	Letter  string // as a spreadsheet names the column
	Field   string // the field that it feeds, alone or with others; "" where it is not used
	Hidden  bool   // a workbook hides it
}

// describe lists the columns of a table.
func (c *columns) describe(t *sheet.Sheet) []Column {
	all := make([]Column, 0, len(t.Header.Cells))
	for i, h := range t.Header.Cells {
		one := Column{Heading: sheet.Clean(h), Letter: sheet.ColumnLetters(i), Hidden: slices.Contains(t.HiddenColumns, i)}
		switch f := c.fieldAt(i); {
		case f != noField:
			one.Field = f.name()
		case i == c.template:
			one.Field = TemplateColumn
		case sheet.Trim(h) == "" && !slices.Contains(c.extra, i):
			continue // blank to the last row
		}
		all = append(all, one)
	}
	return all
}

// describeDefaults says what is filled in that no cell says.
func (m *Manifest) describeDefaults(c *columns) (lines []string) {
	var undated []string
	for _, r := range m.Rows {
		if r.IssueDate == "" && len(r.Problems) == 0 {
			undated = append(undated, fmt.Sprint(r.Number))
		}
	}
	const most = 5
	switch {
	case len(undated) == 0:
	case c.first(fieldDate) < 0:
		lines = append(lines, fmt.Sprintf("issue_date: no column gives it, so all %s the date of today", sheet.Plural(len(undated), "row has", "rows have")))
	default:
		rows := strings.Join(undated[:min(len(undated), most)], ", ")
		if len(undated) > most {
			rows += " and others"
		}
		lines = append(lines, fmt.Sprintf("issue_date: %s no date and the date of today is filled in (%s)", sheet.Plural(len(undated), "row has", "rows have"), rows))
	}
	return lines
}

// Sample is a row as it is filled in, field by field; fields without a value are left out.
func (m *Manifest) Sample(r Row) (fields []SampleField) {
	for f := range fieldCount {
		if text := r.get(f); text != "" {
			fields = append(fields, SampleField{f.name(), text})
		}
	}
	if r.Template != "" {
		fields = append(fields, SampleField{TemplateColumn, r.Template})
	}
	return fields
}

// SampleField is a field of a row with its value.
type SampleField struct{ Field, Value string }

// DescribeReading says line by line how the manifest was read: the sheet, what each
// column feeds, the first two rows, and what is filled in.
func (m *Manifest) DescribeReading() []string {
	lines := []string{describeSource(len(m.Rows), m.Sheet, m.Encoding, m.Delimiter)}
	for _, c := range m.Columns {
		lines = append(lines, c.String())
	}
	for _, r := range m.Rows[:min(len(m.Rows), sampleRows)] {
		var parts []string
		for _, f := range m.Sample(r) {
			parts = append(parts, f.Field+" "+sheet.Quote(f.Value))
		}
		lines = append(lines, fmt.Sprintf("  row %d: %s", r.Number, strings.Join(parts, ", ")))
	}
	for _, d := range m.Defaults {
		lines = append(lines, "  filled in: "+d)
	}
	return lines
}

// sampleRows is how many rows are shown as they are filled in.
const sampleRows = 2

// String says what the column feeds.
func (c Column) String() string {
	use := ": not used"
	if c.Field != "" {
		use = ": -> " + c.Field
	}
	return c.describe(use)
}

// describe names the column by its letter and its heading, with what is said of its use.
func (c Column) describe(use string) string {
	text := fmt.Sprintf("  column %s, %s%s", c.Letter, cmp.Or(c.Heading, "(no heading)"), use)
	if c.Hidden {
		text += " (hidden in the sheet)"
	}
	return text
}

// describeSource says where rows were read from: a sheet of a workbook, else text.
func describeSource(count int, name, encoding, delimiter string) string {
	rows := sheet.Plural(count, "row", "rows")
	if name != "" {
		return fmt.Sprintf("Read %s of the sheet %s:", rows, sheet.Quote(name))
	}
	separator := map[string]string{",": "commas", ";": "semicolons", "tab": "tabs"}[delimiter]
	return fmt.Sprintf("Read %s of text in %s, separated by %s:", rows, encoding, separator)
}

// DescribeWarnings lists remarks in not too many lines.
func DescribeWarnings(warnings []Problem) (lines []string) {
	const most = 20
	for _, w := range warnings[:min(len(warnings), most)] {
		lines = append(lines, w.String())
	}
	if more := len(warnings) - most; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more warnings", more))
	}
	return lines
}
