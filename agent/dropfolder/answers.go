package dropfolder

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// Answers are what a command is told by flags: they come from the settings, or from
// manifest.yaml beside a manifest. What is not set is left to the manifest.
type Answers struct {
	DateFormat string            `yaml:"date_format"`
	Delimiter  string            `yaml:"delimiter"`
	Encoding   string            `yaml:"encoding"`
	Map        map[string]string `yaml:"map"` // column heading, or several joined by +, to field or -
	Sheet      string            `yaml:"sheet"`
	Hidden     string            `yaml:"hidden"` // "read" or "skip"
	Names      string            `yaml:"names"`  // "check", "warn" or "off"
	Strict     *bool             `yaml:"strict"`
	Template   string            `yaml:"template"`
	Scan       string            `yaml:"scan"` // "first", "all" or "none"
	QRAt       string            `yaml:"qr_at"`
	QRPage     int               `yaml:"qr_page"`
	QRSize     float64           `yaml:"qr_size"`   // millimetres
	QRMargin   float64           `yaml:"qr_margin"` // millimetres
	Cover      *bool             `yaml:"cover"`     // codes may cover what documents show
}

// answerKeys are the keys of manifest.yaml.
func answerKeys() []string {
	return []string{"date_format", "delimiter", "encoding", "map", "sheet", "hidden", "names", "strict", "template", "scan", "qr_at", "qr_page", "qr_size", "qr_margin", "cover"}
}

// ParseAnswers reads a manifest.yaml. A key that is not known is refused: a misspelt one
// would silently not apply.
func ParseAnswers(body []byte) (Answers, error) {
	var a Answers
	var keys map[string]yaml.Node
	if err := yaml.Unmarshal(body, &keys); err != nil {
		return a, fault.Newf(fault.Invalid, "%s: not readable as YAML (%s); write lines such as date_format: DD/MM/YYYY", manifest.AnswersName, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	for key, value := range keys {
		if !slices.Contains(answerKeys(), key) {
			return a, fault.Newf(fault.Invalid, "%s, line %d: %q is not known; the keys are %s", manifest.AnswersName, value.Line, key, strings.Join(answerKeys(), ", "))
		}
	}
	if err := yaml.Unmarshal(body, &a); err != nil {
		return a, fault.Newf(fault.Invalid, "%s: a value has the wrong form (%s)", manifest.AnswersName, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	return a, a.check()
}

// check refuses values that are not known. Those about the table are checked when it is read.
func (a Answers) check() error {
	for _, one := range []struct {
		key, value string
		known      []string
	}{
		{"hidden", a.Hidden, []string{"read", "skip"}},
		{"names", a.Names, []string{"check", "warn", "off"}},
		{"scan", a.Scan, []string{"first", "all", "none"}},
	} {
		if one.value != "" && !slices.Contains(one.known, one.value) {
			return fault.Newf(fault.Invalid, "%s: %s is %q; it must be %s", manifest.AnswersName, one.key, one.value, strings.Join(one.known, " or "))
		}
	}
	if _, err := pdf.ParsePlace(a.QRAt); a.QRAt != "" && err != nil {
		return fault.At(manifest.AnswersName+": qr_at", err)
	}
	if a.QRPage < 0 || a.QRSize < 0 || a.QRMargin < 0 {
		return fault.Newf(fault.Invalid, "%s: qr_page, qr_size and qr_margin must not be negative", manifest.AnswersName)
	}
	return nil
}

// Or fills in what is not set from other answers.
func (a Answers) Or(other Answers) Answers {
	if a.Map == nil {
		a.Map = other.Map
	}
	if a.Strict == nil {
		a.Strict = other.Strict
	}
	if a.Cover == nil {
		a.Cover = other.Cover
	}
	a.DateFormat, a.Delimiter, a.Encoding = cmp.Or(a.DateFormat, other.DateFormat), cmp.Or(a.Delimiter, other.Delimiter), cmp.Or(a.Encoding, other.Encoding)
	a.Sheet, a.Hidden, a.Names = cmp.Or(a.Sheet, other.Sheet), cmp.Or(a.Hidden, other.Hidden), cmp.Or(a.Names, other.Names)
	a.Template, a.Scan = cmp.Or(a.Template, other.Template), cmp.Or(a.Scan, other.Scan)
	a.QRAt, a.QRPage = cmp.Or(a.QRAt, other.QRAt), cmp.Or(a.QRPage, other.QRPage)
	a.QRSize, a.QRMargin = cmp.Or(a.QRSize, other.QRSize), cmp.Or(a.QRMargin, other.QRMargin)
	return a
}

// IsStrict reports whether what is odd refuses its row.
func (a Answers) IsStrict() bool { return a.Strict != nil && *a.Strict }

// MayCover reports whether codes may cover what documents show.
func (a Answers) MayCover() bool { return a.Cover != nil && *a.Cover }

// For returns the answers for a manifest of a name. How a table is stored is not asked of
// rejected rows, which the program has written itself.
func (a Answers) For(name string) Answers {
	if isRejectedName(name) {
		a.Delimiter, a.Encoding, a.Sheet, a.Hidden = "", "", "", ""
	}
	return a
}

// isRejectedName reports whether a file is named as the program names refused rows.
func isRejectedName(name string) bool {
	base := strings.ToLower(path.Base(name))
	return strings.HasPrefix(base, "rejected") && isManifest(base)
}

// Options are the answers as the reading of a manifest takes them.
func (a Answers) Options(name string) manifest.Options {
	return manifest.Options{
		Name: name, DateFormat: a.DateFormat, Delimiter: a.Delimiter, Encoding: a.Encoding, Sheet: a.Sheet, Hidden: a.Hidden,
		Map: a.Map, Templated: a.Template != "", Strict: a.IsStrict(), MaxRows: manifest.LargestMaxRows,
	}
}
