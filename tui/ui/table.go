package ui

import (
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// Column describes a column. On a narrow screen, the column with the largest DropOrder is
// dropped first; one with 0 always stays.
type Column struct {
	Title     string
	Min, Max  int // columns of the terminal; Max 0 is Min
	Right     bool
	DropOrder int
	// Draw draws a cell with a width; nil draws its text.
	Draw func(l Theme, cell string, width int) string
}

// Row has the cells of a row. A cell whose text is State gets that state's colour.
type Row struct {
	ID    string
	State string
	Cells []string
}

// Table has the state of a table: the selected row and the marked ones.
type Table struct {
	Columns []Column
	Single  bool // rows cannot be marked
	cursor  int
	top     int // the first visible row
	height  int // the number of rows in the last view
	marks   map[string]bool
	anchor  int // the beginning of a range; -1 without one
}

// NewTable returns a table.
func NewTable(columns ...Column) Table {
	return Table{Columns: columns, marks: map[string]bool{}, anchor: -1}
}

// Rows has the rows of a table.
type Rows interface {
	Len() int
	// Row returns false for a row that is not loaded yet.
	Row(i int) (Row, bool)
}

// Cursor returns the selected row.
func (t *Table) Cursor() int { return t.cursor }

// Select selects a row, or the nearest one if it does not exist.
func (t *Table) Select(i, total int) {
	t.cursor = max(0, min(i, total-1))
}

// VisibleRows returns the range of rows in the last view.
func (t *Table) VisibleRows() (from, to int) { return t.top, t.top + t.height }

// Marked returns the IDs of the marked rows, in a stable order.
func (t *Table) Marked() []string {
	ids := make([]string, 0, len(t.marks))
	for id := range t.marks {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// ClearMarks removes all marks and an open range. It returns false if there were none.
func (t *Table) ClearMarks() bool {
	had := len(t.marks) > 0 || t.anchor >= 0
	clear(t.marks)
	t.anchor = -1
	return had
}

// Update moves the selection and marks rows. It returns false for other keys.
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

// toggle marks or unmarks the selected row, and selects the next one.
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

// toggleRange begins a range at the selected row, or marks all rows of the open range.
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

// MarkedRange returns the open range, or false if there is none.
func (t *Table) MarkedRange() (from, to int, begun bool) {
	return min(t.anchor, t.cursor), max(t.anchor, t.cursor), t.anchor >= 0
}

// Click selects the row in a line of the view.
func (t *Table) Click(line int, rows Rows) {
	if i := t.top + line - 1; line > 0 && line <= t.height && i < rows.Len() {
		t.Select(i, rows.Len())
	}
}

// View draws the table: the headings, then the rows.
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

// markWidth is the width of the selection sign, the mark, and a space.
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

// columnWidths returns the widths of the columns; 0 is a column that is dropped.
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
