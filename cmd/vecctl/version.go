package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

// The linker sets these in releases.
var (
	releaseVersion = ""
	releaseCommit  = ""
	releaseDate    = ""
)

type versionInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Date    string `json:"date,omitempty"`
	Go      string `json:"go"`
	// Modules are the program's dependencies, with their sums from go.sum.
	Modules []moduleInfo `json:"modules,omitempty"`
}

type moduleInfo struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	Sum     string `json:"sum,omitempty"`
}

func modules() []moduleInfo {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	all := make([]moduleInfo, 0, len(build.Deps))
	for _, m := range build.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		all = append(all, moduleInfo{m.Path, m.Version, m.Sum})
	}
	return all
}

func version() versionInfo {
	v := versionInfo{Version: releaseVersion, Commit: releaseCommit, Date: releaseDate, Go: runtime.Version()}
	if build, ok := debug.ReadBuildInfo(); ok && v.Version == "" {
		v.Version = build.Main.Version
		for _, s := range build.Settings {
			switch s.Key {
			case "vcs.revision":
				v.Commit = s.Value
			case "vcs.time":
				v.Date = s.Value
			}
		}
	}
	if v.Version == "" || v.Version == "(devel)" {
		v.Version = "development"
	}
	return v
}

func versionCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "version", Usage: "print the version of vecctl",
		Flags: append(homeFlags(), outputFlags()...),
		Action: func(c *cli.Context) error {
			form, err := formatAndArgs(c, 0, "")
			if err != nil {
				return err
			}
			v := version()
			if form != formatTable {
				v.Modules = modules()
				return printFields(w.stdout, form, v, [][2]string{
					{"version", v.Version}, {"commit", v.Commit}, {"date", v.Date}, {"go", v.Go}})
			}
			text := "vecctl " + v.Version
			if v.Commit != "" {
				text += fmt.Sprintf(" (%.12s, %s)", v.Commit, v.Date)
			}
			_, err = fmt.Fprintf(w.stdout, "%s, %s\n", text, v.Go)
			return err
		},
	}
}
