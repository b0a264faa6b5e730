package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// commandLine is a command line in parts: the command's words, its flags with their values, and
// its arguments.
type commandLine struct {
	path, flags, rest []string
	help              bool // --help stands somewhere
}

// readLine takes a command line apart. The library stops at the first argument and would
// silently ignore the flags after it. Everything after "--" is an argument.
func readLine(app *cli.App, args []string) commandLine {
	var line commandLine
	commands := app.Commands
	known := app.Flags
	for i := 1; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			line.rest = append(line.rest, args[i+1:]...)
			i = len(args)
		case len(arg) > 1 && strings.HasPrefix(arg, "-"):
			line.flags = append(line.flags, arg)
			line.help = line.help || arg == "--help" || arg == "-h"
			if takesValue(known, commands, arg) && i+1 < len(args) {
				i++
				line.flags = append(line.flags, args[i])
			}
		default:
			if c := find(commands, arg); c != nil && len(line.rest) == 0 {
				line.path = append(line.path, arg)
				commands, known = c.Subcommands, slices.Concat(known, c.Flags)
				continue
			}
			commands = nil
			line.rest = append(line.rest, arg)
		}
	}
	return line
}

// args is the command line with the flags before the arguments.
func (l commandLine) args(program string) []string {
	out := slices.Concat([]string{program}, l.path, l.flags)
	if len(l.rest) > 0 {
		out = append(append(out, "--"), l.rest...)
	}
	return out
}

func find(commands []*cli.Command, name string) *cli.Command {
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}

// takesValue reports whether the word after a flag is its value. Before the command is
// known, it looks at the flags of all commands.
func takesValue(known []cli.Flag, commands []*cli.Command, arg string) bool {
	name := strings.TrimLeft(arg, "-")
	if strings.Contains(name, "=") {
		return false
	}
	for _, c := range commands {
		known = slices.Concat(known, c.Flags)
	}
	for _, f := range known {
		if slices.Contains(f.Names(), name) {
			_, isBool := f.(*cli.BoolFlag)
			return !isBool
		}
	}
	return false
}
