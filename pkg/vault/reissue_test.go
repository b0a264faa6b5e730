package vault

import (
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// TestReissueKeepsThePlace has a corrected certificate's code where the first had it,
// and refuses a document that would say what it said before.
func TestReissueKeepsThePlace(t *testing.T) {
	at, there := Placement{At: "top-left", SizeMM: 30}, Placement{At: "auto"}
	name := "Anna"
	file := File{SHA256: "n"}
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for what, tt := range map[string]struct {
		origin string
		mend   Amendment
		want   Placement
		says   string
	}{
		"another name":               {"", Amendment{Changes: Changes{Name: &name}}, at, ""},
		"another document":           {"", Amendment{File: &file}, at, ""},
		"another place":              {"", Amendment{Placement: &there}, there, ""},
		"the same place":             {"", Amendment{Placement: &at}, at, "nothing about the certificate is to be corrected"},
		"another name of a template": {"o", Amendment{Changes: Changes{Name: &name}}, at, "have it made anew with --template NAME"},
		"a name and its document":    {"o", Amendment{Changes: Changes{Name: &name}, File: &file}, at, ""},
		"a place of a template":      {"o", Amendment{Placement: &there}, there, ""},
	} {
		c := Certificate{Status: Approved, Content: Content{Title: "D", Name: "Ann", Email: "a@example.com", IssueDate: "2026-06-01"}, Placement: at,
			File: File{SHA256: "f", Origin: tt.origin}, Identity: Identity{UUID: "u", Reference: "VEC-IC-1"}}
		made, err := c.Reissue(tt.mend, Identity{UUID: "v", Reference: "VEC-IC-2"}, now)
		switch {
		case tt.says != "":
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s: %v", what, err)
			}
		case err != nil || made.Next.Placement != tt.want:
			t.Errorf("%s: placed %+v, %v", what, made.Next.Placement, err)
		}
	}
}
