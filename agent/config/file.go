package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v3"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

// File is the path of a config.yaml. The file need not exist.
type File string

// contents is what the file holds. The zero value is an empty file.
type contents struct {
	top     *yaml.Node        // the file's mapping, with the operator's comments; nil for none
	scalars map[string]scalar // by setting's key
}

// scalar is a value of the file.
type scalar struct {
	text  string
	place string // the line of its key
}

// read reads the file. Unknown keys are an error, since a misspelt one would silently
// not apply.
func (f File) read() (contents, error) {
	body, err := os.ReadFile(string(f))
	switch {
	case f == "", errors.Is(err, fs.ErrNotExist):
		return contents{}, nil
	case errors.Is(err, syscall.ENOTDIR):
		return contents{}, fault.Wrap(fault.Invalid, err, fmt.Sprintf("%s is not a folder; name another home with --home", filepath.Dir(string(f))))
	case err != nil:
		return contents{}, fsutil.DiskError(err, "reading the settings")
	}
	c, err := parse(body)
	return c, f.at(err)
}

// at says that an error is one of the file.
func (f File) at(err error) error { return fault.At("the settings in "+string(f), err) }

func parse(body []byte) (contents, error) {
	c := contents{scalars: map[string]scalar{}}
	var doc yaml.Node
	if err := yaml.Unmarshal(body, &doc); err != nil {
		return c, fault.Newf(fault.Invalid, "not readable as YAML (%s); fix the file", strings.TrimPrefix(err.Error(), "yaml: "))
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
func (c contents) readMapping(prefix string, m *yaml.Node) error {
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
		switch _, twice := c.scalars[key]; {
		case !ok || s.Outside:
			return fault.Newf(fault.Invalid, "%s: there is no setting %q; \"vecctl config show\" lists all", line, key)
		case twice:
			return fault.Newf(fault.Invalid, "%s: %s stands there twice", line, key)
		case value.Kind != yaml.ScalarNode:
			return fault.Newf(fault.Invalid, "%s: %s wants one value", line, key)
		case value.Tag == "!!null":
			continue
		}
		c.scalars[key] = scalar{value.Value, line}
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

// Set writes one setting into the file; all else in it stays as it is, comments too. A value that
// the setting cannot have is refused.
func (f File) Set(key, value string) error {
	var wanted Config
	one, ok := wanted.find(key)
	if !ok || one.Outside {
		return fault.Newf(fault.Invalid, "there is no setting %q in config.yaml; \"vecctl config show\" lists all", key)
	}
	if err := one.set(value, "as given"); err != nil {
		return err
	}
	c, err := f.read()
	if err != nil {
		return err
	}
	var checked Config
	if err := checked.setFrom(f, c); err != nil {
		return err
	}
	if c.scalars[key].text == value && c.top != nil {
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
	return fsutil.ReplaceFile(string(f), body)
}

func (c contents) set(key, value string) {
	in := c.top
	if section, below, nested := strings.Cut(key, "."); nested {
		in, key = findOrAddEntry(c.top, section), below
		if in.Kind != yaml.MappingNode { // new, or without a value
			*in = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", HeadComment: in.HeadComment, LineComment: in.LineComment}
		}
	}
	entry := findOrAddEntry(in, key)
	entry.SetString(value)
	if _, err := strconv.ParseInt(value, 10, 64); err == nil || value == "true" || value == "false" {
		entry.Tag = "" // without quotation marks, as people write it
	}
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
