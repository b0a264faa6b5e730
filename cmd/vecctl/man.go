package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

func manCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "man", Hidden: true, Usage: "print the manual page, vecctl(1)",
		Action: func(c *cli.Context) error {
			if err := requireArgs(c, 0, ""); err != nil {
				return err
			}
			_, err := io.WriteString(w.stdout, manual(c.App))
			return err
		},
	}
}

// manual returns the program's manual page in the format of man(7).
func manual(app *cli.App) string {
	v := version()
	date := v.Date
	if len(date) > len("2006-01-02") {
		date = date[:len("2006-01-02")]
	}
	var b strings.Builder
	fmt.Fprintf(&b, ".TH VECCTL 1 %q %q\n.SH NAME\nvecctl \\- %s\n.SH SYNOPSIS\n.B vecctl\n.I COMMAND\n[\\fIFLAGS\\fR] [\\fIARGUMENTS\\fR]\n",
		date, "vecctl "+v.Version, roff(app.Usage))
	b.WriteString(".SH COMMANDS\n")
	for _, c := range app.Commands {
		manCommandOf(&b, "", c)
	}
	b.WriteString(".SH EXIT STATUS\n.nf\n" + roff(strings.TrimPrefix(exitCodesHelp, "Exit codes:\n")) + ".fi\n")
	b.WriteString(".SH ENVIRONMENT\nEach setting has an environment variable; \\fBvecctl config show \\-\\-origin\\fR lists all settings with their values and variables.\n")
	b.WriteString(".SH FILES\n.TP\n.I ~/.local/share/vecctl\nThe home, unless \\fB\\-\\-home\\fR or \\fBVECCTL_HOME\\fR names another one.\n")
	return b.String()
}

func manCommandOf(b *strings.Builder, parent string, c *cli.Command) {
	if c.Hidden {
		return
	}
	name := strings.TrimSpace(parent + " " + c.Name)
	if c.Action != nil && (len(c.Subcommands) == 0 || c.ArgsUsage != "" || len(c.Flags) > 0) {
		fmt.Fprintf(b, ".SS %s\n", roff(strings.TrimSpace(name+" "+c.ArgsUsage)))
		fmt.Fprintf(b, "%s.\n", roff(sentence(c.Usage)))
		if c.Description != "" {
			fmt.Fprintf(b, ".PP\n.nf\n%s\n.fi\n", roff(c.Description))
		}
		for _, f := range c.Flags {
			manFlag(b, f)
		}
	}
	for _, sub := range c.Subcommands {
		manCommandOf(b, name, sub)
	}
}

func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func manFlag(b *strings.Builder, f cli.Flag) {
	d, ok := f.(cli.DocGenerationFlag)
	if v, isVisible := f.(cli.VisibleFlag); !ok || isVisible && !v.IsVisible() || slices.Contains(f.Names(), "help") {
		return
	}
	value, usage := placeholder(d)
	var names []string
	for _, name := range f.Names() {
		dashes := "--"
		if len(name) == 1 {
			dashes = "-"
		}
		names = append(names, `\fB`+roff(dashes+name)+`\fR`)
	}
	head := strings.Join(names, ", ")
	if value != "" {
		head += ` \fI` + roff(value) + `\fR`
	}
	fmt.Fprintf(b, ".TP\n%s\n%s\n", head, roff(usage))
}

// placeholder returns the name of a flag's value, and the usage text without backquotes.
func placeholder(d cli.DocGenerationFlag) (value, usage string) {
	before, rest, ok := strings.Cut(d.GetUsage(), "`")
	name, after, closed := strings.Cut(rest, "`")
	if !ok || !closed {
		if d.TakesValue() {
			value = "VALUE"
		}
		return value, d.GetUsage()
	}
	return name, before + name + after
}

// roff escapes a text (groff_char(7)).
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
