package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
)

func TestSettingsOfTheFile(t *testing.T) {
	f := File(filepath.Join(t.TempDir(), "config.yaml"))
	if c, err := load(f); err != nil || c.BaseURL != DefaultBaseURL || c.Value("base_url").Origin != FromDefault {
		t.Fatalf("a home without the file: %v, %v", c, err)
	}
	for _, test := range []struct {
		name, text string
		want       map[string]string
		complaint  string // words of the error; "" is none
	}{
		{name: "empty"},
		{name: "comments alone", text: "# nothing yet\n"},
		{name: "all kinds", text: "base_url: https://vec.example.edu\ndrop:\n  settle: 2s\n  poll: true\nlog: {max_size: 5}\n",
			want: map[string]string{"base_url": "https://vec.example.edu", "drop.settle": "2s", "drop.poll": "true", "log.max_size": "5"}},
		{name: "a section without settings", text: "drop:\nlisten: none\n", want: map[string]string{"listen": "none"}},
		{name: "a misspelt key", text: "listen: none\nbase_ulr: https://x.example\n", complaint: `line 2: there is no setting "base_ulr"`},
		{name: "a misspelt key of a section", text: "drop:\n  settel: 2s\n", complaint: `line 2: there is no setting "drop.settel"`},
		{name: "the home", text: "home: /elsewhere\n", complaint: `there is no setting "home"`},
		{name: "twice", text: "listen: none\nlisten: none\n", complaint: "listen"},
		{name: "a list", text: "listen: [a, b]\n", complaint: "listen wants one value"},
		{name: "no mapping", text: "- a\n", complaint: "want keys with values"},
		{name: "a section that is a value", text: "drop: here\n", complaint: "line 1: want keys with values"},
		{name: "no YAML", text: "a: b: c\n\t", complaint: "not readable as YAML"},
		{name: "a wrong time", text: "drop:\n  settle: soon\n", complaint: `drop.settle (line 2): "soon" is no time`},
		{name: "a wrong level", text: "log:\n  level: loud\n", complaint: `"loud" is not one of debug, info, warn, error`},
		{name: "a wrong address", text: "listen: everywhere\n", complaint: `"everywhere" is no address`},
		{name: "a wrong base URL", text: "base_url: vec.example.edu\n", complaint: "cannot be a base URL"},
		{name: "a wrong number", text: "log:\n  max_age: 0\n", complaint: "no number from 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := os.WriteFile(string(f), []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := load(f)
			if test.complaint != "" {
				message, _ := fault.Message(err)
				if !fault.Is(err, fault.Invalid) || !strings.Contains(message, test.complaint) || !strings.Contains(message, string(f)) {
					t.Fatalf("got %v, want %q and the file's name", err, test.complaint)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for key, want := range test.want {
				if got := c.Value(key); got != (Value{want, FromFile}) {
					t.Errorf("%s is %+v, want %q", key, got, want)
				}
			}
		})
	}
}

func TestALinkedFileStaysOne(t *testing.T) {
	f := File(filepath.Join(t.TempDir(), "config.yaml"))
	elsewhere := filepath.Join(t.TempDir(), "vecctl.yaml")
	if err := os.WriteFile(elsewhere, []byte("listen: none\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, string(f)); err != nil {
		t.Skip("no links here:", err)
	}
	if err := f.Set("base_url", "https://new.example"); err != nil {
		t.Fatal(err)
	}
	if body, err := os.ReadFile(elsewhere); err != nil || string(body) != "listen: none\nbase_url: https://new.example\n" {
		t.Errorf("%q, %v", body, err)
	}
	if to, err := os.Readlink(string(f)); err != nil || to != elsewhere {
		t.Errorf("the link leads to %q, %v", to, err)
	}
}

func TestASettingIsWrittenAndTheRestStays(t *testing.T) {
	f := File(filepath.Join(t.TempDir(), "config.yaml"))
	const before = "# our vault\nlisten: none # behind a proxy\nbase_url: https://old.example\ndrop:\n    settle: 2s\n"
	if err := os.WriteFile(string(f), []byte(before), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := f.Set("base_url", "https://new.example"); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(string(f))
	if want := strings.Replace(before, "old", "new", 1); err != nil || string(body) != want {
		t.Errorf("got %q, %v, want %q", body, err, want)
	}
	if info, err := os.Stat(string(f)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	// One of a section, in a section that is there, that is empty, and that is not.
	for _, test := range []struct{ before, want string }{
		{"drop:\n    settle: 2s # long\n", "drop:\n    settle: 2s # long\n    poll: true\n"},
		{"drop:\n    poll: false # why not\n", "drop:\n    poll: true # why not\n"},
		{"drop: # nothing yet\nlisten: none\n", "drop: # nothing yet\n    poll: true\nlisten: none\n"},
		{"", "drop:\n    poll: true\n"},
	} {
		if err := os.WriteFile(string(f), []byte(test.before), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := f.Set("drop.poll", "true"); err != nil {
			t.Fatal(err)
		}
		if body, err := os.ReadFile(string(f)); err != nil || string(body) != test.want {
			t.Errorf("got %q, %v, want %q", body, err, test.want)
		}
		if c, err := load(f); err != nil || !c.Drop.Poll {
			t.Errorf("it reads %v, %v", c.Drop.Poll, err)
		}
	}
	// A home without the file gets one.
	fresh := File(filepath.Join(t.TempDir(), "config.yaml"))
	if err := fresh.Set("base_url", "https://new.example"); err != nil {
		t.Fatal(err)
	}
	if c, err := load(fresh); err != nil || c.BaseURL != "https://new.example" {
		t.Errorf("%q, %v", c.BaseURL, err)
	}
	// A broken file is not overwritten.
	if err := os.WriteFile(string(f), []byte("a: b: c"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Set("base_url", "https://x.example"); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "listen: none\n", "drop: {settle: 1s}\n", "a: &x [*x]\n", "<<: {listen: none}\n", "drop:\n  <<: *a\n", "? [a]\n: b\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := parse(body)
		if err == nil {
			var all Config
			err = all.setFrom("config.yaml", c)
		}
		if _, ok := fault.Message(err); err != nil && !ok {
			t.Errorf("an error that is not for people: %v", err)
		}
		for key := range c.scalars {
			if s, ok := FindSetting(key); !ok || s.Outside {
				t.Errorf("%s was let in", key)
			}
		}
	})
}

// load reads the settings of a file alone.
func load(f File) (Config, error) { return Load(Source{Home: filepath.Dir(string(f)), File: f}) }
