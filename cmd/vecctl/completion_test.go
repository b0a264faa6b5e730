package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func testApp() environment {
	return environment{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, getenv: func(string) string { return "" }}
}

func TestWhatMayComeNext(t *testing.T) {
	t.Parallel()
	app := newApp(testApp())
	for _, test := range []struct {
		words string // with spaces between
		want  []string
		not   []string
	}{
		{"", []string{"bulk", "init", "backup", "completion"}, []string{"__complete", "man"}},
		{"ba", []string{"backup", "batch"}, []string{"bulk"}},
		{"list --status ", []string{"processing", "failed"}, []string{"--status", "backup"}},
		{"list -o j", []string{"json", "jsonl"}, []string{"csv"}},
		{"backup ver", []string{"verify"}, []string{"version"}},
		{"backup verify --pass", []string{"--passphrase-file"}, nil},
		{"backup --keep-daily 7 --ver", []string{"--verify"}, nil},
		{"backup --since ", nil, []string{"verify"}}, // a file
		{"bulk manifest.csv --dry", []string{"--dry-run"}, nil},
		{"bulk -- --dry", nil, []string{"--dry-run"}},
		{"bulk m", nil, []string{"man"}},
	} {
		var got []string
		for _, w := range complete(app, strings.Split(test.words, " ")) {
			got = append(got, w[0])
			if w[1] == "" {
				t.Errorf("%q says nothing of what it is", w[0])
			}
		}
		for _, w := range test.want {
			if !slices.Contains(got, w) {
				t.Errorf("%q: %v lacks %s", test.words, got, w)
			}
		}
		for _, w := range test.not {
			if slices.Contains(got, w) {
				t.Errorf("%q: %v has %s", test.words, got, w)
			}
		}
	}
}

// The shells that are here run their scripts and ask the real program.
func TestCompletionInShells(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for shell, ask := range map[string][]string{
		"bash": {"-c", `. ./script; COMP_WORDS=(vecctl backup ver); COMP_CWORD=2; _vecctl; echo "${COMPREPLY[@]}"`},
		"fish": {"-c", `source ./script; complete -C "vecctl backup ver"`},
		"zsh":  {"-f", "-c", `autoload -U compinit; compinit -u -d ./dump; . ./script; [[ $_comps[vecctl] == _vecctl ]] && echo verify`},
	} {
		path, err := exec.LookPath(shell)
		if err != nil {
			continue // bash is there wherever the tests run
		}
		dir := filepath.Join(s.dir, shell)
		must(t, os.Mkdir(dir, 0o755))
		must(t, os.WriteFile(filepath.Join(dir, "script"), []byte(s.done("completion", shell).stdout), 0o644))
		vecctl, err := exec.LookPath("vecctl")
		must(t, err)
		cmd := exec.Command(path, ask...)
		cmd.Dir = dir
		cmd.Env = append([]string{"PATH=" + filepath.Dir(vecctl) + ":" + os.Getenv("PATH"), "HOME=" + dir}, s.env...)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "verify") {
			t.Errorf("%s: %q, %v", shell, out, err)
		}
	}
	s.done("completion", "powershell").says(t, "Register-ArgumentCompleter")
	s.want(2, "completion", "tcsh").says(t, "use bash, zsh, fish or powershell")
}

// The manual names every command, and groff has nothing to say against it.
func TestTheManual(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := testApp()
	w.stdout = &out
	if code := run(context.Background(), []string{"vecctl", "man"}, w); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	for _, c := range newApp(w).Commands {
		if named := strings.Contains(out.String(), ".SS "+c.Name) || len(c.Subcommands) > 0 && strings.Contains(out.String(), ".SS "+c.Name+" "); named == c.Hidden {
			t.Errorf("%s: in the manual %v, hidden %v", c.Name, named, c.Hidden)
		}
	}
	cmd := exec.Command("groff", "-man", "-Tutf8", "-ww")
	cmd.Stdin = &out
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	text, err := cmd.Output()
	if err != nil || complaints.Len() > 0 || !strings.Contains(string(text), "set up a home") && !strings.Contains(string(text), "Set up a home") {
		t.Errorf("%v: %s", err, &complaints)
	}
}
