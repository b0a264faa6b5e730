package template

import (
	"slices"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// A template that names institutions is for them alone, and makes the same documents as before.
func TestInstitutionsOfATemplate(t *testing.T) {
	t.Parallel()
	files, err := BundledFiles("letter")
	if err != nil {
		t.Fatal(err)
	}
	dir := Dir{Path: t.TempDir()}
	law, arts := vault.Institution{Slug: "law", Name: "School of Law"}, vault.Institution{Slug: "arts", Name: "Arts"}
	add := func(name, setting string) *Template {
		t.Helper()
		own := map[string][]byte{}
		for file, body := range files {
			own[file] = body
		}
		own[File] = append([]byte(setting), own[File]...)
		if err := dir.Add(name, own); err != nil {
			t.Fatal(err)
		}
		made, err := dir.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	open := add("open", "")
	if !open.Serves("law") || !open.Serves("") || open.CheckServes(arts) != nil {
		t.Error("a template that names no institution is refused")
	}
	for name, setting := range map[string]string{"list": "institutions:\n  - law\n  - music\n", "short": "institutions: [law, music]\n", "dashes": "institutions:\n- law\n\n- music\n"} {
		bound := add(name, setting)
		if !slices.Equal(bound.Institutions, []string{"law", "music"}) || !bound.Serves("law") || bound.Serves("arts") || bound.CheckServes(law) != nil {
			t.Errorf("%s: it is for %q", name, bound.Institutions)
		}
		err := bound.CheckServes(arts)
		if message, _ := fault.Message(err); !fault.Is(err, fault.Invalid) || !strings.Contains(message, "is for law, music, not for Arts (arts)") {
			t.Errorf("%s: %v", name, err)
		}
		row := open.SampleRow()
		if open.ContentHash(row) != bound.ContentHash(row) {
			t.Errorf("%s: to name institutions changes the documents", name)
		}
	}
	files[File] = append([]byte("institutions: [ \"School of Law\" ]\n"), files[File]...)
	if err := dir.Add("bad", files); err == nil || !strings.Contains(err.Error(), "no institution's slug") {
		t.Errorf("a name in the place of a slug: %v", err)
	}
	Bind(files, "arts")
	if err := dir.Add("bound", files); err != nil {
		t.Fatal(err)
	}
	if made, err := dir.Load("bound"); err != nil || !slices.Equal(made.Institutions, []string{"arts"}) {
		t.Errorf("bound to %v: %v", made, err)
	}
}
