package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// eachCommand calls visit for every command that help shows, with its whole name.
func eachCommand(commands []*cli.Command, parent string, visit func(name string, c *cli.Command)) {
	for _, c := range commands {
		if c.Hidden {
			continue
		}
		name := strings.TrimSpace(parent + " " + c.Name)
		visit(name, c)
		eachCommand(c.Subcommands, name, visit)
	}
}

// TestHelpPages holds that every command stands in the list of commands, has an example that
// works as far as the command line goes, and says what the values of its flags are.
func TestHelpPages(t *testing.T) {
	var out bytes.Buffer
	app := newApp(testApp())
	if err := writeAppHelp(&out, app); err != nil {
		t.Fatal(err)
	}
	list := out.String()
	for _, c := range app.Commands {
		if listed := strings.Contains(list, "\n   "+c.Name+" "); listed == c.Hidden {
			t.Errorf("%s is listed: %t", c.Name, listed)
		}
	}
	for _, group := range commandGroups {
		for _, name := range group.commands {
			if c := find(app.Commands, name); c == nil || c.Name != name {
				t.Errorf("%s is listed, and is no command", name)
			}
		}
	}
	seen := map[string]bool{}
	eachCommand(app.Commands, "", func(name string, c *cli.Command) {
		seen[name] = true
		lines := examplesOf("vecctl " + name)
		if len(lines) == 0 {
			t.Errorf("vecctl %s has no example", name)
		}
		for _, line := range lines {
			if !strings.HasPrefix(line, "#") {
				checkExample(t, app, name, line)
			}
		}
		for _, f := range c.Flags {
			if head := flagHead(f); strings.HasSuffix(head, " VALUE") {
				t.Errorf("vecctl %s: %s does not say what its value is", name, head)
			}
		}
		out.Reset()
		if err := writeHelp(&out, "vecctl "+name, c); err != nil || !strings.Contains(out.String(), "EXAMPLES:\n   vecctl "+strings.Fields(name)[0]) {
			t.Errorf("%v: %s", err, out.String())
		}
	})
	for name := range examples {
		if !seen[name] {
			t.Errorf("there are examples of %s, which is no command", name)
		}
	}
}

// checkExample checks that an example's command, flags and number of arguments are there.
func checkExample(t *testing.T, app *cli.App, name, line string) {
	t.Helper()
	line, _, _ = strings.Cut(line, " < ")
	read := readLine(app, shellWords(line))
	if !strings.HasPrefix(strings.Join(read.path, " ")+" ", name+" ") {
		t.Errorf("%s is an example of vecctl %s", line, name)
	}
	commands := app.Commands
	var c *cli.Command
	for _, word := range read.path {
		c = find(commands, word)
		commands = c.Subcommands
	}
	for _, flag := range read.flags {
		if word := strings.TrimLeft(flag, "-"); word != flag && !slices.ContainsFunc(c.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), word) }) {
			t.Errorf("%s: there is no flag %s", line, flag)
		}
	}
	if len(read.rest) > 0 && c.ArgsUsage == "" {
		t.Errorf("%s: the command takes no arguments", line)
	}
}

// shellWords parts a line as a shell does, as far as examples need it.
func shellWords(line string) []string {
	var words []string
	for i, part := range strings.Split(line, `"`) {
		switch {
		case i%2 == 0:
			words = append(words, strings.Fields(part)...)
		case strings.HasSuffix(strings.Split(line, `"`)[i-1], " "):
			words = append(words, part)
		}
	}
	return words
}

// TestSuggestions are what a mistyped word gets.
func TestSuggestions(t *testing.T) {
	for _, tt := range []struct{ line, says string }{
		{"lst", `unknown command "lst"; did you mean "list"? see vecctl --help`},
		{"xyzzy", `unknown command "xyzzy"; see vecctl --help`},
		{"agent instal", `unknown command "instal"; did you mean "install"? see vecctl agent --help`},
		{"agent instal --help", `unknown command "instal"; did you mean "install"? see vecctl agent --help`},
		{"help agent instal", `unknown command "instal"; did you mean "install"? see vecctl agent --help`},
		{"authority store lst", `unknown command "lst"; did you mean "list"? see vecctl authority store --help`},
		{"list --stauts failed", "unknown flag --stauts; did you mean --status? see vecctl list --help"},
		{"list --status aproved", `--status must be processing, approved, failed or revoked, not "aproved"; did you mean "approved"?`},
		{"list --limit many", `--limit must be a whole number, not "many"; see vecctl list --help`},
		{"list --email", "--email needs a value; see vecctl list --help"},
		{"stamp a.pdf --qr-size big", `--qr-size must be a number, not "big"; see vecctl stamp --help`},
		{"bulk a.csv --wait long", `--wait must be a duration such as 90s, 5m or 24h, not "long"; see vecctl bulk --help`},
		{"bulk a.csv --on-error skipp", `--on-error must be stop or skip, not "skipp"; did you mean "skip"?`},
		{"list -o jsn", `--output must be table, json, jsonl or csv, not "jsn"; did you mean "json"?`},
	} {
		var out bytes.Buffer
		w := environment{stdin: strings.NewReader(""), stdout: &out, stderr: &out, getenv: func(string) string { return "" }}
		if code := run(t.Context(), append([]string{"vecctl"}, strings.Fields(tt.line)...), w); code != exitUsage || strings.TrimSpace(out.String()) != "vecctl: "+tt.says {
			t.Errorf("vecctl %s: exit code %d\n got %s\nwant vecctl: %s", tt.line, code, out.String(), tt.says)
		}
	}
}
