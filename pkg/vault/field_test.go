package vault_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// filledContent says something else in each field, and what is valid there.
func filledContent(t *testing.T) vault.Content {
	t.Helper()
	var c vault.Content
	for _, f := range vault.Fields() {
		text := "the " + f.Label
		switch f.Kind {
		case vault.EmailField:
			text = "the." + f.Flag + "@example.org"
		case vault.DateField:
			text = "2026-05-0" + string(rune('1'+f.ID))
		case vault.LineField, vault.LinesField:
		}
		f.Set(&c, text)
		if got := f.Get(c); got != text {
			t.Fatalf("%s is %q, want %q", f.Key, got, text)
		}
	}
	return c
}

// TestFields checks that the table describes each member of the content once, and
// that no two fields have a name in common.
func TestFields(t *testing.T) {
	t.Parallel()
	members := reflect.ValueOf(filledContent(t))
	if members.NumField() != vault.FieldCount {
		t.Errorf("%d members, %d fields", members.NumField(), vault.FieldCount)
	}
	for i := range members.NumField() {
		if members.Field(i).IsZero() {
			t.Errorf("no field is the member %s", members.Type().Field(i).Name)
		}
	}
	var names []string
	for i, f := range vault.Fields() {
		var c vault.Content
		f.Set(&c, "x")
		for n := range members.NumField() {
			member := members.Type().Field(n)
			if in := member.Tag.Get("csv"); !reflect.ValueOf(c).Field(n).IsZero() && in != f.Key {
				t.Errorf("the member %s is %q in manifests, want %q", member.Name, in, f.Key)
			}
		}
		if int(f.ID) != i || f.Label == "" || f.Usage == "" || f.Sample == "" || f.Limit == 0 && f.Kind != vault.DateField {
			t.Errorf("%s, field %d of the table, is %+v", f.Key, i, f)
		}
		if !slices.Contains(f.Headings, strings.ReplaceAll(f.Key, "_", "")) {
			t.Errorf("%s is no heading of itself", f.Key)
		}
		names = append(append(names, "key "+f.Key, "--"+f.Flag, "label "+f.Label), f.Headings...)
	}
	slices.Sort(names)
	if all := len(slices.Compact(slices.Clone(names))); all != len(names) {
		t.Errorf("only %d of %d names are told apart: %q", all, len(names), names)
	}
}

// TestFieldsAreChecked breaks one field after the other.
func TestFieldsAreChecked(t *testing.T) {
	t.Parallel()
	for _, f := range vault.Fields() {
		good := vault.Draft{Content: filledContent(t), File: vault.File{SHA256: strings.Repeat("ab", 32)}}
		if err := good.Clean().Validate(); err != nil {
			t.Fatal(err)
		}
		with := func(text string) error {
			d := good
			f.Set(&d.Content, text)
			return d.Clean().Validate()
		}
		for name, err := range map[string]error{"too long": with(strings.Repeat("x", f.Limit+1)), "a bell": with("a\ab"), "no text": with("\xff")} {
			if !slices.ContainsFunc(fault.FieldsOf(err), func(wrong fault.Field) bool { return wrong.Name == f.Key }) {
				t.Errorf("%s, %s: %v", f.Key, name, err)
			}
		}
		if err := with(""); (err != nil) != (f.Required || f.ID == vault.FieldIssueDate) {
			t.Errorf("%s left out: %v", f.Key, err)
		}
	}
}

// TestFieldsAreErased checks that nothing personal is left of a certificate, in its
// record and for searches.
func TestFieldsAreErased(t *testing.T) {
	t.Parallel()
	c := vault.Certificate{Content: filledContent(t), Status: vault.Approved, Identity: vault.Identity{Reference: "VEC-IC-1"}}
	for _, f := range vault.Fields() {
		if got := strings.Contains(c.SearchText(), vault.Fold(f.Get(c.Content))); got != f.Searchable {
			t.Errorf("%s is searched: %v", f.Key, got)
		}
	}
	erased, _, err := c.Erase(born)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range vault.Fields() {
		if left := f.Get(erased.Content); (left == "") != f.Personal {
			t.Errorf("of %s is left %q", f.Key, left)
		}
	}
	if got := erased.SearchText(); got != "\n\n\nvec-ic-1" {
		t.Errorf("searches look at %q", got)
	}
}

// TestEventsSayLittle checks that what happened to a certificate, which many read, says
// no more of its recipient than the guide's webhooks do.
func TestEventsSayLittle(t *testing.T) {
	t.Parallel()
	d := vault.Draft{Content: filledContent(t)}
	_, fx := vault.Accept(d, 1, vault.Identity{UUID: "u-1"}, born)
	kept, err := json.Marshal(fx.Events)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range vault.Fields() {
		told := f.ID == vault.FieldTitle || f.ID == vault.FieldName || f.ID == vault.FieldEmail
		if bytes.Contains(kept, []byte(f.Get(d.Content))) != told {
			t.Errorf("%s: %s", f.Key, kept)
		}
	}
}

// TestFieldsAreCompared changes one field after the other of what was issued.
func TestFieldsAreCompared(t *testing.T) {
	t.Parallel()
	for _, f := range vault.Fields() {
		c := vault.Certificate{Content: filledContent(t), Status: vault.Approved, File: vault.File{SHA256: strings.Repeat("ab", 32)}}
		d := vault.Draft{Content: c.Content, File: c.File}
		f.Set(&d.Content, "another")
		var want []vault.Difference
		if !f.Unique {
			want = []vault.Difference{{Field: f.Key, Issued: f.Get(c.Content)}}
		} else if c.Key() == d.Key() {
			t.Errorf("%s is not part of the key", f.Key)
		}
		if got := c.Differs(d); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", f.Key, got, want)
		}
		f.Set(&c.Content, "")
		if got := c.Differs(d); (len(got) == 0) != (f.Unique || f.Later) {
			t.Errorf("%s where none was issued: %v", f.Key, got)
		}
		c.Content = filledContent(t)
		if !f.Changeable() {
			continue
		}
		var m vault.Changes
		text := "new." + f.Flag + "@example.org"
		if f.Kind == vault.DateField {
			text = "2028-02-29"
		}
		m.Set(f.ID, text)
		made, err := c.Reissue(vault.Amendment{Changes: m}, vault.Identity{UUID: "u-2"}, born)
		if err != nil || f.Get(made.Next.Content) != text {
			t.Errorf("%s corrected: %q (%v)", f.Key, f.Get(made.Next.Content), err)
		}
	}
}
