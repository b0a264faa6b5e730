package manifest

import (
	"fmt"
	"path"
	"slices"

	"github.com/vecctl/vecctl/pkg/vault"
)

// Corrections finds rows that were refused earlier among rows that came since.
type Corrections struct {
	rows   map[string][]int // row numbers by a text that a row has
	issued map[int]bool
}

// NewCorrections indexes the rows of a manifest that are issued, and those that came again,
// by their numbers. Others are left out.
func NewCorrections(rows []Row, issued, again map[int]bool) Corrections {
	x := Corrections{rows: map[string][]int{}, issued: issued}
	for _, row := range rows {
		if !issued[row.Number] && !again[row.Number] {
			continue
		}
		for _, text := range rowTexts(row.Content, row.File) {
			x.rows[text] = append(x.rows[text], row.Number)
		}
	}
	return x
}

// rowTexts are what tells a row from others: name, address, document and external ID.
func rowTexts(c vault.Content, file string) (texts []string) {
	for i, text := range []string{vault.FoldName(c.Name), vault.FoldEmail(c.Email), path.Clean(file), c.ExternalID} {
		if text != "" && text != "." {
			texts = append(texts, fmt.Sprint(i, " ", text))
		}
	}
	return texts
}

// Find looks for the correction of a row: one with which it has two of name, address,
// document and external ID in common. It returns the correction's number, 0 for none, and
// whether it is issued; one that is issued goes before others.
func (x Corrections) Find(was vault.Content, file string) (number int, issued bool) {
	common := map[int]int{}
	for _, text := range rowTexts(was, file) {
		for _, n := range x.rows[text] {
			if common[n]++; common[n] != 2 {
				continue
			}
			if number == 0 || x.issued[n] && !issued {
				number, issued = n, x.issued[n]
			}
		}
	}
	return number, issued
}

// IsRejected reports whether a manifest was written by WriteRejected.
func (m *Manifest) IsRejected() bool { return slices.ContainsFunc(m.Header, isReasonColumn) }

// Reason is what the reason column says of a row.
func (m *Manifest) Reason(row Row) string {
	if i := slices.IndexFunc(m.Header, isReasonColumn); i >= 0 && i < len(row.Cells) {
		return row.Cells[i]
	}
	return ""
}
