package main

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/home"
)

// origin says where a setting's value comes from.
type origin string

const (
	fromFlag        origin = "flag"
	fromEnvironment origin = "environment"
	fromFile        origin = "config file"
	fromDefault     origin = "default"
)

// settings answers what the operator decided: flag, then environment, then
// config.yaml, then default.
type settings struct {
	dir    home.Dir
	config home.Config
	cli    *cli.Context
	getenv func(string) string
}

// loadSettings finds the home and reads its config.yaml; neither need exist.
// Every value that is given is checked.
func loadSettings(c *cli.Context, w environment) (settings, error) {
	dir, err := homeDir(c, w)
	if err != nil {
		return settings{}, err
	}
	config, err := dir.LoadConfig()
	if err != nil {
		return settings{}, err
	}
	s := settings{dir: dir, config: config, cli: c, getenv: w.getenv}
	for _, one := range home.Settings() {
		value, from := s.of(one)
		if err := one.Check(value, s.place(one, from)); err != nil {
			return settings{}, err
		}
	}
	return s, nil
}

func (s settings) place(one home.Setting, from origin) string {
	switch from {
	case fromFlag:
		return "--" + one.Flag
	case fromEnvironment:
		return one.Env
	case fromFile:
		return s.dir.Config()
	case fromDefault:
	}
	return string(from)
}

// get returns the value of a setting that exists.
func (s settings) get(key string) string {
	one, _ := home.FindSetting(key)
	value, _ := s.of(one)
	return value
}

// decimal is get for settings whose check is that they are a number; 0 is none.
func (s settings) decimal(key string) float64 {
	n, _ := strconv.ParseFloat(s.get(key), 64)
	return n
}

// duration is get for settings whose check is that they are one.
func (s settings) duration(key string) time.Duration {
	d, _ := time.ParseDuration(s.get(key))
	return d
}

// number is get for settings whose check is that they are one.
func (s settings) number(key string) int {
	n, _ := strconv.Atoi(s.get(key))
	return n
}

// on is get for settings that are true or false.
func (s settings) on(key string) bool {
	is, _ := strconv.ParseBool(s.get(key))
	return is
}

func (s settings) of(one home.Setting) (string, origin) {
	given := s.getenv(one.Env)
	if one.Flag != "" && s.cli.IsSet(one.Flag) {
		// A flag that is bound to the environment counts as set by it.
		if v := flagText(s.cli, one.Flag); v != given {
			return v, fromFlag
		}
	}
	if given != "" {
		return given, fromEnvironment
	}
	if v := s.config.Get(one.Key); v != "" {
		// A path in the file is meant from where the file is.
		if isPath := one.Key == "drop.dir" || one.Key == "log.file"; isPath && !filepath.IsAbs(v) {
			v = filepath.Join(string(s.dir), v)
		}
		return v, fromFile
	}
	switch one.Key {
	case "home":
		return string(s.dir), fromDefault
	case "drop.dir":
		return s.dir.Drop(), fromDefault
	}
	return one.Default, fromDefault
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
		one, _ := home.FindSetting(key)
		usage := one.Meaning + " [$" + one.Env + "]"
		if one.Default == "false" {
			flags = append(flags, &cli.BoolFlag{Name: one.Flag, Usage: usage})
			continue
		}
		flags = append(flags, &cli.StringFlag{Name: one.Flag, Usage: usage, DefaultText: cmp.Or(one.Default, "none")})
	}
	return flags
}

// agentSettings are those that the agent alone has flags for.
func agentSettings() []cli.Flag {
	return settingFlags("listen", "tls.cert", "tls.key", "proxies", "drop.dir", "drop.poll", "drop.settle", "drop.wait", "log.level", "log.format", "log.file")
}

// settingShown is one line of "config show".
type settingShown struct {
	Setting string `json:"setting"`
	Value   string `json:"value"`
	Origin  origin `json:"origin,omitempty"`
	Env     string `json:"env,omitempty"`
}

func configCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "config", Usage: "the settings of the home",
		Subcommands: []*cli.Command{{
			Name: "show", Usage: "print every setting and its value",
			Flags: slices.Concat(apiFlags(), outputFlags(), agentSettings(),
				[]cli.Flag{&cli.BoolFlag{Name: "origin", Usage: "also print where each value comes from"}}),
			Action: func(c *cli.Context) error { return showConfig(c, w) },
		}},
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
	for _, one := range home.Settings() {
		value, from := s.of(one)
		if one.Secret && value != "" {
			value = strings.Repeat("*", 8)
		}
		line := settingShown{Setting: one.Key, Value: value}
		if c.Bool("origin") {
			line.Origin, line.Env = from, one.Env
		}
		shown = append(shown, line)
	}
	if _, err := os.Stat(s.dir.Config()); err != nil && form == formatTable {
		printLinef(w, "There is no %s; what stands in none of the places has its default.", s.dir.Config())
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
