package template

import (
	"bytes"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"maps"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/pdf/kind"
	"github.com/vecctl/vecctl/pkg/template/typeset"
)

// loader checks a template and gathers what is wrong with it.
type loader struct {
	spec
	dir    fs.FS
	t      *Template
	fonts  map[string][]*typeset.Font
	files  map[string]*typeset.Font
	digest hash.Hash // of the files
	faults Faults
}

func (l *loader) wrong(format string, args ...any) {
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

func (l *loader) all() {
	if l.t.Name = strings.TrimSpace(l.spec.Name); l.t.Name == "" || len([]rune(l.t.Name)) > 100 {
		l.wrong("name is missing, or has more than 100 characters: it is what people call the template")
	}
	if l.t.months = months; len(l.spec.Months) > 0 {
		if l.t.months = l.spec.Months; len(l.t.months) != 12 {
			l.wrong("months has %d names; it must have 12", len(l.t.months))
		}
	}
	l.loadFonts()
	background := l.loadBackground()
	l.mark()
	l.loadFields()
	if len(l.faults) > 0 {
		return
	}
	l.prepare(background)
}

func (l *loader) loadFonts() {
	l.fonts, l.files = map[string][]*typeset.Font{}, map[string]*typeset.Font{}
	if len(l.spec.Fonts) == 0 {
		l.wrong("fonts is missing: name at least one TrueType file")
	}
	for _, name := range slices.Sorted(maps.Keys(l.spec.Fonts)) {
		if len(l.spec.Fonts[name]) == 0 {
			l.wrong("font %s names no file", name)
		}
		for _, file := range l.spec.Fonts[name] {
			if f := l.loadFont(file); f != nil {
				l.fonts[name] = append(l.fonts[name], f)
			}
		}
	}
}

func (l *loader) loadFont(file string) *typeset.Font {
	if f, ok := l.files[file]; ok {
		return f
	}
	l.files[file] = nil
	b, ok := l.open("font", file, maxFont)
	if !ok {
		return nil
	}
	f, err := typeset.ParseFont(file, b)
	if err != nil {
		l.wrong("the font %s cannot be used: %v", file, err)
		return nil
	}
	l.files[file] = f
	return f
}

// open reads a file that the template names.
func (l *loader) open(what, name string, most int64) ([]byte, bool) {
	if !fs.ValidPath(path.Clean(name)) {
		l.wrong("the %s %q lies outside the template's folder: copy it there", what, name)
		return nil, false
	}
	b, err := read(l.dir, path.Clean(name), most)
	if err != nil {
		l.wrong("the %s %s %v", what, name, err)
		return nil, false
	}
	l.digest.Write(b)
	return b, true
}

// loadBackground returns a PDF of one page; nil when something is wrong.
func (l *loader) loadBackground() []byte {
	w, h, faults := l.Page.size()
	l.faults = append(l.faults, faults...)
	if len(faults) > 0 {
		return nil
	}
	var file []byte
	if l.Background != "" {
		var ok bool
		if file, ok = l.open("background", l.Background, maxBackground); !ok {
			return nil
		}
	}
	if len(file) > 0 {
		info, err := pdf.Inspect(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			l.wrong("the background %s cannot be used: %v", l.Background, message(err))
			return nil
		}
		if info.Format == kind.PDF {
			return l.sized(file, info, w, h)
		}
		if w == 0 {
			w, h = info.WidthMM, info.HeightMM
		}
	} else if l.Background != "" {
		l.wrong("the background %s is empty", l.Background)
		return nil
	}
	if w == 0 {
		l.wrong("page is missing: name a size such as A4, or a background")
		return nil
	}
	var page bytes.Buffer
	if err := pdf.NewPage(&page, w, h, file); err != nil {
		l.wrong("the background %s cannot be used: %v", l.Background, message(err))
		return nil
	}
	l.t.WidthMM, l.t.HeightMM = w, h
	return page.Bytes()
}

func (l *loader) sized(file []byte, info pdf.Info, w, h float64) []byte {
	if w != 0 && (math.Abs(w-info.WidthMM) > 1 || math.Abs(h-info.HeightMM) > 1) {
		l.wrong("the background %s is %.0f x %.0f mm, and page says %.0f x %.0f: leave page out, or mend it",
			l.Background, info.WidthMM, info.HeightMM, w, h)
	}
	l.t.WidthMM, l.t.HeightMM = info.WidthMM, info.HeightMM
	return file
}

// message is an error's words for a person.
func message(err error) string {
	if m, ok := fault.Message(err); ok {
		return m
	}
	return err.Error()
}

// prepare prints what is the same on all documents, once.
func (l *loader) prepare(background []byte) {
	sheet, err := pdf.NewSheet(background)
	if err != nil {
		l.wrong("the background %s cannot be used: %v", l.Background, message(err))
		return
	}
	var fixed, others []field
	for _, f := range l.t.fields {
		if f.fixed() {
			fixed = append(fixed, f)
		} else {
			others = append(others, f)
		}
	}
	if len(fixed) > 0 {
		texts, err := l.t.set(fixed, nil)
		if err != nil {
			l.wrong("%s", message(err))
			return
		}
		page, err := sheet.Print(texts)
		if err == nil {
			sheet, err = pdf.NewSheet(page)
		}
		if err != nil {
			l.wrong("the page cannot be printed on: %v", message(err))
			return
		}
	}
	l.t.fields, l.t.sheet = others, sheet
	l.t.sum = l.digest.Sum(nil)
	l.tryMark()
}

// tryMark finds out whether the code has room on the page.
func (l *loader) tryMark() {
	b := l.t.sheet.Bytes()
	if err := pdf.TryMark(bytes.NewReader(b), int64(len(b)), l.t.Mark); err != nil {
		if r, ok := errors.AsType[*pdf.Refusal](err); ok {
			l.wrong("qr: %s", r.Message)
			return
		}
		l.wrong("qr: %v", message(err))
	}
}
