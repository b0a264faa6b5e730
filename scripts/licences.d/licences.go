//go:build ignore

// Command licences lists the modules that the program is built from, with their licences.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	check := slices.Contains(os.Args[1:], "--check")
	if err := run(os.Stdout, check); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

// module is a module of the build, as "go list" describes it.
type module struct {
	Path, Version, Dir string
	Time               *time.Time
	Main               bool
	Replace            *module
}

func run(out io.Writer, check bool) error {
	all, err := modules()
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	var wrong []error
	for _, m := range all {
		licence, err := licenceOf(m.Dir)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s %s: %w", m.Path, m.Version, err))
			licence = "?"
		}
		date := "-"
		if m.Time != nil {
			date = m.Time.Format(time.DateOnly)
		}
		if !check {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", m.Path, m.Version, date, licence)
		}
	}
	return errors.Join(append(wrong, table.Flush())...)
}

// modules are those from which any package of the program comes, in order of their paths.
func modules() ([]module, error) {
	var text []byte
	for _, program := range []string{"cmd/vecctl", "cmd/vecctl-pkcs11"} { // the second is a module of its own
		cmd := exec.Command("go", "list", "-C", program, "-deps", "-json=Module", ".")
		cmd.Stderr = os.Stderr
		some, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("listing the packages of the program: %w", err)
		}
		text = append(text, some...)
	}
	var all []module
	for lines := json.NewDecoder(strings.NewReader(string(text))); ; {
		var p struct{ Module *module }
		if err := lines.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("reading the list of packages: %w", err)
		}
		if p.Module == nil || p.Module.Main {
			continue
		}
		m := *p.Module
		if m.Replace != nil {
			m.Dir = m.Replace.Dir
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	return slices.CompactFunc(all, func(a, b module) bool { return a.Path == b.Path }), nil
}

// licences are those that are allowed: each with words that stand in its text and in no other's.
var licences = []struct {
	name  string
	words *regexp.Regexp
}{
	{"Apache-2.0", regexp.MustCompile(`(?is)apache license\s+version 2\.0`)},
	{"MPL-2.0", regexp.MustCompile(`(?is)mozilla public license,? version 2\.0`)},
	{"BSD-3-Clause", regexp.MustCompile(`(?is)redistribution and use in source and binary forms.*(neither the name|names? of .{0,80} may)`)},
	{"BSD-2-Clause", regexp.MustCompile(`(?is)redistribution and use in source and binary forms`)},
	{"MIT", regexp.MustCompile(`(?is)permission\s+is\s+hereby\s+granted,\s+free\s+of\s+charge,\s+to\s+any\s+person\s+obtaining\s+a\s+copy`)},
	{"ISC", regexp.MustCompile(`(?is)permission to use, copy, modify, and/?(or)? distribute this software for any purpose`)},
	{"Zlib", regexp.MustCompile(`(?is)this\s+software\s+is\s+provided\s+'as-is',\s+without\s+any\s+express\s+or\s+implied\s+warranty`)},
	{"Unlicense", regexp.MustCompile(`(?is)free and unencumbered software released into the public domain`)},
}

// licenceOf reads the licence of the module in a folder. Several files may each state one.
func licenceOf(dir string) (string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return "", err
	}
	var found []string
	seen := false
	for _, name := range names {
		base := strings.ToUpper(filepath.Base(name))
		if !strings.HasPrefix(base, "LICENSE") && !strings.HasPrefix(base, "LICENCE") && !strings.HasPrefix(base, "COPYING") && !strings.HasPrefix(base, "UNLICENSE") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			continue // a folder
		}
		seen = true
		known := false
		for _, l := range licences {
			if l.words.Match(text) {
				found, known = append(found, l.name), true
				break
			}
		}
		if !known {
			return "", fmt.Errorf("the licence in %s is not one of those that are allowed", filepath.Base(name))
		}
	}
	if !seen {
		return "", errors.New("it has no licence file")
	}
	slices.Sort(found)
	return strings.Join(slices.Compact(found), " and "), nil
}
