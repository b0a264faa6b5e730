// Package prompt asks a person at a terminal: with a form, or line by line where
// the terminal can do no more.
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

// Question is one thing that a person is asked.
type Question struct {
	Title string
	Why   string // what the answer is for, in one line
	// Answer holds what is answered without another word, and then the answer.
	Answer *string
	Secret bool // it is not shown
	// Choices, where there are any, are the answers that can be given.
	Choices []Choice
	// Check says what is wrong with an answer, without the spaces around it; nil
	// takes any.
	Check func(string) error
}

// Choice is an answer and how it reads.
type Choice struct{ Value, Text string }

// Terminal is where the person sits.
type Terminal struct {
	In       io.Reader
	Out      io.Writer
	Env      []string // what says what the terminal can do: TERM, NO_COLOR and the like
	Plain    bool     // it moves no cursor: line by line
	NoColour bool
}

// Ask puts the questions of one matter. It returns context.Canceled when the person
// breaks off, and the answers are as they were then.
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

// PrintLine tells the person something between questions.
func (t Terminal) PrintLine(format string, args ...any) {
	t.PrintWrapped(0, fmt.Sprintf(format, args...))
}

// PrintWrapped does so too; what does not fit into a line goes on hang columns in.
func (t Terminal) PrintWrapped(hang int, text string) {
	fmt.Fprintln(t.Out, ui.WrapText(text, TerminalWidth(t.Out), hang))
}

// TerminalWidth is how wide the terminal is that is written to; 0 where there is none.
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

// validate is what is wrong with an answer; nil is nothing.
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
