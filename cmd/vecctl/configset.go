package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/fault"
)

func configSetCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "set", Usage: "write a setting into config.yaml of the home", ArgsUsage: "KEY VALUE",
		Description: "\"vecctl config show\" lists the keys. All else in the file stays as it is, comments too.\n" +
			"VALUE \"-\" reads the first line of standard input, so that a secret stays out of the process list.\n" +
			"A running agent reads the file when it starts.",
		Flags: append(homeOnlyFlags(), outputFlags()...),
		Action: func(c *cli.Context) error {
			form, err := formatAndArgs(c, 2, "KEY VALUE")
			if err != nil {
				return err
			}
			return setConfig(c, w, form)
		},
	}
}

// settingSaved is what "config set" prints.
type settingSaved struct {
	Setting string `json:"setting"`
	File    string `json:"file"`
	Value   string `json:"value"`
	Before  string `json:"before"`
	// Effective is the value that applies, and Origin where it comes from: a variable of the
	// environment wins over the file.
	Effective string        `json:"effective"`
	Origin    config.Origin `json:"origin"`
	Restart   bool          `json:"restart_needed"`
}

func setConfig(c *cli.Context, w environment, form outputFormat) error {
	one, err := settingNamed(c.Args().Get(0))
	if err != nil {
		return err
	}
	dir, err := presentHome(c, w)
	if err != nil {
		return err
	}
	before, err := loadSettings(c, w)
	if err != nil {
		return err
	}
	value := c.Args().Get(1)
	if value == "-" {
		if value, err = firstLine(w.stdin); err != nil {
			return fmt.Errorf("reading the value from standard input: %w", err)
		}
	}
	if err := config.File(dir.Config()).Set(one.Key, value); err != nil {
		return err
	}
	after, err := loadSettings(c, w)
	if err != nil {
		return err
	}
	_, runs := dir.Running()
	now := after.Value(one.Key)
	done := settingSaved{
		Setting: one.Key, File: dir.Config(), Value: one.Shown(value), Before: one.Shown(before.Value(one.Key).Text),
		Effective: one.Shown(now.Text), Origin: now.Origin, Restart: runs,
	}
	if now.Origin == config.FromEnvironment {
		printLinef(w, "%s in the environment wins over the file: %s stays %s here.", one.Env, one.Key, cmp.Or(done.Effective, "empty"))
	}
	if runs {
		printLinef(w, "An agent runs on this home. It reads the file when it starts: stop it, then start it.")
	}
	return printFields(w.stdout, form, done, [][2]string{{"setting", done.Setting}, {"value", done.Value}, {"before", done.Before}, {"file", done.File}})
}

// settingNamed finds a setting by its key; where there is none, the message names those that
// are nearly called so.
func settingNamed(key string) (config.Setting, error) {
	one, ok := config.FindSetting(key)
	switch {
	case ok && one.Outside:
		return one, usageError("%s cannot stand in config.yaml, since it says where that file is; use --%s or %s", key, one.Flag, one.Env)
	case ok:
		return one, nil
	}
	var near []string
	for _, s := range config.Settings() {
		section, name, _ := strings.Cut(s.Key, ".")
		if key != "" && (section == key || name == key || strings.Contains(s.Key, key)) {
			near = append(near, s.Key)
		}
	}
	slices.Sort(near)
	if len(near) > 0 {
		return one, usageError("there is no setting %q; did you mean one of: %s", key, strings.Join(near, ", "))
	}
	return one, usageError("there is no setting %q; \"vecctl config show\" lists all", key)
}

// presentHome is the home that the flags name, which must be there and belong to this user.
func presentHome(c *cli.Context, w environment) (home.Dir, error) {
	dir, err := homeDir(c, w)
	if err != nil {
		return "", err
	}
	if existed, err := dir.Exists(); err != nil || !existed {
		if err == nil {
			err = fault.Newf(fault.NotFound, "there is no home in %s; name another one with --home", dir)
		}
		return "", err
	}
	return dir, checkHomeOwner(dir)
}
