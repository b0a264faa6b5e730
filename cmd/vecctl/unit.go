package main

import (
	_ "embed"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

//go:embed unit.service
var unitText string

// unit is the content of a systemd service file (systemd.service(5), systemd.exec(5)).
type unit struct {
	Program string   // absolute
	Args    []string // of it
	Home    string   // absolute
	Others  []string // other folders that it writes to, absolute
	Listen  string
	User    string // of the process; "" is the user of the service manager
	System  bool   // a system service, not one of a user
}

// render writes the file.
func (u unit) render() (string, error) {
	t, err := template.New("unit").Parse(unitText)
	if err != nil {
		return "", fmt.Errorf("reading the service file: %w", err)
	}
	words := make([]string, 0, 1+len(u.Args))
	for _, w := range append([]string{u.Program}, u.Args...) {
		words = append(words, quoteExec(w))
	}
	paths := append([]string{u.Home}, u.Others...)
	writable := make([]string, len(paths))
	for i, p := range paths {
		if p = filepath.Clean(p); i > 0 {
			p = "-" + p // it may be missing
		}
		writable[i] = quotePath(p)
	}
	var b strings.Builder
	err = t.Execute(&b, map[string]any{
		"Home": escapeSpecifiers(u.Home), "Command": strings.Join(words, " "), "User": u.User, "System": u.System,
		"LowPort": lowPort(u.Listen), "Writable": strings.Join(writable, " "), "Needs": u.capabilities(),
		"PrivateTmp":  yesNo(!slices.ContainsFunc(paths, below("/tmp", "/var/tmp"))),
		"ProtectHome": protectHome(slices.ContainsFunc(paths, below("/home", "/root", "/run/user"))),
	})
	return b.String(), err
}

// capabilities returns the capability that root needs to read the files of other users.
func (u unit) capabilities() string {
	if u.User == "" || u.User == "root" {
		return "CAP_DAC_OVERRIDE"
	}
	return ""
}

func below(folders ...string) func(string) bool {
	return func(path string) bool {
		return slices.ContainsFunc(folders, func(f string) bool { return path == f || strings.HasPrefix(path, f+"/") })
	}
}

func protectHome(inUse bool) string {
	if inUse {
		return "read-only" // except for ReadWritePaths
	}
	return "yes"
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func lowPort(listen string) bool {
	const firstFree = 1024
	_, port, err := net.SplitHostPort(listen)
	n, e := strconv.Atoi(port)
	return err == nil && e == nil && n > 0 && n < firstFree
}

// escapeSpecifiers escapes percent signs, which begin a specifier in systemd's files.
func escapeSpecifiers(s string) string { return strings.ReplaceAll(oneLine(s), "%", "%%") }

// quoteExec quotes a word of a command line (systemd.service(5), "Command lines").
func quoteExec(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `$$`).Replace(escapeSpecifiers(s)) + `"`
}

// quotePath quotes a path in a list of paths.
func quotePath(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(escapeSpecifiers(s)) + `"`
}
