package config

import (
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// flags is a command line.
type flags map[string]string

// Given implements Flags.
func (f flags) Given(name string) (string, bool) {
	text, ok := f[name]
	return text, ok
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	file := File(filepath.Join(home, "config.yaml"))
	if err := os.WriteFile(string(file), []byte("listen: 127.0.0.1:1\nbase_url: https://file.example\nlog:\n  level: warn\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"VECCTL_LISTEN": "127.0.0.1:2", "VECCTL_BASE_URL": "https://env.example", "VECCTL_TOKEN": "vc_env"}
	c, err := Load(Source{Home: home, File: file, Getenv: func(name string) string { return env[name] },
		Flags: flags{"listen": "127.0.0.1:3", "token": "vc_env"}})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]Value{
		"listen": {"127.0.0.1:3", FromFlag}, "base_url": {"https://env.example", FromEnvironment}, "log.level": {"warn", FromFile},
		"drop.settle": {"5s", FromDefault}, "mail.applications_every": {"24h", FromDefault}, "retention.mails": {"0", FromDefault}, "qr.size": {"", FromDefault},
		"token": {"vc_env", FromEnvironment}, "home": {home, FromDefault}, "drop.dir": {filepath.Join(home, "drop"), FromDefault},
	} {
		if got := c.Value(key); got != want {
			t.Errorf("%s: %+v, want %+v", key, got, want)
		}
	}
	if c.Listen != "127.0.0.1:3" || c.BaseURL != "https://env.example" || c.Token != "vc_env" || c.Log.Level != slog.LevelWarn || c.Drop.Settle != 5*time.Second {
		t.Errorf("%+v", c)
	}
}

// An error names the setting, and the place where the value stands.
func TestAWrongValueIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	file := File(filepath.Join(home, "config.yaml"))
	if err := os.WriteFile(string(file), []byte("listen: none\ndrop:\n  settle: 2s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		env   map[string]string
		flags flags
		want  string
	}{
		{map[string]string{"VECCTL_SETTLE": "soon"}, nil, `drop.settle (VECCTL_SETTLE): "soon" is no time`},
		{map[string]string{"VECCTL_SETTLE": "soon"}, flags{"settle": "later"}, `drop.settle (--settle): "later" is no time`},
		{nil, flags{"log-level": "loud"}, `log.level (--log-level): "loud" is not one of`},
		{map[string]string{"VECCTL_SIGNING_TIMESTAMPS": "nowhere"}, nil, "signing.timestamps (VECCTL_SIGNING_TIMESTAMPS)"},
		{map[string]string{"VECCTL_SIGNING_VISIBLE": "perhaps"}, nil, "signing.visible (VECCTL_SIGNING_VISIBLE)"},
	} {
		_, err := Load(Source{Home: home, File: file, Flags: test.flags, Getenv: func(name string) string { return test.env[name] }})
		if message, _ := fault.Message(err); !fault.Is(err, fault.Invalid) || !strings.Contains(message, test.want) {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
}

// Every path of the file counts from the home, and every path of a flag or a variable
// from the current folder.
func TestPathsCountFromOnePlace(t *testing.T) {
	t.Parallel()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	file := File(filepath.Join(home, "config.yaml"))
	paths := 0
	for _, s := range Settings() {
		if !s.IsPath() || s.Outside {
			continue
		}
		paths++
		line := s.Key + ": "
		if section, key, nested := strings.Cut(s.Key, "."); nested {
			line = section + ":\n  " + key + ": "
		}
		for _, test := range []struct {
			text, env string
			want      string
		}{
			{text: "some/where", want: filepath.Join(home, "some", "where")},
			{text: "/some/where", want: "/some/where"},
			{text: "other", env: "some/where", want: filepath.Join(here, "some", "where")},
		} {
			if err := os.WriteFile(string(file), []byte(line+test.text+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := Load(Source{Home: home, File: file, Getenv: func(name string) string {
				return map[string]string{s.Env: test.env}[name]
			}})
			if got := c.Value(s.Key).Text; err != nil || got != test.want {
				t.Errorf("%s: %q or %q is %q, %v; want %q", s.Key, test.text, test.env, got, err, test.want)
			}
		}
	}
	if paths != 11 {
		t.Errorf("%d settings are paths", paths)
	}
}

// Each setting has a variable of its own, a meaning and a field of its own.
func TestSettingsAreComplete(t *testing.T) {
	t.Parallel()
	env := map[string]bool{}
	for _, s := range Settings() {
		if env[s.Env] || s.Env == "" || s.Meaning == "" {
			t.Errorf("%s has no environment variable of its own, or no meaning", s.Key)
		}
		env[s.Env] = true
		if text := s.String(); text != "" {
			if err := s.set(text, "default"); err != nil || s.String() != text {
				t.Errorf("the default %q reads %q, %v", text, s.String(), err)
			}
		}
	}
	var c Config
	fields := map[any]string{}
	for _, s := range c.settings() {
		field := reflect.ValueOf(s.value).Field(0).Pointer()
		if fields[field] != "" {
			t.Errorf("%s and %s share a field", s.Key, fields[field])
		}
		fields[field] = s.Key
	}
}

func TestRetentionInDays(t *testing.T) {
	t.Parallel()
	set := map[string]string{}
	read := func() (Retention, error) {
		c, err := Load(Source{Home: t.TempDir(), Getenv: func(name string) string { return set[name] }})
		return c.Retention, err
	}
	if r, err := read(); err != nil || r != (Retention{Deliveries: 30 * day}) {
		t.Errorf("where nothing is set: %+v, %v", r, err)
	}
	for name, days := range map[string]string{"DELIVERIES": "0", "RECEIVED": "1", "MAILS": "2", "VERIFIED": "3", "REFUSED": "4", "EVIDENCE": "5"} {
		set["VECCTL_RETENTION_"+name] = days
	}
	if r, err := read(); err != nil || r != (Retention{Received: day, Mails: 2 * day, Verified: 3 * day, Refused: 4 * day, Evidence: 5 * day}) {
		t.Errorf("%+v, %v", r, err)
	}
	for _, bad := range []string{"-1", "soon", "1d", "99999"} {
		set["VECCTL_RETENTION_MAILS"] = bad
		if _, err := read(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestWhoIsToldOfApplications(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ list, staff, want string }{
		{"", "", ""}, {"", "office@example.edu", "office@example.edu"}, {"none", "office@example.edu", ""},
		{" a@example.edu , b@example.edu", "office@example.edu", "a@example.edu b@example.edu"},
	} {
		env := map[string]string{"VECCTL_MAIL_APPLICATIONS": test.list, "VECCTL_MAIL_STAFF": test.staff}
		c, err := Load(Source{Home: t.TempDir(), Getenv: func(name string) string { return env[name] }})
		if got := strings.Join(c.Mail.DigestTo(), " "); err != nil || got != test.want {
			t.Errorf("%v: %q, %v; want %q", slices.Sorted(maps.Values(env)), got, err, test.want)
		}
	}
}
