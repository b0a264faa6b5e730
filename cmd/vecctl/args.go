package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// flagsFirst moves a command's flags before its arguments. The library stops at the
// first argument and would silently ignore the flags after it. Everything after "--"
// stays an argument.
func flagsFirst(app *cli.App, args []string) []string {
	if len(args) == 0 {
		return args
	}
	var path, flags, rest []string
	help := false // then arguments are dropped: the library would take them for help topics
	commands := app.Commands
	known := app.Flags
	for i := 1; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case len(arg) > 1 && strings.HasPrefix(arg, "-"):
			flags = append(flags, arg)
			help = help || arg == "--help" || arg == "-h"
			if takesValue(known, commands, arg) && i+1 < len(args) {
				i++
				flags = append(flags, args[i])
			}
		default:
			if c := find(commands, arg); c != nil && len(rest) == 0 {
				path = append(path, arg)
				commands, known = c.Subcommands, slices.Concat(known, c.Flags)
				continue
			}
			commands = nil
			rest = append(rest, arg)
		}
	}
	out := slices.Concat(args[:1], path, flags)
	if len(rest) > 0 && !help {
		out = append(append(out, "--"), rest...)
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
