// Package template makes certificates of rows: a template is a folder with a
// background, fonts, and a file template.yaml that says what goes where.
package template

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"

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
	pointsPerMM   = 72 / 25.4 // points in a millimetre
)

// Template is a checked template, ready to print: its background and its fonts
// are prepared. It is safe for concurrent use.
type Template struct {
	Name     string // for people
	WidthMM  float64
	HeightMM float64
	Columns  []string  // that a row must have, in the order of the fields
	Stamp    pdf.Stamp // where the code goes; the rest of it is empty
	Place    string    // its place, as ParsePlace of package pdf takes it
	// Institutions are the slugs of those that may use it; none for all of the home.
	Institutions []string

	months     []string
	language   *field // nil: the template does not say
	around     surroundings
	fields     []field // those that are the same on no two documents
	background *pdf.Background
	sum        []byte    // a hash of all files that make it
	layouters  sync.Pool // of *typeset.Layouter
}

// field is a text with its place.
type field struct {
	segments    []segment
	box         typeset.Box
	style       typeset.Style
	dateFormat  string
	role        pdf.Role
	order       int  // its place among the fields
	besideFrame bool // nothing of the background's frame lies within its box
}

// Errors is the error of a template that cannot be used: all that is wrong with
// it. Its kind is fault.Invalid.
type Errors []string

// Error lists the faults.
func (f Errors) Error() string {
	if len(f) == 1 {
		return f[0]
	}
	return fmt.Sprintf("%d faults:\n  %s", len(f), strings.Join(f, "\n  "))
}

// Unwrap gives the error its kind.
func (f Errors) Unwrap() error { return fault.New(fault.Invalid, f.Error()) }

// Load reads and checks the template in dir. The error is an Errors that names
// every fault, or says that there is no template.
func Load(dir fs.FS) (*Template, error) {
	file, err := readFile(dir, File, maxSpec)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Newf(fault.NotFound, "there is no %s in the template's folder", File)
	}
	if err != nil {
		return nil, Errors{fmt.Sprintf("%s %v", File, err)}
	}
	s, wrong := parseSpec(file)
	if len(wrong) > 0 {
		for i := range wrong {
			wrong[i] = File + ", " + wrong[i]
		}
		return nil, Errors(wrong)
	}
	l := loader{dir: dir, spec: s, t: &Template{}, digest: sha256.New()}
	l.digest.Write(withoutInstitutions(file))
	l.load()
	if len(l.errs) > 0 {
		return nil, l.errs
	}
	return l.t, nil
}

// Columns of a row that a document is called after.
const (
	titleColumn = "certificate_title"
	nameColumn  = "full_name"
)

// Render makes the document of a row: the values of its columns by their names,
// the date as 2026-05-31. The same row always gives the same bytes.
func (t *Template) Render(values map[string]string) ([]byte, error) {
	return t.render(values, false)
}

// RenderApart is Render for a document whose code goes to another place than the template's.
func (t *Template) RenderApart(values map[string]string) ([]byte, error) {
	return t.render(values, true)
}

func (t *Template) render(values map[string]string, apart bool) ([]byte, error) {
	blocks, err := t.layout(t.fields, values)
	if err != nil {
		return nil, err
	}
	if err := t.checkOverlaps(blocks, apart); err != nil {
		return nil, err
	}
	label, err := t.label(values)
	if err != nil {
		return nil, err
	}
	return t.background.Render(label, blocks)
}

// label is what the document of a row says of itself.
func (t *Template) label(values map[string]string) (pdf.Label, error) {
	l := pdf.Label{Title: cmp.Or(strings.TrimSpace(values[titleColumn]), t.Name)}
	if name := strings.TrimSpace(values[nameColumn]); name != "" {
		l.Title += " - " + name
	}
	if t.language == nil {
		return l, nil
	}
	text, err := t.language.fill(values, t.months)
	if err != nil {
		return l, err
	}
	l.Language = text
	return l, checkLanguage(text)
}

// checkLanguage refuses what is no language tag.
func checkLanguage(tag string) error {
	if _, err := language.Parse(tag); err != nil {
		return fault.Newf(fault.Invalid, "the language %.40q is not known; write it as en, de-CH or pt-BR", tag)
	}
	return nil
}

// Lost are the standards that documents of the template do not say they keep, each with the
// reason.
func (t *Template) Lost() []string {
	lost := t.background.Lost()
	if t.language == nil {
		lost = append(slices.Clone(lost), "PDF/UA: the template does not say its language; add a line such as \"language: en\"")
	}
	return lost
}

// HasColumn reports whether a document shows a column.
func (t *Template) HasColumn(column string) bool {
	return slices.ContainsFunc(t.fields, func(f field) bool {
		return slices.ContainsFunc(f.segments, func(w segment) bool { return w.column == column })
	})
}

// ContentHash says what a row's document is made of, but for the date: a hash of the
// template's files and of the values that it shows.
func (t *Template) ContentHash(values map[string]string) string {
	h := sha256.New()
	h.Write(t.sum)
	used := map[string]string{}
	for _, column := range []string{titleColumn, nameColumn} {
		if value := strings.TrimSpace(values[column]); value != "" {
			used[column] = value
		}
	}
	fields := t.fields
	if t.language != nil {
		fields = append(slices.Clone(fields), *t.language)
	}
	for _, f := range fields {
		for _, w := range f.segments {
			if w.column != "" && w.column != IssueDateColumn {
				used[w.column] = strings.TrimSpace(values[w.column])
			}
		}
	}
	for _, column := range slices.Sorted(maps.Keys(used)) {
		fmt.Fprintf(h, "\n%s=%q", column, used[column])
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (t *Template) layout(fields []field, values map[string]string) ([]pdf.Block, error) {
	setter, ok := t.layouters.Get().(*typeset.Layouter)
	if !ok {
		setter = &typeset.Layouter{}
	}
	defer t.layouters.Put(setter)
	var all []pdf.Block
	for i := range fields {
		f := &fields[i]
		text, err := f.fill(values, t.months)
		if err != nil {
			return nil, err
		}
		texts, err := setter.Layout(text, f.style, f.box)
		if err != nil {
			message, _ := fault.Message(err)
			return nil, fault.Newf(fault.Invalid, "%s %s", f.name(), message)
		}
		all = append(all, pdf.Block{Texts: texts, Role: f.role, Order: f.order})
	}
	return all, nil
}

// name is what people call a field: its column.
func (f *field) name() string {
	for _, w := range f.segments {
		if w.column != "" {
			return w.column
		}
	}
	return fmt.Sprintf("the text %.30q", f.segments[0].text)
}

// isStatic reports whether the field is the same on every document.
func (f *field) isStatic() bool {
	return !slices.ContainsFunc(f.segments, func(w segment) bool { return w.column != "" })
}

// readFile reads a file of the template's folder. The error goes on from its name.
func readFile(dir fs.FS, name string, most int64) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, unreadableError(err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, unreadableError(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("is no file")
	case info.Size() > most:
		return nil, fmt.Errorf("has %d KB: at most %d are taken", info.Size()>>10, most>>10)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(f); err != nil {
		return nil, unreadableError(err)
	}
	return b.Bytes(), nil
}

func unreadableError(err error) error {
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
