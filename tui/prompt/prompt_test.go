package prompt

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// ask is a few questions of all kinds.
func ask(name, colour, secret *string) []Question {
	return []Question{
		{Title: "Name", Why: "What you are called.", Answer: name, Check: func(s string) error {
			if s == "" || s != strings.TrimSpace(s) {
				return errors.New("a name is needed")
			}
			return nil
		}},
		{Title: "Colour", Why: "What you like.", Answer: colour, Choices: []Choice{{"r", "red"}, {"g", "green"}}},
		{Title: "Secret", Why: "What nobody knows.", Answer: secret, Secret: true},
	}
}

// typing sends keys to a sheet: words in capitals are keys, all else is text.
func typing(s formModel, keys ...string) (formModel, tea.Cmd) {
	named := map[string]rune{"ENTER": tea.KeyEnter, "UP": tea.KeyUp, "DOWN": tea.KeyDown}
	var cmd tea.Cmd
	press := func(k tea.Key) {
		next, c := s.Update(tea.KeyPressMsg(k))
		s, cmd = next.(formModel), c
	}
	for _, k := range keys {
		switch {
		case k == "BACK":
			press(tea.Key{Code: tea.KeyTab, Mod: tea.ModShift})
		case named[k] != 0:
			press(tea.Key{Code: named[k]})
		default:
			for _, r := range k {
				press(tea.Key{Code: r, Text: string(r)})
			}
		}
	}
	return s, cmd
}

func TestASheetIsFilledIn(t *testing.T) {
	t.Parallel()
	name, colour, secret := "", "r", "old"
	s := newFormModel("You", ask(&name, &colour, &secret), []string{name, colour, secret})
	s, _ = typing(s, "ENTER")
	if view := ansi.Strip(s.View().Content); !strings.Contains(view, "! a name is needed") || !strings.Contains(view, "Colour: red") {
		t.Errorf("an answer that will not do:\n%s", view)
	}
	s, _ = typing(s, " Ada Łoś ", "ENTER", "DOWN", "DOWN", "UP", "2", "9", "ENTER", "er", "BACK", "BACK", "x", "DOWN", "ENTER", "!")
	view := ansi.Strip(s.View().Content)
	if strings.Contains(view, "older!") || !strings.Contains(view, "Colour: green") {
		t.Errorf("the sheet:\n%s", view)
	}
	s, cmd := typing(s, "ENTER")
	if !s.done || cmd == nil {
		t.Fatal("the last answer does not end it")
	}
	if got, want := strings.Join(s.answers, "|"), " Ada Łoś x|g|older!"; got != want {
		t.Errorf("the answers are %q, want %q", got, want)
	}
	// The last picture has as many lines, so that nothing of the one before is left.
	if before, after := strings.Count(view, "\n"), strings.Count(s.View().Content, "\n"); before != after {
		t.Errorf("%d lines at the end, %d before", after, before)
	}
}

func TestASheetFitsItsTerminal(t *testing.T) {
	t.Parallel()
	name, colour, secret := strings.Repeat("Ann Łoś ", 20), "r", ""
	s := newFormModel("You", ask(&name, &colour, &secret), []string{name, colour, secret})
	for _, width := range []int{200, 60, 20} {
		next, _ := s.Update(tea.WindowSizeMsg{Width: width, Height: 10})
		s = next.(formModel)
		for line := range strings.SplitSeq(s.View().Content, "\n") {
			if ansi.StringWidth(line) > width {
				t.Errorf("%d columns in %d: %q", ansi.StringWidth(line), width, line)
			}
		}
	}
}

// A sheet that became lower would leave lines of its last picture on the terminal.
func TestASheetKeepsItsHeight(t *testing.T) {
	t.Parallel()
	name, colour, secret := "", "r", ""
	questions := ask(&name, &colour, &secret)
	questions[1].Why = strings.Repeat("many words ", 20)
	s := newFormModel("You", questions, []string{name, colour, secret})
	next, _ := s.Update(tea.WindowSizeMsg{Width: 30, Height: 40})
	s = next.(formModel)
	tall := 0
	for _, key := range []string{"ENTER", "Ada", "ENTER", "2", "ENTER", "BACK", "BACK", "ENTER", "ENTER", "ENTER"} {
		s, _ = typing(s, key)
		lines := strings.Count(s.View().Content, "\n")
		if lines < tall {
			t.Errorf("after %s it has %d lines, before %d:\n%s", key, lines, tall, s.View().Content)
		}
		tall = lines
	}
	if !s.done {
		t.Error("it is not done")
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ typed, want, said string }{
		{"Ada\n2\nquiet\n", "Ada|g|quiet", ""},
		{"  \n Ada \n\n\n", "Ada|r|old", "a name is needed"},
		{"Ada\n3\nred\n1\nx", "Ada|r|x", "type a number from 1 to 2"},
	} {
		name, colour, secret := "", "r", "old"
		var out strings.Builder
		terminal := Terminal{In: strings.NewReader(test.typed), Out: &out, Plain: true}
		if err := terminal.Ask(t.Context(), "You", ask(&name, &colour, &secret)...); err != nil {
			t.Fatal(err)
		}
		if got := name + "|" + colour + "|" + secret; got != test.want || !strings.Contains(out.String(), test.said) {
			t.Errorf("%q: %q, want %q; it said\n%s", test.typed, got, test.want, &out)
		}
		if strings.Contains(out.String(), "old") || !strings.Contains(out.String(), "What nobody knows.") {
			t.Errorf("it said\n%s", &out)
		}
	}
}

// Neither a terminal that is gone nor the end of the program leaves an answer.
func TestLinesBreakOff(t *testing.T) {
	t.Parallel()
	name, colour, secret := "before", "r", ""
	gone := Terminal{In: strings.NewReader("Ada\n"), Out: io.Discard, Plain: true}
	if err := gone.Ask(t.Context(), "You", ask(&name, &colour, &secret)...); !errors.Is(err, context.Canceled) || name != "before" {
		t.Errorf("%v, %q", err, name)
	}
	ctx, stop := context.WithCancel(t.Context())
	in, _ := io.Pipe()
	defer in.Close()
	stop()
	silent := Terminal{In: in, Out: io.Discard, Plain: true}
	if err := silent.Ask(ctx, "You", ask(&name, &colour, &secret)...); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
