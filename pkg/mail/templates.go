package mail

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/template"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

//go:embed templates
var builtinFiles embed.FS

// The templates that there are: NAME.txt, which begins with a line "Subject: ...",
// and NAME.html, the inside of layout.html.
const (
	Issued     = "issued"          // to a recipient without an account
	Assigned   = "assigned"        // to one with an account
	Reissued   = "reissued"        // a corrected certificate
	Revoked    = "revoked"         // a certificate was taken back
	SignIn     = "sign_in"         // the link that proves an address
	Correction = "correction"      // to staff
	Confirm    = "confirm"         // the link that makes an application count
	Received   = "received"        // an application was received
	Rejected   = "rejected"        // an application was rejected
	Digest     = "digest"          // to staff: applications wait for a decision
	Outcome    = "outcome"         // to staff: what became of a dropped manifest
	Expiring   = "expiring"        // a certificate ends soon
	ExpiryList = "expiring_digest" // to staff: certificates that end soon
	KeyEnd     = "key_end"         // to staff: a key or certificate ends
)

// layoutFile stands around the HTML part of every mail.
const layoutFile = "layout.html"

// Names lists the templates.
func Names() []string {
	return []string{Issued, Assigned, Reissued, Revoked, SignIn, Correction, Confirm, Received, Rejected, Digest, Outcome, Expiring, ExpiryList, KeyEnd}
}

// Files lists the files of all templates, by name, as they come with the program.
func Files() (map[string][]byte, error) {
	entries, err := builtinFiles.ReadDir("templates")
	if err != nil {
		return nil, fmt.Errorf("listing the templates: %w", err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		if files[e.Name()], err = builtinFiles.ReadFile("templates/" + e.Name()); err != nil {
			return nil, fmt.Errorf("reading a template: %w", err)
		}
	}
	return files, nil
}

// Templates makes mails. Files in its folders take the place of those that come
// with the program; the first folder that has a file wins, and a changed file
// counts from the next mail on. It is safe for concurrent use.
type Templates struct {
	folders []string
	mu      sync.Mutex
	parsed  map[string]parsedTemplate
}

type parsedTemplate struct {
	text     *template.Template
	html     *htmltemplate.Template
	versions [3]fileVersion // of the files: text, html, layout
}

// fileVersion tells a file from what it was.
type fileVersion struct {
	path string // "" is the program's own
	at   time.Time
	size int64
}

// NewTemplates makes templates that look for replacements in folders, which need
// not exist.
func NewTemplates(folders ...string) *Templates {
	return &Templates{folders: folders, parsed: map[string]parsedTemplate{}}
}

// Rendered is the content of a mail.
type Rendered struct{ Subject, Text, HTML string }

// Render fills a template in. A replaced template that does not work is Invalid.
func (t *Templates) Render(name string, l TemplateData) (Rendered, error) {
	if !slices.Contains(Names(), name) {
		return Rendered{}, fault.Newf(fault.Invalid, "there is no mail %q; there are: %s", name, strings.Join(Names(), ", "))
	}
	p, err := t.find(name)
	if err != nil {
		return Rendered{}, err
	}
	l = l.Clean()
	var text, html bytes.Buffer
	if err := p.text.Execute(&text, l); err != nil {
		return Rendered{}, unusableError(p.versions[0].path, err)
	}
	if err := p.html.Execute(&html, l); err != nil {
		return Rendered{}, unusableError(p.versions[1].path, err)
	}
	first, body, _ := strings.Cut(strings.ReplaceAll(text.String(), "\r\n", "\n"), "\n")
	subject, ok := strings.CutPrefix(first, "Subject:")
	if !ok || OneLine(subject) == "" {
		return Rendered{}, unusableError(p.versions[0].path, errors.New(`its first line must be "Subject: ..."`))
	}
	return Rendered{Subject: strings.Join(strings.Fields(OneLine(subject)), " "), Text: strings.Trim(body, "\n") + "\n", HTML: html.String()}, nil
}

// find parses a template, unless that was done since its files were changed.
func (t *Templates) find(name string) (parsedTemplate, error) {
	files := [3]string{name + ".txt", name + ".html", layoutFile}
	var now [3]fileVersion
	for i, f := range files {
		now[i] = t.version(f)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if p, ok := t.parsed[name]; ok && p.versions == now {
		return p, nil
	}
	p, err := parse(files, now)
	if err == nil {
		t.parsed[name] = p
	}
	return p, err
}

func (t *Templates) version(file string) fileVersion {
	for _, folder := range t.folders {
		path := filepath.Join(folder, file)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return fileVersion{path, info.ModTime(), info.Size()}
		}
	}
	return fileVersion{}
}

func parse(files [3]string, stamps [3]fileVersion) (parsedTemplate, error) {
	var bodies [3]string
	for i, s := range stamps {
		raw, err := read(files[i], s.path)
		if err != nil {
			return parsedTemplate{}, unusableError(s.path, err)
		}
		bodies[i] = string(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")))
	}
	text, err := template.New("text").Parse(bodies[0])
	if err != nil {
		return parsedTemplate{}, unusableError(stamps[0].path, err)
	}
	layout, err := htmltemplate.New("layout").Parse(bodies[2])
	if err != nil {
		return parsedTemplate{}, unusableError(stamps[2].path, err)
	}
	if _, err = layout.New("body").Parse(bodies[1]); err != nil {
		return parsedTemplate{}, unusableError(stamps[1].path, err)
	}
	return parsedTemplate{text: text, html: layout, versions: stamps}, nil
}

// maxTemplate is the size of a template that is read; there is no use for a larger one.
const maxTemplate = 1 << 20

func read(file, path string) ([]byte, error) {
	if path == "" {
		return fs.ReadFile(builtinFiles, "templates/"+file)
	}
	raw, err := os.ReadFile(path)
	if err == nil && len(raw) > maxTemplate {
		err = errors.New("it is larger than 1 MB")
	}
	return raw, err
}

func unusableError(path string, err error) error {
	if path == "" {
		return fmt.Errorf("a template of the program: %w", err)
	}
	return fault.Wrap(fault.Invalid, err, fmt.Sprintf("the mail template %s cannot be used (%v); correct it, and see: vecctl mail preview", path, err))
}
