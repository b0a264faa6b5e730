// Package template makes certificates of rows: a template is a folder with a
// background, fonts, and a file template.yaml that says what goes where.
package template

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/template/typeset"
)

// File is the name of the file that makes a folder a template.
const File = "template.yaml"

const (
	maxSpec       = 256 << 10
	maxBackground = 20 << 20
	maxFont       = 40 << 20
	maxFields     = 200
	perMM         = 72 / 25.4 // points in a millimetre
)

// Template is a checked template, ready to print: its background and its fonts
// are prepared. It is safe for concurrent use.
type Template struct {
	Name     string // for people
	WidthMM  float64
	HeightMM float64
	Columns  []string // that a row must have, in the order of the fields
	Mark     pdf.Mark // where the code goes; the rest of it is empty
	At       string   // its place, as ParsePlace of package pdf takes it

	months []string
	fields []field // those that are the same on no two documents
	sheet  *pdf.Sheet
	sum    []byte    // a hash of all files that make it
	setter sync.Pool // of *typeset.Setter
}

// field is a text with its place.
type field struct {
	words      []word
	box        typeset.Box
	style      typeset.Style
	dateFormat string
}

// Faults is the error of a template that cannot be used: all that is wrong with
// it. Its kind is fault.Invalid.
type Faults []string

// Error lists the faults.
func (f Faults) Error() string {
	if len(f) == 1 {
		return f[0]
	}
	return fmt.Sprintf("%d faults:\n  %s", len(f), strings.Join(f, "\n  "))
}

// Unwrap gives the error its kind.
func (f Faults) Unwrap() error { return fault.New(fault.Invalid, f.Error()) }

// Load reads and checks the template in dir. The error is a Faults that names
// every fault, or says that there is no template.
func Load(dir fs.FS) (*Template, error) {
	file, err := read(dir, File, maxSpec)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Newf(fault.NotFound, "there is no %s in the template's folder", File)
	}
	if err != nil {
		return nil, Faults{fmt.Sprintf("%s %v", File, err)}
	}
	s, wrong := parseSpec(file)
	if len(wrong) > 0 {
		for i := range wrong {
			wrong[i] = File + ", " + wrong[i]
		}
		return nil, Faults(wrong)
	}
	l := loader{dir: dir, spec: s, t: &Template{}, digest: sha256.New()}
	l.digest.Write(file)
	l.all()
	if len(l.faults) > 0 {
		return nil, l.faults
	}
	return l.t, nil
}

// Print makes the document of a row: the values of its columns by their names,
// the date as 2026-05-31. The same row always gives the same bytes.
func (t *Template) Print(values map[string]string) ([]byte, error) {
	texts, err := t.set(t.fields, values)
	if err != nil {
		return nil, err
	}
	return t.sheet.Print(texts)
}

// Shows tells whether a document shows a column.
func (t *Template) Shows(column string) bool {
	return slices.ContainsFunc(t.fields, func(f field) bool {
		return slices.ContainsFunc(f.words, func(w word) bool { return w.column == column })
	})
}

// Origin says what a row's document is made of, but for the date: a hash of the
// template's files and of the values that it shows.
func (t *Template) Origin(values map[string]string) string {
	h := sha256.New()
	h.Write(t.sum)
	used := map[string]string{}
	for _, f := range t.fields {
		for _, w := range f.words {
			if w.column != "" && w.column != IssueDate {
				used[w.column] = strings.TrimSpace(values[w.column])
			}
		}
	}
	for _, column := range slices.Sorted(maps.Keys(used)) {
		fmt.Fprintf(h, "\n%s=%q", column, used[column])
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (t *Template) set(fields []field, values map[string]string) ([]pdf.Text, error) {
	setter, ok := t.setter.Get().(*typeset.Setter)
	if !ok {
		setter = &typeset.Setter{}
	}
	defer t.setter.Put(setter)
	var all []pdf.Text
	for i := range fields {
		f := &fields[i]
		text, err := f.fill(values, t.months)
		if err != nil {
			return nil, err
		}
		texts, err := setter.Set(text, f.style, f.box)
		if err != nil {
			message, _ := fault.Message(err)
			return nil, fault.Newf(fault.Invalid, "%s %s", f.name(), message)
		}
		all = append(all, texts...)
	}
	return all, nil
}

// name is what people call a field: its column.
func (f *field) name() string {
	for _, w := range f.words {
		if w.column != "" {
			return w.column
		}
	}
	return fmt.Sprintf("the text %.30q", f.words[0].text)
}

// fixed tells whether the field is the same on every document.
func (f *field) fixed() bool {
	return !slices.ContainsFunc(f.words, func(w word) bool { return w.column != "" })
}

// read reads a file of the template's folder. The error goes on from its name.
func read(dir fs.FS, name string, most int64) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, unreadable(err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, unreadable(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("is no file")
	case info.Size() > most:
		return nil, fmt.Errorf("has %d KB: at most %d are taken", info.Size()>>10, most>>10)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(f); err != nil {
		return nil, unreadable(err)
	}
	return b.Bytes(), nil
}

func unreadable(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("is not in the template's folder: %w", fs.ErrNotExist)
	}
	return fmt.Errorf("cannot be read: %w", cause(err))
}

// cause is why the system refuses a file, without the file's name.
func cause(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}
