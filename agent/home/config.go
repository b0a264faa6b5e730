package home

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf/qr"
)

// DefaultBaseURL is what links begin with until an address is set.
const DefaultBaseURL = "http://127.0.0.1:7780"

// Config is what config.yaml holds. The zero value is an empty file.
type Config struct {
	top    *yaml.Node        // the file's mapping, with the operator's comments; nil for none
	values map[string]string // by setting's key
}

// Get returns the value of a setting, "" when the file does not have it.
func (c Config) Get(key string) string { return c.values[key] }

// LoadConfig reads the settings; a home without the file has none. Unknown keys
// are an error, since a misspelt one would silently not apply.
func (d Dir) LoadConfig() (Config, error) {
	body, err := os.ReadFile(d.Config())
	if errors.Is(err, fs.ErrNotExist) {
		return Config{}, nil
	}
	if err != nil {
		return Config{}, d.diskError(err, "reading the settings")
	}
	c, err := parseConfig(body)
	return c, fault.At("the settings in "+d.Config(), err)
}

func parseConfig(body []byte) (Config, error) {
	c := Config{values: map[string]string{}}
	var doc yaml.Node
	if err := yaml.Unmarshal(body, &doc); err != nil {
		return c, fault.Newf(fault.Invalid, "not readable as YAML (%s); mend the file", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) == 0 {
		return c, nil
	}
	c.top = doc.Content[0]
	if c.top.Kind == yaml.ScalarNode && c.top.Tag == "!!null" {
		c.top = nil
		return c, nil
	}
	return c, c.readMapping("", c.top)
}

// readMapping reads a mapping whose keys stand below prefix.
func (c Config) readMapping(prefix string, m *yaml.Node) error {
	if m.Kind != yaml.MappingNode {
		return fault.Newf(fault.Invalid, "line %d: want keys with values, such as listen: 127.0.0.1:7780", m.Line)
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		key, value := prefix+m.Content[i].Value, m.Content[i+1]
		line := fmt.Sprintf("line %d", m.Content[i].Line)
		if isSection(key) {
			if value.Tag == "!!null" {
				continue
			}
			if err := c.readMapping(key+".", value); err != nil {
				return err
			}
			continue
		}
		s, ok := FindSetting(key)
		switch _, twice := c.values[key]; {
		case !ok || s.Outside:
			return fault.Newf(fault.Invalid, "%s: there is no setting %q; \"vecctl config show\" lists all", line, key)
		case twice:
			return fault.Newf(fault.Invalid, "%s: %s stands there twice", line, key)
		case value.Kind != yaml.ScalarNode:
			return fault.Newf(fault.Invalid, "%s: %s wants one value", line, key)
		case value.Tag == "!!null":
			continue
		}
		if err := s.Check(value.Value, line); err != nil {
			return err
		}
		c.values[key] = value.Value
	}
	return nil
}

// isSection reports whether settings stand below a key.
func isSection(key string) bool {
	for _, s := range Settings() {
		if strings.HasPrefix(s.Key, key+".") {
			return true
		}
	}
	return false
}

// SetConfig writes one setting into config.yaml; all else in the file stays as it
// is, comments too.
func (d Dir) SetConfig(key, value string) error {
	c, err := d.LoadConfig()
	if err != nil {
		return err
	}
	if c.values[key] == value && c.top != nil {
		return nil
	}
	if c.top == nil {
		c.top = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	}
	c.set(key, value)
	body, err := yaml.Marshal(c.top)
	if err != nil {
		return fmt.Errorf("writing the settings: %w", err)
	}
	return replaceFile(d.Config(), body)
}

func (c Config) set(key, value string) {
	in := c.top
	if section, below, nested := strings.Cut(key, "."); nested {
		in, key = findOrAddEntry(c.top, section), below
		if in.Kind != yaml.MappingNode { // new, or without a value
			*in = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", HeadComment: in.HeadComment, LineComment: in.LineComment}
		}
	}
	findOrAddEntry(in, key).SetString(value)
}

// findOrAddEntry is the value of a key in a mapping; it is added where it is missing.
func findOrAddEntry(m *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return m.Content[i+1]
		}
	}
	var name, value yaml.Node
	name.SetString(key)
	m.Content = append(m.Content, &name, &value)
	return &value
}

// CheckBaseURL refuses what links cannot begin with. The length is bounded so
// that the QR code of a link stays one that a phone can read.
func CheckBaseURL(s string) error {
	const longest = 200
	u, err := url.Parse(s)
	link, noLink := qr.Link(s)
	if err != nil || noLink != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" ||
		u.RawQuery != "" || u.Fragment != "" || u.User != nil || len(link) > longest {
		return fault.Newf(fault.Invalid,
			"%q cannot be a base URL; give one such as https://certificates.example.edu, at most %d characters", s, longest)
	}
	return nil
}
