package ui

import (
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// Column is a column's room. On a narrow screen the column with the largest Keep
// goes first; one with 0 stays.
type Column struct {
	Title     string
	Min, Max  int // columns of the terminal; Max 0 is Min
	Right     bool
	DropOrder int
	// Draw makes of a cell what is shown in so many columns; nil shows the cell.
	Draw func(l Theme, cell string, width int) string
}

// Row is a row's cells. State is the word by which a cell with that text is
// coloured.
type Row struct {
	ID    string
	State string
	Cells []string
}

// Table is which row is selected and which are marked.
type Table struct {
	Columns []Column
	Single  bool // nothing can be marked
	cursor  int
	top     int // first row that is shown
	height  int // rows shown last
	marks   map[string]bool
	anchor  int // where a range was begun; -1 without one
}

// NewTable makes a table.
func NewTable(columns ...Column) Table {
	return Table{Columns: columns, marks: map[string]bool{}, anchor: -1}
}

// Rows is what a table shows.
type Rows interface {
	Len() int
	// Row returns false for a row that is not there yet.
	Row(i int) (Row, bool)
}

// Cursor is the selected row.
func (t *Table) Cursor() int { return t.cursor }

// Select selects a row, as far as there is one.
func (t *Table) Select(i, total int) {
	t.cursor = max(0, min(i, total-1))
}

// VisibleRows is the span of rows that were drawn last.
func (t *Table) VisibleRows() (from, to int) { return t.top, t.top + t.height }

// Marked lists what is marked, in a stable order.
func (t *Table) Marked() []string {
	ids := make([]string, 0, len(t.marks))
	for id := range t.marks {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// ClearMarks takes marks and a range back; it is false when there were none.
func (t *Table) ClearMarks() bool {
	had := len(t.marks) > 0 || t.anchor >= 0
	clear(t.marks)
	t.anchor = -1
	return had
}

// Update moves and marks by keys; it is false for keys that are not the table's.
func (t *Table) Update(msg tea.KeyPressMsg, k KeyMap, rows Rows) bool {
	page := max(1, t.height-1)
	switch {
	case key.Matches(msg, k.Up):
		t.Select(t.cursor-1, rows.Len())
	case key.Matches(msg, k.Down):
		t.Select(t.cursor+1, rows.Len())
	case key.Matches(msg, k.PageUp):
		t.Select(t.cursor-page, rows.Len())
	case key.Matches(msg, k.PageDown):
		t.Select(t.cursor+page, rows.Len())
	case key.Matches(msg, k.Top):
		t.Select(0, rows.Len())
	case key.Matches(msg, k.Bottom):
		t.Select(rows.Len()-1, rows.Len())
	case t.Single:
		return false
	case key.Matches(msg, k.Mark):
		t.toggle(rows)
	case key.Matches(msg, k.Range):
		t.toggleRange(rows)
	default:
		return false
	}
	return true
}

// toggle marks the selected row, or takes its mark, and goes on to the next.
func (t *Table) toggle(rows Rows) {
	if row, ok := rows.Row(t.cursor); ok {
		if t.marks[row.ID] {
			delete(t.marks, row.ID)
		} else {
			t.marks[row.ID] = true
		}
		t.Select(t.cursor+1, rows.Len())
	}
}

// toggleRange begins a range at the selected row, or marks all from the beginning to it.
func (t *Table) toggleRange(rows Rows) {
	if t.anchor < 0 {
		t.anchor = t.cursor
		return
	}
	for i := min(t.anchor, t.cursor); i <= max(t.anchor, t.cursor); i++ {
		if row, ok := rows.Row(i); ok {
			t.marks[row.ID] = true
		}
	}
	t.anchor = -1
}

// MarkedRange is the range that has been begun: from, to, or false.
func (t *Table) MarkedRange() (from, to int, begun bool) {
	return min(t.anchor, t.cursor), max(t.anchor, t.cursor), t.anchor >= 0
}

// Click selects the row on a line of the table's view.
func (t *Table) Click(line int, rows Rows) {
	if i := t.top + line - 1; line > 0 && line <= t.height && i < rows.Len() {
		t.Select(i, rows.Len())
	}
}

// View draws the table: a line of headings, then rows.
func (t *Table) View(l Theme, rows Rows, width, height int) string {
	total := rows.Len()
	t.height = max(1, height-1)
	t.Select(t.cursor, total)
	t.top = max(0, min(t.top, t.cursor, total-1), t.cursor-t.height+1)
	t.top = max(0, min(t.top, total-t.height))
	widths := columnWidths(t.Columns, width-markWidth)
	lines := []string{l.Dim.Render(t.heading(l, widths))}
	from, to, ranging := t.MarkedRange()
	for i := t.top; i < min(total, t.top+t.height); i++ {
		row, ok := rows.Row(i)
		inRange := ranging && i >= from && i <= to
		lines = append(lines, t.rowLine(l, row, ok, widths, width, i == t.cursor, inRange || t.marks[row.ID]))
	}
	return l.Block(lines, width, height)
}

// markWidth is the room for the sign of the selected row, a mark, and a space.
const markWidth = 3

func (t *Table) heading(l Theme, widths []int) string {
	var titles []string
	for i, c := range t.Columns {
		if widths[i] > 0 {
			c.Draw = nil
			titles = append(titles, c.alignCell(l, strings.ToUpper(c.Title), widths[i]))
		}
	}
	return "   " + strings.TrimRight(strings.Join(titles, "  "), " ")
}

func (t *Table) rowLine(l Theme, row Row, ok bool, widths []int, width int, selected, marked bool) string {
	var cells []string
	if !ok {
		cells = append(cells, l.Ellipsis)
	}
	for i, cell := range row.Cells {
		if widths[i] == 0 {
			continue
		}
		text := t.Columns[i].alignCell(l, cell, widths[i])
		switch {
		case selected:
			text = ansi.Strip(text)
		case cell == row.State:
			text = l.StateText(row.State, text)
		}
		cells = append(cells, text)
	}
	whole := signIf(selected, ">") + signIf(marked, "*") + " " + strings.Join(cells, "  ")
	if selected {
		return l.Selected.Render(l.Fit(whole, width))
	}
	return whole
}

func signIf(is bool, s string) string {
	if is {
		return s
	}
	return " "
}

func (c Column) alignCell(l Theme, text string, width int) string {
	if c.Draw != nil {
		text = c.Draw(l, text, width)
	}
	if c.Right {
		return l.FitRight(text, width)
	}
	return l.Fit(text, width)
}

// columnWidths gives columns their widths; 0 is a column that there is no room for.
func columnWidths(columns []Column, room int) []int {
	widths := make([]int, len(columns))
	left := room
	for i, c := range columns {
		widths[i] = c.Min
		left -= c.Min + 2
	}
	left += 2
	for left < 0 {
		last := -1
		for i, c := range columns {
			if widths[i] > 0 && c.DropOrder > 0 && (last < 0 || c.DropOrder > columns[last].DropOrder) {
				last = i
			}
		}
		if last < 0 {
			break
		}
		left += widths[last] + 2
		widths[last] = 0
	}
	for grown := true; left > 0 && grown; {
		grown = false
		for i, c := range columns {
			if left > 0 && widths[i] > 0 && widths[i] < c.Max {
				widths[i]++
				left--
				grown = true
			}
		}
	}
	return widths
}
