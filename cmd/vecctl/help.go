package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// helpWidth is how many columns the text of a help page takes.
const helpWidth = 100

// commandGroups are the headings under which the help lists the commands, in order. A test holds
// that every command stands under one of them.
var commandGroups = []struct {
	name     string
	commands []string
}{
	{"Issue", []string{"init", "bulk", "upload", "template", "stamp", "application"}},
	{"Look", []string{"status", "list", "view", "download", "badge", "batch", "certificate", "watch", "tui", "verify", "export"}},
	{"Correct", []string{"retry", "revoke", "reissue", "reshare", "correction"}},
	{"People", []string{"recipient", "mail", "institution"}},
	{"Keys and proof", []string{"key", "seal", "tlog", "audit", "authority"}},
	{"Connect", []string{"token", "webhook", "listen", "event", "remote", "api"}},
	{"Run", []string{"agent", "config", "doctor", "check", "backup", "restore", "adopt", "retention", "compact", "completion", "version", "help"}},
}

// helpCommand shows the help of a command, also of one within another: "help agent install".
func helpCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "help", Usage: "show help for a command, or for exit-codes", ArgsUsage: "[COMMAND...|exit-codes]",
		Flags: homeFlags(),
		Action: func(c *cli.Context) error {
			if c.Args().First() == "exit-codes" {
				_, err := io.WriteString(w.stdout, exitCodesHelp)
				return err
			}
			return showHelp(w, c.App, c.Args().Slice())
		},
	}
}

// showHelp shows the help of the command that words lead to. What follows the words of a command
// that has none below it is its arguments.
func showHelp(w environment, app *cli.App, words []string) error {
	name, commands := app.Name, app.Commands
	var found *cli.Command
	for _, word := range words {
		next := find(commands, word)
		if next == nil && len(commands) == 0 {
			break
		}
		if next == nil {
			return unknownCommand(name, commands, word)
		}
		found, name, commands = next, name+" "+next.Name, next.Subcommands
	}
	if found == nil {
		return writeAppHelp(w.stdout, app)
	}
	return writeHelp(w.stdout, name, found)
}

// writeAppHelp writes the help of the program: its commands by what they are for.
func writeAppHelp(w io.Writer, app *cli.App) error {
	var b strings.Builder
	fmt.Fprintf(&b, "NAME:\n   %s - %s\n\nUSAGE:\n   %s\n", app.Name, app.Usage, strings.ReplaceAll(app.UsageText, "\n", "\n   "))
	for _, group := range commandGroups {
		var listed []*cli.Command
		for _, name := range group.commands {
			if c := find(app.Commands, name); c != nil {
				listed = append(listed, c)
			}
		}
		writeCommands(&b, strings.ToUpper(group.name), listed)
	}
	b.WriteString("\n\"vecctl help COMMAND\" shows the flags of a command, and examples.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// writeHelp writes the help of a command: how to call it, examples, the commands in it, and its
// flags, first those that only it has.
func writeHelp(w io.Writer, name string, c *cli.Command) error {
	var b strings.Builder
	fmt.Fprintf(&b, "NAME:\n   %s - %s\n\nUSAGE:\n", name, c.Usage)
	if len(c.Subcommands) == 0 || len(c.Flags) > 0 { // else it does nothing by itself
		fmt.Fprintf(&b, "   %s\n", strings.TrimSpace(name+" [FLAGS] "+c.ArgsUsage))
	}
	if len(c.Subcommands) > 0 {
		fmt.Fprintf(&b, "   %s COMMAND [FLAGS] [ARGUMENTS]\n", name)
	}
	if c.Description != "" {
		fmt.Fprintf(&b, "\nDESCRIPTION:\n   %s\n", strings.ReplaceAll(c.Description, "\n", "\n   "))
	}
	if lines := examplesOf(name); len(lines) > 0 {
		b.WriteString("\nEXAMPLES:\n")
		for _, line := range lines {
			fmt.Fprintf(&b, "   %s\n", line)
		}
	}
	writeCommands(&b, "COMMANDS", slices.DeleteFunc(slices.Clone(c.Subcommands), func(c *cli.Command) bool { return c.Hidden }))
	own, shared := splitFlags(c.Flags)
	writeFlags(&b, "OPTIONS", own)
	writeFlags(&b, "OPTIONS OF MANY COMMANDS", shared)
	_, err := io.WriteString(w, b.String())
	return err
}

func writeCommands(b *strings.Builder, heading string, commands []*cli.Command) {
	if len(commands) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s:\n", heading)
	width := 0
	for _, c := range commands {
		width = max(width, len(c.Name))
	}
	for _, c := range commands {
		fmt.Fprintf(b, "   %-*s  %s\n", width, c.Name, c.Usage)
	}
}

// splitFlags parts the flags of a command from those that many commands have.
func splitFlags(flags []cli.Flag) (own, shared []cli.Flag) {
	common := map[string]bool{}
	for _, f := range slices.Concat(apiFlags(), outputFlags()) {
		common[f.Names()[0]] = true
	}
	for _, f := range flags {
		if v, ok := f.(cli.VisibleFlag); ok && !v.IsVisible() {
			continue
		}
		if common[f.Names()[0]] {
			shared = append(shared, f)
		} else {
			own = append(own, f)
		}
	}
	return own, shared
}

func writeFlags(b *strings.Builder, heading string, flags []cli.Flag) {
	if len(flags) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s:\n", heading)
	const widest = 26
	width := 0
	heads := make([]string, len(flags))
	for i, f := range flags {
		heads[i] = flagHead(f)
		if n := len(heads[i]); n <= widest {
			width = max(width, n)
		}
	}
	for i, f := range flags {
		lines := wrapWords(describeFlag(f), helpWidth-3-width-2)
		head := heads[i]
		if len(head) > width {
			fmt.Fprintf(b, "   %s\n", head)
			head = ""
		}
		for _, line := range lines {
			fmt.Fprintf(b, "   %-*s  %s\n", width, head, line)
			head = ""
		}
	}
}

// flagHead is a flag as it is written, with its value: "--output FORMAT, -o FORMAT".
func flagHead(f cli.Flag) string {
	var value string
	if d, ok := f.(cli.DocGenerationFlag); ok && d.TakesValue() {
		value, _ = placeholder(d)
		value = " " + value
	}
	var names []string
	for _, name := range f.Names() {
		if len(name) == 1 {
			names = append(names, "-"+name+value)
		} else {
			names = append(names, "--"+name+value)
		}
	}
	return strings.Join(names, ", ")
}

// describeFlag says what a flag does, where else it may be set, and what it is when it is not set.
func describeFlag(f cli.Flag) string {
	d, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return ""
	}
	_, text := placeholder(d)
	if vars := d.GetEnvVars(); len(vars) > 0 {
		text += " [$" + strings.Join(vars, ", $") + "]"
	}
	if value := defaultOf(d); value != "" && !strings.Contains(text, "(default:") {
		text += " (default: " + value + ")"
	}
	return text
}

// defaultOf is what a flag is when it is not set; "" where that is nothing.
func defaultOf(d cli.DocGenerationFlag) string {
	text := strings.Trim(d.GetDefaultText(), `"`)
	switch {
	case text == "0", text == "false", text == "0s", text == "[]":
		return ""
	case strings.HasSuffix(text, "m0s"):
		return strings.TrimSuffix(text, "0s")
	}
	return text
}

// wrapWords breaks a text into lines of at most a width, where it has spaces.
func wrapWords(text string, width int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case len(*last)+1+len(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}
