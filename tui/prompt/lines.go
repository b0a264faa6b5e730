package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"
)

// lines asks one question after another. An empty line keeps the present answer.
func (t Terminal) lines(ctx context.Context, matter string, questions []Question, given []string) error {
	t.PrintLine("%s\n", matter)
	for i, q := range questions {
		t.PrintLine("%s: %s", q.Title, q.Why)
		for n, c := range q.Choices {
			t.PrintWrapped(len("  1. "), fmt.Sprintf("  %d. %s", n+1, c.Text))
		}
		for {
			answer, err := t.line(ctx, q, given[i])
			if err != nil {
				t.PrintLine("")
				return err
			}
			if answer, err = q.parseAnswer(answer, given[i]); err == nil {
				given[i] = answer
				break
			}
			t.PrintWrapped(len("  "), "  "+err.Error())
		}
	}
	t.PrintLine("")
	return nil
}

// parseAnswer returns the answer for an input line.
func (q Question) parseAnswer(typed, given string) (string, error) {
	if typed == "" {
		typed = given
	} else if len(q.Choices) > 0 {
		n, err := strconv.Atoi(typed)
		if err != nil || n < 1 || n > len(q.Choices) {
			return "", fmt.Errorf("type a number from 1 to %d", len(q.Choices))
		}
		typed = q.Choices[n-1].Value
	}
	return typed, q.validate(typed)
}

// line reads one line. It returns early when ctx ends.
func (t Terminal) line(ctx context.Context, q Question, given string) (string, error) {
	fmt.Fprint(t.Out, q.prompt(given))
	read := func() (string, error) { return readLine(t.In) }
	if file, ok := t.In.(*os.File); ok && q.Secret {
		descriptor := int(file.Fd())
		before, err := term.GetState(descriptor)
		if err == nil {
			// The terminal must echo again after an interrupt.
			defer func() { _ = term.Restore(descriptor, before) }()
			read = func() (string, error) {
				secret, err := term.ReadPassword(descriptor)
				fmt.Fprintln(t.Out)
				return string(secret), err
			}
		}
	}
	type answer struct {
		text string
		err  error
	}
	// The goroutine may outlive the question: a read cannot be interrupted.
	answers := make(chan answer, 1)
	go func() {
		text, err := read()
		answers <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case a := <-answers:
		if errors.Is(a.err, io.EOF) {
			return "", context.Canceled // the terminal was closed, or Ctrl-D
		}
		return strings.TrimSpace(a.text), a.err
	}
}

// prompt returns the prompt with the present answer.
func (q Question) prompt(given string) string {
	switch {
	case q.Secret && given != "":
		given = "as it is"
	case q.Secret:
	default:
		for i, c := range q.Choices {
			if c.Value == given {
				given = strconv.Itoa(i + 1)
				break
			}
		}
	}
	if given == "" {
		return "> "
	}
	return "[" + given + "] > "
}

// readLine reads one line and nothing after it.
func readLine(in io.Reader) (string, error) {
	var line []byte
	one := make([]byte, 1)
	for {
		n, err := in.Read(one)
		switch {
		case n == 1 && one[0] == '\n', errors.Is(err, io.EOF) && len(line) > 0:
			return string(line), nil
		case n == 1:
			line = append(line, one[0])
		case err != nil:
			return "", err
		}
	}
}
