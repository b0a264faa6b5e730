package ui_test

import (
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/vecctl/vecctl/tui/ui"
)

type numbers int

func (n numbers) Len() int { return int(n) }

func (n numbers) Row(i int) (ui.Row, bool) {
	id := fmt.Sprint("row ", i)
	return ui.Row{ID: id, State: "failed", Cells: []string{id, "failed", strings.Repeat("x", i)}}, i >= 0 && i < int(n)
}

func columns() []ui.Column {
	return []ui.Column{{Title: "name", Min: 6, Max: 10}, {Title: "state", Min: 8, DropOrder: 1}, {Title: "more", Min: 4, Max: 30, DropOrder: 2}}
}

func press(t *ui.Table, rows ui.Rows, names ...string) {
	for _, name := range names {
		msg := tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
		switch name {
		case "space":
			msg = tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
		case "pgdown":
			msg = tea.KeyPressMsg{Code: tea.KeyPgDown}
		case "pgup":
			msg = tea.KeyPressMsg{Code: tea.KeyPgUp}
		}
		t.Update(msg, ui.NewKeyMap(false), rows)
	}
}

func TestMovesStayWithinTheRows(t *testing.T) {
	t.Parallel()
	one := ui.NewTable(columns()...)
	l := ui.NewTheme(true, true)
	one.View(l, numbers(100), 60, 11)
	for _, test := range []struct {
		keys []string
		want int
	}{
		{[]string{"k"}, 0}, {[]string{"j", "j"}, 2}, {[]string{"pgdown"}, 11}, {[]string{"G"}, 99},
		{[]string{"j"}, 99}, {[]string{"pgup"}, 90}, {[]string{"g"}, 0},
	} {
		press(&one, numbers(100), test.keys...)
		if one.Cursor() != test.want {
			t.Fatalf("after %v row %d is selected, want %d", test.keys, one.Cursor(), test.want)
		}
		view := ansi.Strip(one.View(l, numbers(100), 60, 11))
		if !strings.Contains(view, fmt.Sprintf(">  row %d ", test.want)) {
			t.Errorf("row %d is not to be seen as selected:\n%s", test.want, view)
		}
		for line := range strings.Lines(view) {
			if w := l.Width(strings.TrimRight(line, "\n")); w != 60 {
				t.Errorf("a line is %d wide: %q", w, line)
			}
		}
	}
	one.View(l, numbers(3), 60, 11)
	if one.Cursor() != 2 && one.Cursor() != 0 {
		t.Errorf("row %d of 3", one.Cursor())
	}
	one.View(l, numbers(0), 60, 11)
	press(&one, numbers(0), "j", "G", "space", "v", "v")
	if len(one.Marked()) != 0 {
		t.Error("there are marks on nothing")
	}
}

func TestMarksAndRanges(t *testing.T) {
	t.Parallel()
	one := ui.NewTable(columns()...)
	rows := numbers(10)
	press(&one, rows, "space", "space", "k", "space", "G", "v", "k", "k", "v")
	if got := fmt.Sprint(one.Marked()); got != "[row 0 row 7 row 8 row 9]" {
		t.Errorf("marked: %s", got)
	}
	if !one.ClearMarks() || one.ClearMarks() || len(one.Marked()) != 0 {
		t.Error("marks are not cleared once")
	}
}

func TestColumnsGiveWay(t *testing.T) {
	t.Parallel()
	one := ui.NewTable(columns()...)
	l := ui.NewTheme(true, true)
	for width, want := range map[int]string{
		60: "   NAME        STATE     MORE", 26: "   NAME     STATE     MORE", 22: "   NAME       STATE", 12: "   NAME",
	} {
		first, _, _ := strings.Cut(ansi.Strip(one.View(l, numbers(2), width, 4)), "\n")
		if strings.TrimRight(first, " ") != want {
			t.Errorf("at %d columns the heading is %q, want %q", width, strings.TrimRight(first, " "), want)
		}
	}
}
