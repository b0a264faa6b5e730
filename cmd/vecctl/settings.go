package main

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/home"
)

// loadSettings finds the home and reads what the operator decided; neither the home nor
// its config.yaml need exist.
func loadSettings(c *cli.Context, w environment) (config.Config, error) {
	dir, err := homeDir(c, w)
	if err != nil {
		return config.Config{}, err
	}
	return config.Load(config.Source{Home: string(dir), File: config.File(dir.Config()), Flags: commandFlags{c}, Getenv: w.getenv})
}

// homeOf is the home of settings.
func homeOf(set config.Config) home.Dir { return home.Dir(set.Home) }

// commandFlags are the flags of the command that runs.
type commandFlags struct{ *cli.Context }

// Given implements config.Flags.
func (c commandFlags) Given(name string) (string, bool) {
	return flagText(c.Context, name), c.IsSet(name)
}

func flagText(c *cli.Context, name string) string {
	if isSwitch(c, name) {
		return strconv.FormatBool(c.Bool(name))
	}
	return c.String(name)
}

func isSwitch(c *cli.Context, name string) bool {
	_, is := findFlag(c, name).(*cli.BoolFlag)
	return is
}

func hasFlag(c *cli.Context, name string) bool { return findFlag(c, name) != nil }

// findFlag finds a flag of the command that runs; nil where it has none of the name.
func findFlag(c *cli.Context, name string) cli.Flag {
	for _, f := range c.Command.Flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

// settingFlags makes the flags of settings; what is not given on the command
// line is found by settings.
func settingFlags(keys ...string) []cli.Flag {
	flags := make([]cli.Flag, 0, len(keys))
	for _, key := range keys {
		one, _ := config.FindSetting(key)
		usage := one.Meaning + " [$" + one.Env + "]"
		if one.IsSwitch() {
			flags = append(flags, &cli.BoolFlag{Name: one.Flag, Usage: usage})
			continue
		}
		flag := &cli.StringFlag{Name: one.Flag, Usage: usage}
		if !strings.Contains(usage, "(default: ") {
			flag.DefaultText = one.String()
		}
		flags = append(flags, flag)
	}
	return flags
}

// agentSettings returns the flags for settings of the agent only.
func agentSettings() []cli.Flag {
	return settingFlags("listen", "tls.cert", "tls.key", "proxies", "drop.dir", "drop.poll", "drop.settle", "drop.wait", "log.level", "log.format", "log.file")
}

// settingShown is one line of "config show".
type settingShown struct {
	Setting string        `json:"setting"`
	Value   string        `json:"value"`
	Origin  config.Origin `json:"origin,omitempty"`
	Env     string        `json:"env,omitempty"`
}

func configCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "config", Usage: "show and change the settings of the home",
		Subcommands: []*cli.Command{{
			Name: "show", Usage: "print every setting and its value",
			Flags: slices.Concat(apiFlags(), outputFlags(), agentSettings(),
				[]cli.Flag{&cli.BoolFlag{Name: "origin", Usage: "also print where each value comes from"}}),
			Action: func(c *cli.Context) error { return showConfig(c, w) },
		}, configSetCommand(w)},
	}
}

func showConfig(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 0, "")
	if err != nil {
		return err
	}
	s, err := loadSettings(c, w)
	if err != nil {
		return err
	}
	var shown []settingShown
	for _, one := range config.Settings() {
		value := s.Value(one.Key)
		line := settingShown{Setting: one.Key, Value: one.Shown(value.Text)}
		if c.Bool("origin") {
			line.Origin, line.Env = value.Origin, one.Env
		}
		shown = append(shown, line)
	}
	if file := homeOf(s).Config(); form == formatTable {
		if _, err := os.Stat(file); err != nil {
			printLinef(w, "There is no %s; settings without another origin have their default value.", file)
		}
	}
	out := list[settingShown]{
		headings: []string{"setting", "value"},
		cells:    func(s settingShown) []string { return []string{s.Setting, s.Value} },
	}
	if c.Bool("origin") {
		out.headings = append(out.headings, "origin", "env")
		out.cells = func(s settingShown) []string { return []string{s.Setting, s.Value, string(s.Origin), s.Env} }
	}
	return out.print(w.stdout, form, shown)
}
