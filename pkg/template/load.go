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
	errs   Errors
}

func (l *loader) addError(format string, args ...any) {
	l.errs = append(l.errs, fmt.Sprintf(format, args...))
}

func (l *loader) load() {
	if l.t.Name = strings.TrimSpace(l.spec.Name); l.t.Name == "" || len([]rune(l.t.Name)) > 100 {
		l.addError("name is missing, or has more than 100 characters: it is what people call the template")
	}
	if l.t.months = months; len(l.spec.Months) > 0 {
		if l.t.months = l.spec.Months; len(l.t.months) != 12 {
			l.addError("months has %d names; it must have 12", len(l.t.months))
		}
	}
	l.loadInstitutions()
	l.loadFonts()
	background := l.loadBackground()
	l.loadStamp()
	l.loadFields()
	l.loadLanguage()
	if len(l.errs) > 0 {
		return
	}
	l.prepare(background)
}

func (l *loader) loadFonts() {
	l.fonts, l.files = map[string][]*typeset.Font{}, map[string]*typeset.Font{}
	if len(l.spec.Fonts) == 0 {
		l.addError("fonts is missing: name at least one TrueType file")
	}
	for _, name := range slices.Sorted(maps.Keys(l.spec.Fonts)) {
		if len(l.spec.Fonts[name]) == 0 {
			l.addError("font %s names no file", name)
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
		l.addError("the font %s cannot be used: %v", file, err)
		return nil
	}
	l.files[file] = f
	return f
}

// open reads a file that the template names.
func (l *loader) open(what, name string, most int64) ([]byte, bool) {
	if !fs.ValidPath(path.Clean(name)) {
		l.addError("the %s %q lies outside the template's folder: copy it there", what, name)
		return nil, false
	}
	b, err := readFile(l.dir, path.Clean(name), most)
	if err != nil {
		l.addError("the %s %s %v", what, name, err)
		return nil, false
	}
	l.digest.Write(b)
	return b, true
}

// loadBackground returns a PDF of one page; nil when something is wrong.
func (l *loader) loadBackground() []byte {
	w, h, faults := l.Page.size()
	l.errs = append(l.errs, faults...)
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
			l.addError("the background %s cannot be used: %v", l.Background, errorMessage(err))
			return nil
		}
		if info.Format == pdf.FormatPDF {
			return l.resizeBackground(file, info, w, h)
		}
		if w == 0 {
			w, h = info.WidthMM, info.HeightMM
		}
	} else if l.Background != "" {
		l.addError("the background %s is empty", l.Background)
		return nil
	}
	if w == 0 {
		l.addError("page is missing: name a size such as A4, or a background")
		return nil
	}
	var page bytes.Buffer
	if err := pdf.WritePage(&page, w, h, file); err != nil {
		l.addError("the background %s cannot be used: %v", l.Background, errorMessage(err))
		return nil
	}
	l.t.WidthMM, l.t.HeightMM = w, h
	return page.Bytes()
}

func (l *loader) resizeBackground(file []byte, info pdf.Info, w, h float64) []byte {
	if w != 0 && (math.Abs(w-info.WidthMM) > 1 || math.Abs(h-info.HeightMM) > 1) {
		l.addError("the background %s is %.0f x %.0f mm, and page says %.0f x %.0f: leave page out, or correct it",
			l.Background, info.WidthMM, info.HeightMM, w, h)
	}
	l.t.WidthMM, l.t.HeightMM = info.WidthMM, info.HeightMM
	return file
}

// errorMessage is an error's words for a person.
func errorMessage(err error) string {
	if m, ok := fault.Message(err); ok {
		return m
	}
	return err.Error()
}

// prepare prints what is the same on all documents, once.
func (l *loader) prepare(background []byte) {
	sheet, err := pdf.NewBackground(background)
	if err != nil {
		l.addError("the background %s cannot be used: %v", l.Background, errorMessage(err))
		return
	}
	var fixed, others []field
	for _, f := range l.t.fields {
		if f.isStatic() {
			fixed = append(fixed, f)
		} else {
			others = append(others, f)
		}
	}
	blocks, err := l.t.layout(fixed, nil)
	if err != nil {
		l.addError("%s", errorMessage(err))
		return
	}
	if err := l.lookAround(sheet, fixed, blocks); err != nil {
		l.addError("the background %s cannot be used: %v", l.Background, errorMessage(err))
		return
	}
	for i := range others {
		others[i].besideFrame = others[i].isBeside(l.t.around.frame)
	}
	if sheet, err = sheet.Fix(blocks); err != nil {
		l.addError("the page cannot be printed on: %v", errorMessage(err))
		return
	}
	l.t.fields, l.t.background = others, sheet
	l.t.sum = l.digest.Sum(nil)
	l.checkStamp()
}

// checkStamp finds out whether the code has room on the page.
func (l *loader) checkStamp() {
	b := l.t.background.Bytes()
	if err := pdf.CheckStamp(bytes.NewReader(b), int64(len(b)), l.t.Stamp); err != nil {
		if r, ok := errors.AsType[*pdf.Rejection](err); ok {
			l.addError("qr: %s", r.Message)
			return
		}
		l.addError("qr: %v", errorMessage(err))
	}
}
