package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Origin says where a setting's value comes from.
type Origin string

// The origins, by precedence.
const (
	FromFlag        Origin = "flag"
	FromEnvironment Origin = "environment"
	FromFile        Origin = "config file"
	FromDefault     Origin = "default"
	FromTokenFile   Origin = "token file"
	FromSystemd     Origin = "systemd"
)

// Value is what is set, as text, and where it comes from.
type Value struct {
	Text   string
	Origin Origin
}

// Flags are those of a command line.
type Flags interface {
	// Given returns the text of a flag; ok is false where it was not given.
	Given(name string) (text string, ok bool)
}

// Source is where settings may stand.
type Source struct {
	Home   string                   // relative paths of the file and the defaults count from it
	File   File                     // "" for none
	Flags  Flags                    // nil for none
	Getenv func(name string) string // nil for an empty environment
}

// Load reads all settings and checks every value that is given. In the file, relative
// paths count from the home; in flags and in the environment, as everywhere on a
// command line, from the current folder.
func Load(s Source) (Config, error) {
	c := Default()
	home, err := filepath.Abs(s.Home)
	if err != nil {
		return c, fmt.Errorf("finding the home: %w", err)
	}
	c.Home = home
	if s.Getenv != nil {
		c.Signing.CredentialsDir = s.Getenv("CREDENTIALS_DIRECTORY")
	}
	file, err := s.File.read()
	if err != nil {
		return c, err
	}
	if err := c.setFrom(s.File, file); err != nil {
		return c, err
	}
	c.values = map[string]Value{}
	for _, one := range c.settings() {
		v, base := Value{one.String(), FromDefault}, home
		if in := file.scalars[one.Key]; in.text != "" {
			v = Value{in.text, FromFile}
		}
		if text, from, place := s.given(one); from != FromDefault {
			if err := one.set(text, place); err != nil {
				return c, err
			}
			v, base = Value{text, from}, ""
		}
		if p, is := one.value.(path); is {
			if err := p.anchor(base); err != nil {
				return c, err
			}
			v.Text = p.String()
		}
		c.values[one.Key] = v
	}
	return c, c.readRelayToken(s)
}

// relayCredential is the name of the systemd credential (systemd.exec(5), LoadCredential=) that
// holds the token of the vault behind this home.
const relayCredential = "relay.token"

// readRelayToken reads the token of the vault behind this home from its file or credential,
// unless it is set.
func (c *Config) readRelayToken(s Source) error {
	if c.Relay.URL == "" || c.Relay.Token != "" {
		return nil
	}
	file, origin := c.Relay.TokenFile, FromTokenFile
	if file == "" && s.Getenv != nil {
		if dir := s.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
			file, origin = filepath.Join(dir, relayCredential), FromSystemd
		}
	}
	if file == "" {
		return nil
	}
	body, err := os.ReadFile(file)
	if origin == FromSystemd && errors.Is(err, fs.ErrNotExist) {
		return nil // the service has other credentials only
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, err, fmt.Sprintf("the token for relay.url in %s cannot be read; correct relay.token_file, or the file's permissions", file))
	}
	c.Relay.Token = strings.TrimSpace(string(body))
	if c.Relay.Token == "" {
		return fault.Newf(fault.Invalid, "%s holds no token for relay.url", file)
	}
	c.values["relay.token"] = Value{c.Relay.Token, origin}
	return nil
}

// setFrom sets what the file holds.
func (c *Config) setFrom(f File, file contents) error {
	for _, one := range c.settings() {
		in := file.scalars[one.Key]
		if in.text == "" {
			continue
		}
		if err := one.set(in.text, in.place); err != nil {
			return f.at(err)
		}
	}
	return nil
}

// given is what a flag or the environment says about a setting, and which of them; place
// names it. FromDefault is neither.
func (s Source) given(one Setting) (text string, from Origin, place string) {
	env := ""
	if s.Getenv != nil {
		env = s.Getenv(one.Env)
	}
	if s.Flags != nil && one.Flag != "" {
		// A flag that is bound to the environment counts as given by it.
		if text, ok := s.Flags.Given(one.Flag); ok && text != env {
			return text, FromFlag, "--" + one.Flag
		}
	}
	if env != "" {
		return env, FromEnvironment, one.Env
	}
	return "", FromDefault, ""
}

// Value returns a setting as text, and where it comes from. The Config must have been
// loaded.
func (c Config) Value(key string) Value { return c.values[key] }
