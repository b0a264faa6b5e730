package manifest

import (
	"maps"
	"strings"
	"unicode"

	"github.com/vecctl/vecctl/pkg/manifest/sheet"
)

// Values are a row's cells by the names of their columns, for templates: known
// columns by their field's name, others by their heading in small letters, with
// an underscore for all that is neither letter nor digit.
func (m *Manifest) Values(row Row) map[string]string {
	values := map[string]string{}
	for i, heading := range m.Header {
		if name := columnName(heading); name != "" && i < len(row.Cells) {
			values[name] = sheet.Clean(row.Cells[i])
		}
	}
	maps.Copy(values, row.Content.Values())
	return values
}

// columnName is a heading as templates write it: "Final Grade" is final_grade.
func columnName(heading string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(sheet.Clean(heading)) {
		switch {
		case c < unicode.MaxASCII && (unicode.IsLetter(c) || unicode.IsDigit(c)):
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
	}
	return strings.TrimSuffix(b.String(), "_")
}
