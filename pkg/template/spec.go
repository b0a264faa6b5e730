package template

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// spec is template.yaml. Lengths are in millimetres from the page's top left
// corner, sizes of fonts in points.
type spec struct {
	Name string `yaml:"name"`
	// Institutions are the slugs of those that may use the template; none for all of the home.
	Institutions stringList            `yaml:"institutions"`
	Language     string                `yaml:"language"` // of the document, such as en; {language} stands for a column
	Page         pageSpec              `yaml:"page"`
	Background   string                `yaml:"background"` // a PDF of one page, a JPEG or a PNG
	Fonts        map[string]stringList `yaml:"fonts"`      // files; the first that has a character is taken for it
	Months       []string              `yaml:"months"`     // in place of the English names
	Fields       []fieldSpec           `yaml:"fields"`
	QR           qrSpec                `yaml:"qr"`
}

type pageSpec struct {
	Size        string  `yaml:"size"` // A3, A4, A5, letter, legal
	Orientation string  `yaml:"orientation"`
	Width       float64 `yaml:"width"`
	Height      float64 `yaml:"height"`
}

type fieldSpec struct {
	Text       string  `yaml:"text"` // {full_name} stands for a column; {details?} may be empty
	X          float64 `yaml:"x"`
	Y          float64 `yaml:"y"`
	Width      float64 `yaml:"width"`
	Height     float64 `yaml:"height"`
	Font       string  `yaml:"font"`
	Size       float64 `yaml:"size"`
	MinSize    float64 `yaml:"min_size"` // what a long text may shrink to; 0: 60 % of size
	Lines      int     `yaml:"lines"`    // that it may be wrapped into then; 0: as many as fit
	Fit        string  `yaml:"fit"`      // shrink: what is too long shrinks, then wraps; wrap: the other way round
	Leading    float64 `yaml:"leading"`  // from line to line in parts of the size; 0: 1.3
	Align      string  `yaml:"align"`    // left, center, right
	Valign     string  `yaml:"valign"`   // top, middle, bottom
	Colour     string  `yaml:"colour"`   // #rrggbb
	Color      string  `yaml:"color"`
	Role       string  `yaml:"role"`        // heading, paragraph, or artifact: not read out
	DateFormat string  `yaml:"date_format"` // of {issue_date}: D MMMM YYYY
}

type qrSpec struct {
	Page   int     `yaml:"page"`
	At     string  `yaml:"at"` // a corner, auto, or "X,Y"
	Size   float64 `yaml:"size"`
	Margin float64 `yaml:"margin"`
}

// stringList is a text or a list of them.
type stringList []string

// UnmarshalYAML reads either form.
func (o *stringList) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*o = stringList{n.Value}
		return nil
	}
	var all []string
	if err := n.Decode(&all); err != nil {
		return err
	}
	*o = all
	return nil
}

// parseSpec reads template.yaml; what is wrong with its form is told line by line.
func parseSpec(file []byte) (spec, []string) {
	var s spec
	d := yaml.NewDecoder(bytes.NewReader(file))
	d.KnownFields(true)
	err := d.Decode(&s)
	if wrong, ok := errors.AsType[*yaml.TypeError](err); ok {
		var faults []string
		for _, e := range wrong.Errors {
			faults = append(faults, plainMessage(e))
		}
		return s, faults
	}
	switch {
	case errors.Is(err, io.EOF):
		return s, []string{"it is empty"}
	case err != nil:
		return s, []string{plainMessage(strings.TrimPrefix(err.Error(), "yaml: "))}
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return s, []string{"it has more than one document: remove what follows \"---\""}
	}
	return s, nil
}

// plainMessage says the library's words to somebody who knows nothing of Go.
func plainMessage(s string) string {
	line, what, ok := strings.Cut(s, ": ")
	if !ok {
		return s
	}
	if key, _, found := strings.Cut(strings.TrimPrefix(what, "field "), " not found in type"); found {
		return fmt.Sprintf("%s: there is no setting %q here", line, key)
	}
	if value, kind, found := strings.Cut(strings.TrimPrefix(what, "cannot unmarshal "), " into "); found {
		_, value, _ = strings.Cut(value, " ")
		want := "a list or a group of settings"
		switch {
		case strings.HasPrefix(kind, "float"), strings.HasPrefix(kind, "int"):
			want = "a number"
		case kind == "string":
			want = "a text"
		}
		return fmt.Sprintf("%s: %s stands where %s must stand", line, value, want)
	}
	return s
}

var pageSizes = map[string][2]float64{"a3": {297, 420}, "a4": {210, 297}, "a5": {148, 210}, "letter": {215.9, 279.4}, "legal": {215.9, 355.6}}

// size is the page's size in millimetres; zero when the background decides.
func (p pageSpec) size() (w, h float64, faults []string) {
	if p.Size != "" {
		sheet, ok := pageSizes[strings.ToLower(p.Size)]
		if !ok {
			faults = append(faults, fmt.Sprintf("page.size is %q; it can be A3, A4, A5, letter or legal, or give width and height", p.Size))
		}
		if p.Width != 0 || p.Height != 0 {
			faults = append(faults, "page has both a size and a width or height; keep one of them")
		}
		w, h = sheet[0], sheet[1]
	} else if w, h = p.Width, p.Height; w != 0 || h != 0 {
		if !(w >= 30 && h >= 30 && w <= 2000 && h <= 2000) {
			faults = append(faults, "page.width and page.height must be 30 to 2000 mm")
		}
	}
	switch p.Orientation {
	case "":
	case "portrait", "landscape":
		if (p.Orientation == "landscape") != (w > h) {
			w, h = h, w
		}
	default:
		faults = append(faults, fmt.Sprintf("page.orientation is %q; it can be portrait or landscape", p.Orientation))
	}
	return w, h, faults
}

func parseColour(s string) ([3]uint8, error) {
	var c [3]uint8
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "#"), 16, 24)
	if err != nil || len(s) != 7 || s[0] != '#' {
		return c, fmt.Errorf("colour is %q; write it as \"#1f3a5f\"", s)
	}
	return [3]uint8{uint8(n >> 16), uint8(n >> 8), uint8(n)}, nil
}
