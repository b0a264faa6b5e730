package main

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// The scripts for the shells. Each calls "vecctl __complete" for suggestions.
var (
	//go:embed completion/bash
	bashScript string
	//go:embed completion/zsh
	zshScript string
	//go:embed completion/fish
	fishScript string
	//go:embed completion/powershell
	powershellScript string
)

func completionCommand(w environment) *cli.Command {
	scripts := map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript, "powershell": powershellScript}
	return &cli.Command{
		Name: "completion", Usage: "print the completion script for a shell", ArgsUsage: "bash|zsh|fish|powershell",
		Description: "bash:        vecctl completion bash > /etc/bash_completion.d/vecctl\n" +
			"zsh:         vecctl completion zsh > \"${fpath[1]}/_vecctl\"\n" +
			"fish:        vecctl completion fish > ~/.config/fish/completions/vecctl.fish\n" +
			"PowerShell:  vecctl completion powershell | Out-String | Invoke-Expression",
		Action: func(c *cli.Context) error {
			if err := requireArgs(c, 1, "the shell's name"); err != nil {
				return err
			}
			script, ok := scripts[c.Args().First()]
			if !ok {
				return usageError("unknown shell %q; use bash, zsh, fish or powershell", c.Args().First())
			}
			_, err := io.WriteString(w.stdout, script)
			return err
		},
	}
}

// completeCommand returns the command that the shells' scripts call.
func completeCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "__complete", Hidden: true, Usage: "print completions", ArgsUsage: "-- WORD...",
		Action: func(c *cli.Context) error {
			for _, word := range complete(c.App, c.Args().Slice()) {
				if _, err := fmt.Fprintf(w.stdout, "%s\t%s\n", word[0], oneLine(word[1])); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// complete returns the completions of the last word, each with a description. It returns
// nothing where a file or any text may follow.
func complete(app *cli.App, words []string) [][2]string {
	if len(words) == 0 {
		words = []string{""}
	}
	before, last := words[:len(words)-1], words[len(words)-1]
	commands, flags := app.Commands, app.Flags
	wantsValue := ""
	for _, word := range before {
		switch {
		case wantsValue != "":
			wantsValue = ""
		case word == "--":
			return nil
		case strings.HasPrefix(word, "-"):
			if takesValue(flags, nil, word) {
				wantsValue = strings.TrimLeft(word, "-")
			}
		default:
			c := find(commands, word)
			if c == nil {
				commands = nil
				continue
			}
			commands, flags = c.Subcommands, slices.Concat(app.Flags, c.Flags)
		}
	}
	switch {
	case wantsValue != "":
		return completeValues(flags, wantsValue, last)
	case strings.HasPrefix(last, "-"):
		return completeFlags(flags, last)
	}
	var found [][2]string
	for _, c := range commands {
		if !c.Hidden && strings.HasPrefix(c.Name, last) {
			found = append(found, [2]string{c.Name, c.Usage})
		}
	}
	return found
}

// completeValues returns the values that a flag can have, where they are words of a list.
func completeValues(flags []cli.Flag, name, start string) [][2]string {
	var found [][2]string
	for _, f := range flags {
		choice, ok := f.(choiceFlag)
		if !ok || !slices.Contains(f.Names(), name) {
			continue
		}
		for _, value := range choice.values {
			if strings.HasPrefix(value, start) {
				found = append(found, [2]string{value, "a value of --" + name})
			}
		}
	}
	return found
}

func completeFlags(flags []cli.Flag, start string) [][2]string {
	var found [][2]string
	for _, f := range flags {
		name := "--" + f.Names()[0]
		if !strings.HasPrefix(name, start) {
			continue
		}
		usage := ""
		if d, ok := f.(cli.DocGenerationFlag); ok {
			usage = strings.ReplaceAll(d.GetUsage(), "`", "")
		}
		found = append(found, [2]string{name, usage})
	}
	return found
}
