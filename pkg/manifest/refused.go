package manifest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/manifest/sheet"
)

// refusal is the error of a table whose headings were found, with what was read of it.
type refusal struct {
	cause   error
	reading []string
}

func (r *refusal) Error() string { return r.cause.Error() }

func (r *refusal) Unwrap() error { return r.cause }

// DescribeRefused says line by line what was read of a manifest before it was refused: the sheet,
// the columns, with the fields that they feed where all were decided on, and the first two rows as they are
// given. It returns nil where no table was found.
func DescribeRefused(err error) []string {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.reading
	}
	return nil
}

// refuse keeps what was read of a table beside the reason to refuse it. cols is nil where it is
// not decided what the columns feed.
func refuse(t *sheet.Sheet, cols *columns, cause error) error {
	lines := []string{describeSource(len(t.Records), t.Name, t.Encoding, t.Delimiter)}
	if cols != nil {
		for _, c := range cols.describe(t) {
			lines = append(lines, c.String())
		}
	} else {
		for i, h := range t.Header.Cells {
			if sheet.Trim(h) != "" {
				one := Column{Heading: sheet.Clean(h), Letter: sheet.ColumnLetters(i), Hidden: slices.Contains(t.HiddenColumns, i)}
				lines = append(lines, one.describe(""))
			}
		}
	}
	for _, r := range t.Records[:min(len(t.Records), sampleRows)] {
		lines = append(lines, fmt.Sprintf("  row %d: %s", r.Row, quoteCells(r.Cells)))
	}
	return &refusal{cause, lines}
}

// quoteCells lists cells as they are given, not too many of them.
func quoteCells(cells []string) string {
	const most = 12
	var parts []string
	for _, cell := range cells[:min(len(cells), most)] {
		parts = append(parts, sheet.Quote(cell))
	}
	if more := len(cells) - most; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}
