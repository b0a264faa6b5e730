package pages

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/tui/ui"
)

// press handles the keys that work in every list.
func (r *List[T]) press(msg tea.KeyPressMsg) (cmd tea.Cmd, handled bool) {
	k := r.ui.Keys
	switch {
	case r.table.Update(msg, k, r):
		r.noteSelection()
		return r.loadVisible(), true
	case key.Matches(msg, k.Back):
		return nil, r.table.ClearMarks()
	case key.Matches(msg, k.Export):
		return r.export(), true
	case key.Matches(msg, k.Copy):
		if one, ok := r.Current(); ok {
			return r.copy(one, func(c client.Certificate) string { return c.ReferenceID }), true
		}
	}
	return nil, false
}

// Marked returns the UUIDs of the marked entries.
func (r *List[T]) Marked() []string { return r.table.Marked() }

// Reload reads the list again after an action; done removes the marks.
func (r *List[T]) Reload(done bool) tea.Cmd {
	if done {
		r.table.ClearMarks()
	}
	r.stale, r.asked = true, time.Time{} // shows the result at once
	return r.refresh()
}

// copy copies a text of the selected entry, or of all marked ones.
func (r *List[T]) copy(one T, text func(client.Certificate) string) tea.Cmd {
	marked := r.table.Marked()
	if len(marked) == 0 {
		return CopyToClipboard(text(*r.CertificateOf(&one)))
	}
	wanted := map[string]bool{}
	for _, uuid := range marked {
		wanted[uuid] = true
	}
	var lines []string
	for i := range r.total {
		if one, ok := r.at(i); ok && wanted[r.CertificateOf(&one).UUID] {
			lines = append(lines, text(*r.CertificateOf(&one)))
		}
		if len(lines) == len(marked) {
			break
		}
	}
	if len(lines) < len(marked) {
		return ui.ShowResult(fmt.Sprintf("Only %d of %d marked rows are loaded; nothing was copied. Export them instead.", len(lines), len(marked)))
	}
	return CopyToClipboard(strings.Join(lines, "\n"))
}

// confirmExportFrom is the number of rows from which an export needs a confirmation.
const confirmExportFrom = 1000

func (r *List[T]) export() tea.Cmd {
	if !r.known || r.total == 0 {
		return ui.ShowResult("There is nothing to export.")
	}
	if r.total < confirmExportFrom {
		return r.exportAll()
	}
	return ui.OpenDialog(ui.DialogMsg{
		Text: fmt.Sprintf("Export %s %s as CSV into %s?", ui.FormatNumber(r.total), r.Label.Many, r.ui.Folder),
		Do:   func([]string) tea.Cmd { return r.exportAll() },
	})
}

func (r *List[T]) exportAll() tea.Cmd {
	fetch := r.fetch
	return r.ui.ExportCSV(r.Name, r.Heading, r.Label.One+" was", r.Label.Many+" were", func(ctx context.Context, row func([]string) error) error {
		return r.each(ctx, fetch, func(one T) error { return row(r.Record(one)) })
	})
}

// each calls a function for each entry of the whole list. New entries move the others to the
// next page meanwhile; an entry that is read twice is skipped.
func (r *List[T]) each(ctx context.Context, fetch ListSource[T], each func(T) error) error {
	const most, remembered = 100, 4
	last := ""
	var recent []map[string]bool // UUIDs of the last pages
	for n := 1; ; n++ {
		found, err := fetch(ctx, ListPage{Number: n, Size: most, After: last})
		if err != nil {
			return err
		}
		these := map[string]bool{}
		for _, one := range found.Data {
			uuid := r.CertificateOf(&one).UUID
			these[uuid], last = true, uuid
			if slices.ContainsFunc(recent, func(page map[string]bool) bool { return page[uuid] }) {
				continue
			}
			if err := each(one); err != nil {
				return err
			}
		}
		recent = append(recent, these)
		recent = recent[max(0, len(recent)-remembered):]
		if len(found.Data) < most {
			return nil
		}
	}
}
