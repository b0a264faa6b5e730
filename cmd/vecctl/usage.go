package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"github.com/xrash/smetrics"
)

// nearest is the candidate that a word was probably meant to be; "" where none is like it.
func nearest(word string, candidates []string) string {
	best, found := 0.8, ""
	for _, one := range candidates {
		if likeness := smetrics.JaroWinkler(strings.ToLower(word), strings.ToLower(one), 0.7, 4); likeness > best {
			best, found = likeness, one
		}
	}
	return found
}

// didYouMean is what an error says of a word that is not known: "; did you mean "list"?".
func didYouMean(word string, candidates []string) string {
	if near := nearest(word, candidates); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// unknownCommand is the error about a command that is not there, in the program or in a command.
func unknownCommand(parent string, commands []*cli.Command, name string) error {
	var names []string
	for _, c := range commands {
		if !c.Hidden {
			names = append(names, c.Names()...)
		}
	}
	return usageError("unknown command %q%s see %s --help", name, cmp.Or(didYouMean(name, names), ";"), parent)
}

func onUsageError(c *cli.Context, err error, _ bool) error {
	flags := slices.Concat(c.App.Flags, c.Command.Flags)
	name := c.Command.HelpName
	return usageError("%s see %s --help", describeFlagError(err, flags), name)
}

// describeFlagError returns an error of the flag library in plain words, up to where the help is
// named.
func describeFlagError(err error, flags []cli.Flag) string {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: "); ok {
		name = strings.TrimLeft(name, "-")
		var names []string
		for _, f := range flags {
			names = append(names, f.Names()...)
		}
		if near := nearest(name, names); near != "" {
			return fmt.Sprintf("unknown flag --%s; did you mean --%s?", name, near)
		}
		return fmt.Sprintf("unknown flag --%s;", name)
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: "); ok {
		return fmt.Sprintf("--%s needs a value;", strings.TrimLeft(name, "-"))
	}
	if rest, ok := strings.CutPrefix(text, "invalid value "); ok {
		if value, rest, ok := strings.Cut(rest, " for flag -"); ok {
			name, _, _ := strings.Cut(rest, ":")
			return fmt.Sprintf("--%s must be %s, not %s;", name, kindOf(name, flags), value)
		}
	}
	return text + ";"
}

// kindOf says what the value of a flag must be.
func kindOf(name string, flags []cli.Flag) string {
	for _, f := range flags {
		if !slices.Contains(f.Names(), name) {
			continue
		}
		switch f.(type) {
		case *cli.IntFlag:
			return "a whole number"
		case *cli.Float64Flag:
			return "a number"
		case *cli.DurationFlag:
			return "a duration such as 90s, 5m or 24h"
		case *cli.BoolFlag:
			return "true or false"
		}
	}
	return "another value"
}

// choiceFlag is a flag whose value is one of a few words.
type choiceFlag struct {
	*cli.StringFlag

	values []string
}

// newChoiceFlag makes a flag that takes one of the values, which its help lists, or nothing. Any
// other value is an error that names them.
func newChoiceFlag(name, usage string, values ...string) choiceFlag {
	if strings.Contains(usage, "`") {
		usage += ": " + strings.Join(values, ", ")
	} else {
		usage = "`" + strings.Join(values, "|") + "`: " + usage
	}
	f := choiceFlag{StringFlag: &cli.StringFlag{Name: name, Usage: usage}, values: values}
	f.Action = func(_ *cli.Context, value string) error {
		if value == "" {
			return nil
		}
		return checkChoice("--"+name, value, values)
	}
	return f
}

// or gives the flag the value that it has when it is not set, so that it is never nothing.
func (f choiceFlag) or(value string) choiceFlag {
	f.Value = value
	f.Action = func(_ *cli.Context, value string) error { return checkChoice("--"+f.Name, value, f.values) }
	return f
}

// checkChoice checks that a value is one of the values that there are.
func checkChoice(what, value string, values []string) error {
	if slices.Contains(values, value) {
		return nil
	}
	last := len(values) - 1
	return usageError("%s must be %s or %s, not %q%s", what, strings.Join(values[:last], ", "), values[last], value, didYouMean(value, values))
}

// texts are the values of a type whose values are words.
func texts[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}
