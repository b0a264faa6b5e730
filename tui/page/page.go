// Package page is the pages of the screen, one file each: a model, what changes
// it, and how it is drawn.
package page

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/progress"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/tui/desk"
	"github.com/vecctl/vecctl/tui/look"
	"github.com/vecctl/vecctl/tui/roster"
	"github.com/vecctl/vecctl/tui/table"
)

// bar is a progress bar.
func bar(l look.Look, done, total, width int) string {
	if total <= 0 || width <= 0 {
		return ""
	}
	p := progress.New(progress.WithWidth(width), progress.WithoutPercentage(), progress.WithFillCharacters(l.Full, l.Empty))
	p.FullColor, p.EmptyColor = l.Good.Style.GetForeground(), l.Dim.Style.GetForeground()
	return p.ViewAs(min(1, float64(done)/float64(total)))
}

// drawBar draws "done/total" as a bar.
func drawBar(l look.Look, cell string, width int) string {
	var done, total int
	if _, err := fmt.Sscanf(cell, "%d/%d", &done, &total); err != nil {
		return ""
	}
	return bar(l, done, total, width)
}

// settled is how many of a batch's entries have come to an end.
func settled(b client.Batch) int { return b.Approved + b.Failed + b.Revoked }

// text is what a pointer says; "" for nil.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// join puts lines under one another.
func join(parts ...string) string { return strings.Join(parts, "\n") }

// ofCertificates shows certificates of any kind.
func ofCertificates(name, empty string) roster.Kind[client.Certificate] {
	return roster.Kind[client.Certificate]{
		Name: name, Empty: empty,
		Columns: []table.Column{
			{Title: "reference", Min: 24}, {Title: "name", Min: 14, Max: 34}, {Title: "state", Min: 10},
			{Title: "title", Min: 10, Max: 40, Keep: 1}, {Title: "issued", Min: 10, Keep: 2}, {Title: "e-mail", Min: 16, Max: 40, Keep: 3},
		},
		Cells: func(c client.Certificate) []string {
			return []string{c.ReferenceID, c.Name, roster.StateOf(c), c.Title, c.IssueDate, c.Email}
		},
	}
}

// ofFailures shows why certificates failed.
func ofFailures(name, empty string) roster.Kind[client.Certificate] {
	return roster.Kind[client.Certificate]{
		Name: name, Empty: empty,
		Columns: []table.Column{
			{Title: "reference", Min: 24}, {Title: "name", Min: 14, Max: 30},
			{Title: "file", Min: 12, Max: 30, Keep: 1}, {Title: "reason", Min: 14, Max: 200},
		},
		Cells: func(c client.Certificate) []string {
			return []string{c.ReferenceID, c.Name, c.File.Name, text(c.FailureReason)}
		},
	}
}

// vaultOf is what lists ask of the vault.
type vaultOf = roster.Vault

var _ desk.Page = (*Batches)(nil)
