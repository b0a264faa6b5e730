package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// Every command in the pages under docs/ is run, and the README's first ones: those of
// a page one after another, in a folder of their own.
func TestTheCommandsInTheDocs(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob(filepath.Join("..", "..", "docs", "*.md"))
	must(t, err)
	if len(pages) < 6 {
		t.Errorf("only %d pages", len(pages))
	}
	pages = append(pages, filepath.Join("..", "..", "README.md"))
	vecctl, err := exec.LookPath("vecctl")
	must(t, err)
	samples, err := filepath.Abs(filepath.Join("..", "..", "testdata"))
	must(t, err)
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(page)
			must(t, err)
			script := "set -eu\n"
			for _, block := range shellBlock.FindAllStringSubmatch(string(body), -1) {
				script += block[1]
			}
			s := newSite(t)
			must(t, os.Symlink(samples, filepath.Join(s.dir, "testdata")))
			cmd := exec.Command("bash", "-c", script)
			cmd.Dir = s.dir
			cmd.Env = append([]string{"PATH=" + filepath.Dir(vecctl) + ":" + os.Getenv("PATH"), "USER=staff"}, s.env...)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if strings.Contains(string(out), "panic:") {
				t.Errorf("a command broke:\n%s", out)
			}
		})
	}
}
