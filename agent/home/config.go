package home

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"

	"go.yaml.in/yaml/v3"

	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/fault"
)

// DefaultBaseURL is what links begin with until an address is set.
const DefaultBaseURL = "http://127.0.0.1:7780"

// Config is what config.yaml holds; an empty field is not set.
type Config struct {
	BaseURL string `yaml:"base_url,omitempty"` // what QR codes and links begin with
}

// LoadConfig reads the settings; a home without the file has none. Unknown keys
// are an error, since a misspelt one would silently not apply.
func (d Dir) LoadConfig() (Config, error) {
	var c Config
	body, err := os.ReadFile(d.config())
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, blob.DiskError(err, "reading the settings")
	}
	dec := yaml.NewDecoder(bytes.NewReader(body))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return c, fault.Newf(fault.Invalid, "the settings in %s cannot be read (%v); mend the file", d.config(), err)
	}
	if c.BaseURL != "" {
		if err := CheckBaseURL(c.BaseURL); err != nil {
			return c, err
		}
	}
	return c, nil
}

// SaveConfig writes the settings.
func (d Dir) SaveConfig(c Config) error {
	body, err := yaml.Marshal(c)
	if err != nil {
		return fmt.Errorf("writing the settings: %w", err)
	}
	return write(d.config(), body)
}

// CheckBaseURL refuses what links cannot begin with. The length is bounded so
// that the QR code of a link stays one that a phone can read.
func CheckBaseURL(s string) error {
	const longest = 200
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" ||
		u.RawQuery != "" || u.Fragment != "" || u.User != nil || len(s) > longest {
		return fault.Newf(fault.Invalid,
			"%q cannot be a base URL; give one such as https://certificates.example.edu, at most %d characters", s, longest)
	}
	return nil
}
