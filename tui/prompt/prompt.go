// Package prompt asks a person questions at a terminal: in a form, or line by line on a
// simple terminal.
package prompt

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/tui/ui"
)

// Question is one question.
type Question struct {
	Title string
	Why   string // what the answer is for, in one line
	// Answer has the default, and then the answer.
	Answer *string
	Secret bool // the answer is not shown
	// Choices are the valid answers; none means any text.
	Choices []Choice
	// Check returns an error for an invalid answer, which has no spaces around it; nil
	// accepts any answer.
	Check func(string) error
}

// Choice is an answer and its text.
type Choice struct{ Value, Text string }

// Terminal is the person's terminal.
type Terminal struct {
	In       io.Reader
	Out      io.Writer
	Env      []string // variables that describe the terminal: TERM, NO_COLOR and so on
	Plain    bool     // the terminal cannot move the cursor: ask line by line
	NoColour bool
}

// Ask asks the questions of one topic. If the person cancels, it returns context.Canceled,
// and the answers keep their present values.
func (t Terminal) Ask(ctx context.Context, matter string, questions ...Question) error {
	given := make([]string, len(questions))
	for i, q := range questions {
		given[i] = *q.Answer
	}
	ask := t.form
	if t.Plain {
		ask = t.lines
	}
	if err := ask(ctx, matter, questions, given); err != nil {
		return err
	}
	for i, q := range questions {
		*q.Answer = strings.TrimSpace(given[i])
	}
	return nil
}

// PrintLine prints a line between questions.
func (t Terminal) PrintLine(format string, args ...any) {
	t.PrintWrapped(0, fmt.Sprintf(format, args...))
}

// PrintWrapped prints a line, and wraps it with an indent of hang columns.
func (t Terminal) PrintWrapped(hang int, text string) {
	fmt.Fprintln(t.Out, ui.WrapText(text, TerminalWidth(t.Out), hang))
}

// TerminalWidth returns the width of the terminal that w writes to; 0 if it is none.
func TerminalWidth(out io.Writer) int {
	file, ok := out.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// validate checks an answer.
func (q Question) validate(answer string) error {
	if q.Check == nil {
		return nil
	}
	err := q.Check(strings.TrimSpace(answer))
	if message, ok := fault.Message(err); ok {
		return fault.New(fault.Invalid, message)
	}
	return err
}
