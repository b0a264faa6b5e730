package main

import (
	"os"
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
	type packaged struct {
		Section, Maintainer, Description, Homepage, License string
		Recommends                                          []string
		Scripts                                             map[string]string
		Contents                                            []struct{ Src, Dst string }
	}
	var tried packaged
	must(t, yaml.Unmarshal(fromTop(t, "scripts/packaging/nfpm.yaml"), &tried))
	var released struct{ Nfpms []packaged }
	must(t, yaml.Unmarshal(fromTop(t, "goreleaser.yaml"), &released))
	tried.Contents = slices.DeleteFunc(tried.Contents, func(c struct{ Src, Dst string }) bool {
		return c.Dst == "/usr/bin/vecctl" // goreleaser puts it there by itself
	})
	for i, c := range tried.Contents {
		tried.Contents[i].Src = strings.Replace(c.Src, "${DIST}", "dist-generated", 1)
	}
	if len(released.Nfpms) != 1 || !reflect.DeepEqual(tried, released.Nfpms[0]) {
		t.Errorf("scripts/packaging/nfpm.yaml says\n%+v\ngoreleaser.yaml\n%+v", tried, released.Nfpms)
	}
}
