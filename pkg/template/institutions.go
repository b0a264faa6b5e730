package template

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// institutionsSetting is what template.yaml says of institutions, with the lines that belong to
// it.
var institutionsSetting = regexp.MustCompile(`(?m)^institutions:.*\n?(^(?:[ \t-].*)?\n?)*`)

// withoutInstitutions returns what of template.yaml makes the documents: who may use a template
// changes none.
func withoutInstitutions(file []byte) []byte {
	at := institutionsSetting.FindIndex(file)
	if at == nil {
		return file
	}
	return slices.Concat(file[:at[0]], file[at[1]:])
}

func (l *loader) loadInstitutions() {
	for _, slug := range l.spec.Institutions {
		if !vault.ValidSlug(slug) {
			l.addError("institutions names %q, which is no institution's slug; \"vecctl institution list\" shows them", slug)
		}
	}
	l.t.Institutions = l.spec.Institutions
}

// Serves reports whether an institution of the home, by its slug, may use the template. "" is
// where institutions are not told apart.
func (t *Template) Serves(slug string) bool {
	return slug == "" || len(t.Institutions) == 0 || slices.Contains(t.Institutions, slug)
}

// CheckServes refuses a template that belongs to other institutions.
func (t *Template) CheckServes(institution vault.Institution) error {
	if t.Serves(institution.Slug) {
		return nil
	}
	return fault.Newf(fault.Invalid, "it is for %s, not for %s (%s); choose another one, or add %s to institutions in its %s",
		strings.Join(t.Institutions, ", "), institution.Name, institution.Slug, institution.Slug, File)
}

// Bind adds to the files of a template that it is for one institution.
func Bind(files map[string][]byte, slug string) {
	files[File] = append([]byte(fmt.Sprintf("institutions: [%s]\n", slug)), withoutInstitutions(files[File])...)
}
