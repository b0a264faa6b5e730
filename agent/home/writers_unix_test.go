//go:build unix

package home

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
)

func TestAHomeThatOthersCanWriteIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		chmod map[string]os.FileMode
		want  string // what the message names; "" for no refusal
	}{
		"as it is made":                      {nil, ""},
		"everybody may write":                {map[string]os.FileMode{".": 0o777}, "every user"},
		"the group may write":                {map[string]os.FileMode{".": 0o770}, "its group"},
		"settings that nobody reaches":       {map[string]os.FileMode{"config.yaml": 0o666}, ""},
		"settings that everybody reaches":    {map[string]os.FileMode{".": 0o755, "config.yaml": 0o666}, "config.yaml"},
		"settings that the group reaches":    {map[string]os.FileMode{".": 0o750, "config.yaml": 0o660}, "config.yaml"},
		"others' bits that no group reaches": {map[string]os.FileMode{".": 0o750, "config.yaml": 0o606}, ""},
		"a key":                              {map[string]os.FileMode{".": 0o755, "keys/signing.pem": 0o602}, "signing.pem"},
		"the folder of keys":                 {map[string]os.FileMode{".": 0o755, "keys": 0o777}, "keys"},
		"a template":                         {map[string]os.FileMode{".": 0o755, "templates/degree/template.yaml": 0o646}, "template.yaml"},
		"the database":                       {map[string]os.FileMode{".": 0o711, "vault.db": 0o666}, "vault.db"},
		"readable is no matter":              {map[string]os.FileMode{".": 0o755, "config.yaml": 0o644, "keys": 0o755}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, file := range []string{"config.yaml", "vault.db", "keys/signing.pem", "templates/degree/template.yaml"} {
				path := filepath.Join(dir, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			for file, mode := range test.chmod {
				if err := os.Chmod(filepath.Join(dir, file), mode); err != nil {
					t.Fatal(err)
				}
			}
			err := Dir(dir).CheckWriters()
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			message, _ := fault.Message(err)
			if !fault.Is(err, fault.Invalid) || !strings.Contains(message, test.want) || !strings.Contains(message, "chmod go-w") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestCommandsThatOthersCanReplaceAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := filepath.Join(dir, "hook.sh")
	set := func(folder, file os.FileMode) {
		t.Helper()
		if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(script, file); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, folder); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		folder, file os.FileMode
		ok           bool
	}{{0o755, 0o755, true}, {0o755, 0o775, false}, {0o755, 0o757, false}, {0o777, 0o755, false}, {0o777 | os.ModeSticky, 0o755, true}} {
		set(test.folder, test.file)
		for _, command := range []string{script, "sh " + script + " --x", "cat | '" + script + "'", "/bin/cat; " + script} {
			if err := CheckCommand(command); (err == nil) != test.ok {
				t.Errorf("%q with folder %v, file %v: %v", command, test.folder, test.file, err)
			}
		}
	}
	for _, command := range []string{"", "cat", "cat > /nowhere/x", "/bin/cat /etc/hostname", "true"} {
		if err := CheckCommand(command); err != nil {
			t.Errorf("%q: %v", command, err)
		}
	}
}
