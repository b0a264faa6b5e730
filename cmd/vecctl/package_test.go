package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// fromTop is a file of the module's.
func fromTop(t *testing.T, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
	must(t, err)
	return body
}

// The packages' service file is what the program writes for their user and folder.
// VECCTL_UPDATE=1 writes it anew.
func TestThePackagesService(t *testing.T) {
	t.Parallel()
	const home, path = "/var/lib/vecctl/home", "scripts/packaging/vecctl.service"
	want, err := unit{Program: "/usr/bin/vecctl", Args: []string{"agent", "--home", home}, Home: home, User: "vecctl", System: true}.render()
	must(t, err)
	if os.Getenv("VECCTL_UPDATE") != "" {
		must(t, os.WriteFile(filepath.Join("..", "..", path), []byte(want), 0o644))
	}
	if got := string(fromTop(t, path)); got != want {
		t.Errorf("%s is not what \"vecctl agent unit\" writes; run the test with VECCTL_UPDATE=1", path)
	}
}

// Packages are described twice, for nfpm in the tests and for goreleaser in releases.
func TestThePackagesAreDescribedAlike(t *testing.T) {
	t.Parallel()
	type content struct{ Src, Dst, Packager string }
	type packaged struct {
		Section, Maintainer, Description, Homepage, License string
		Recommends                                          []string
		Scripts                                             map[string]string
		Contents                                            []content
		Overrides                                           map[string]map[string][]string
	}
	var tried packaged
	must(t, yaml.Unmarshal(fromTop(t, "scripts/packaging/nfpm.yaml"), &tried))
	var released struct{ Nfpms []packaged }
	must(t, yaml.Unmarshal(fromTop(t, "goreleaser.yaml"), &released))
	tried.Contents = slices.DeleteFunc(tried.Contents, func(c content) bool {
		return strings.HasPrefix(c.Dst, "/usr/bin/") // goreleaser puts programs there by itself
	})
	for i, c := range tried.Contents {
		tried.Contents[i].Src = strings.Replace(c.Src, "${DIST}", "dist-generated", 1)
	}
	for _, o := range tried.Overrides { // what the one calls "depends"
		o["dependencies"] = o["depends"]
		delete(o, "depends")
	}
	if len(released.Nfpms) != 1 || !reflect.DeepEqual(tried, released.Nfpms[0]) {
		t.Errorf("scripts/packaging/nfpm.yaml says\n%+v\ngoreleaser.yaml\n%+v", tried, released.Nfpms)
	}
}

// The container file takes nothing but what a release makes and hands over.
func TestTheContainerFile(t *testing.T) {
	t.Parallel()
	var released struct {
		Before  struct{ Hooks []string }
		Dockers []struct {
			Dockerfile string
			Extra      []string `yaml:"extra_files"`
		} `yaml:"dockers_v2"`
	}
	must(t, yaml.Unmarshal(fromTop(t, "goreleaser.yaml"), &released))
	if len(released.Dockers) != 1 {
		t.Fatalf("%d container images", len(released.Dockers))
	}
	image := released.Dockers[0]
	handed := append([]string{"${TARGETPLATFORM}/vecctl"}, image.Extra...)
	var froms, copied []string
	for line := range strings.Lines(string(fromTop(t, image.Dockerfile))) {
		switch words := strings.Fields(line); {
		case len(words) > 1 && words[0] == "FROM":
			froms = append(froms, words[1])
		case len(words) > 2 && words[0] == "COPY":
			copied = append(copied, words[len(words)-2])
		}
	}
	if !slices.Equal(froms, []string{"scratch"}) || !slices.Equal(copied, handed) {
		t.Errorf("it is made from %q and copies %q; it is handed %q", froms, copied, handed)
	}
	for _, file := range image.Extra {
		made := slices.ContainsFunc(released.Before.Hooks, func(hook string) bool {
			return strings.HasSuffix(hook, "/"+filepath.Base(file)+" "+filepath.Dir(file)+"/")
		})
		if _, err := os.Stat(filepath.Join("..", "..", file)); err != nil && !made {
			t.Errorf("nobody makes %s", file)
		}
	}
}

// The formula names each archive of a release with its sum, and what the archives hold.
func TestTheFormula(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is missing")
	}
	formula := func(sums string) (string, error) {
		path := filepath.Join(t.TempDir(), "SHA256SUMS")
		must(t, os.WriteFile(path, []byte(sums), 0o644))
		out, err := exec.Command(bash, filepath.Join("..", "..", "scripts", "formula"), "1.2.3", path).CombinedOutput()
		return string(out), err
	}
	var sums strings.Builder
	var want []string
	for i, target := range []string{"darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64"} {
		sum, name := strings.Repeat(string(rune('a'+i)), 64), "vecctl_1.2.3_"+target+".tar.gz"
		sums.WriteString(sum + "  " + name + "\n")
		want = append(want, `releases/download/v1.2.3/`+name+"\"\n      sha256 \""+sum+`"`)
	}
	got, err := formula(sums.String())
	must(t, err)
	for _, w := range append(want, `bin.install "vecctl"`, `man1.install "man/vecctl.1.gz"`) {
		if !strings.Contains(got, w) {
			t.Errorf("the formula lacks %s:\n%s", w, got)
		}
	}
	if ruby, err := exec.LookPath("ruby"); err == nil {
		check := exec.Command(ruby, "-c")
		check.Stdin = strings.NewReader(got)
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s\n%s", out, got)
		}
	}
	// A release without one of them has no formula.
	if got, err := formula(strings.ReplaceAll(sums.String(), "linux_arm64", "linux_riscv64")); err == nil || !strings.Contains(got, "no line for vecctl_1.2.3_linux_arm64.tar.gz") {
		t.Errorf("%v: %s", err, got)
	}
	// The archives hold what the formula installs.
	released := string(fromTop(t, "goreleaser.yaml"))
	for _, part := range []string{"dst: man\n", "dst: completions\n", "SHA256SUMS"} {
		if !strings.Contains(released, part) {
			t.Errorf("goreleaser.yaml lacks %q", part)
		}
	}
}
