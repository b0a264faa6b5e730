// Package pages has the pages of the terminal screen. Each page has a model, an update and
// a view.
package pages

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/progress"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/tui/ui"
)

// progressBar is a progress bar.
func progressBar(l ui.Theme, done, total, width int) string {
	if total <= 0 || width <= 0 {
		return ""
	}
	p := progress.New(progress.WithWidth(width), progress.WithoutPercentage(), progress.WithFillCharacters(l.BarFull, l.BarEmpty))
	p.FullColor, p.EmptyColor = l.Good.Style.GetForeground(), l.Dim.Style.GetForeground()
	return p.ViewAs(min(1, float64(done)/float64(total)))
}

// drawProgress draws "done/total" as a bar.
func drawProgress(l ui.Theme, cell string, width int) string {
	var done, total int
	if _, err := fmt.Sscanf(cell, "%d/%d", &done, &total); err != nil {
		return ""
	}
	return progressBar(l, done, total, width)
}

// finished returns the number of a batch's certificates that are no longer processing.
func finished(b client.Batch) int { return b.Approved + b.Failed + b.Revoked }

// joinLines joins lines with line breaks.
func joinLines(parts ...string) string { return strings.Join(parts, "\n") }

// certificateListSpec returns the list of certificates in any state.
func certificateListSpec(name, empty string) ListSpec[client.Certificate] {
	return ListSpec[client.Certificate]{
		Name: name, EmptyText: empty,
		Columns: []ui.Column{
			{Title: "reference", Min: 24}, {Title: "name", Min: 14, Max: 34}, {Title: "state", Min: 10},
			{Title: "title", Min: 10, Max: 40, DropOrder: 1}, {Title: "issued", Min: 10, DropOrder: 2}, {Title: "e-mail", Min: 16, Max: 40, DropOrder: 3},
		},
		Cells: func(c client.Certificate) []string {
			return []string{c.ReferenceID, c.Name, DisplayState(c), c.Title, c.IssueDate, c.Email}
		},
	}
}

// failureListSpec returns the list of failed certificates with their reasons.
func failureListSpec(name, empty string) ListSpec[client.Certificate] {
	return ListSpec[client.Certificate]{
		Name: name, EmptyText: empty,
		Columns: []ui.Column{
			{Title: "reference", Min: 24}, {Title: "name", Min: 14, Max: 30},
			{Title: "file", Min: 12, Max: 30, DropOrder: 1}, {Title: "reason", Min: 14, Max: 200},
		},
		Cells: func(c client.Certificate) []string {
			return []string{c.ReferenceID, c.Name, c.File.Name, orEmpty(c.FailureReason)}
		},
	}
}

var _ ui.Page = (*Batches)(nil)
