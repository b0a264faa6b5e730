package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/config"
)

// Command lines stand in a line's code and in indented blocks.
var (
	inlineCode = regexp.MustCompile("`(vecctl [^`]+)`")
	blockLine  = regexp.MustCompile(`(?m)^ {4}(?:sudo -u vecctl |docker exec vecctl )?(vecctl [^#\n]+)`)
	quotedExec = regexp.MustCompile(`"exec:[^"]*"`)
	flagWord   = regexp.MustCompile(`(?:^|[\s/])--?([a-z][a-z-]*)`)
)

// What a page names can be called: the commands are there, and have these flags. Commands
// in ```sh blocks are run besides, by TestTheCommandsInTheDocs.
func TestTheDocsNameWhatIsThere(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob(filepath.Join("..", "..", "docs", "*.md"))
	must(t, err)
	pages = append(pages, filepath.Join("..", "..", "README.md"), filepath.Join("..", "..", "pkg", "template", "README.md"))
	app := newApp(testApp())
	named := 0
	for _, page := range pages {
		body, err := os.ReadFile(page)
		must(t, err)
		for _, form := range []*regexp.Regexp{inlineCode, blockLine} {
			for _, found := range form.FindAllStringSubmatch(string(body), -1) {
				named++
				if complaint := callable(app, found[1]); complaint != "" {
					t.Errorf("%s: %s: %s", filepath.Base(page), found[1], complaint)
				}
			}
		}
	}
	if named < 100 {
		t.Errorf("only %d commands were found", named)
	}
	for _, wrong := range []string{"vecctl nonsense", "vecctl list --nonsense", "vecctl backup verify FILE --keep-daily 7", "vecctl key rotate --passwort x"} {
		if callable(app, wrong) == "" {
			t.Errorf("%s is taken for a command", wrong)
		}
	}
}

// All settings of signing stand in the operator's guide.
func TestTheGuideNamesTheSettingsOfSigning(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "operator.md"))
	must(t, err)
	seen := 0
	for _, s := range config.Settings() {
		if !strings.HasPrefix(s.Key, "signing.") {
			continue
		}
		seen++
		if !strings.Contains(string(guide), "| `"+s.Key+"`") && !strings.Contains(string(guide), ", `"+s.Key+"`") {
			t.Errorf("docs/operator.md does not describe %s", s.Key)
		}
	}
	if seen < 10 {
		t.Errorf("only %d settings", seen)
	}
}

// callable says what is wrong with a command line; "" is nothing.
func callable(app *cli.App, line string) string {
	line, _, _ = strings.Cut(line, " && ")
	line, _, _ = strings.Cut(line, " | ")
	line = quotedExec.ReplaceAllString(line, "exec:HELPER") // the helper's flags are its own
	words := strings.Fields(line)[1:]
	var at *cli.Command
	commands := app.Commands
	for len(words) > 0 {
		i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(words[0]) })
		if i < 0 {
			break
		}
		at, commands, words = commands[i], commands[i].Subcommands, words[1:]
	}
	switch {
	case at == nil && words[0] == "COMMAND", at == nil && strings.HasPrefix(words[0], "..."):
		return ""
	case at == nil:
		return "there is no such command"
	case at.Action == nil && len(words) > 0 && !strings.Contains(words[0], "|"):
		return "it has no such part"
	}
	rest := strings.Join(words, " ")
	for _, flag := range flagWord.FindAllStringSubmatch(rest, -1) {
		has := func(f cli.Flag) bool { return slices.Contains(f.Names(), flag[1]) }
		if flag[1] != "help" && !slices.ContainsFunc(at.Flags, has) {
			return "it has no flag --" + flag[1]
		}
	}
	return ""
}
