package intake

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
)

// setRenderer finds the row's template: its own, or that of the whole manifest. It also
// says where the code of a document goes that the row brings.
func (c *RowResult) setRenderer(o CheckRequest) {
	c.Draft.Placement = o.Placement.Or(o.DefaultPlacement)
	name := cmp.Or(c.Row.Template, o.Template)
	if name == "" || len(c.Problems) > 0 {
		return
	}
	t, err := o.Templates.Load(name)
	if err != nil {
		message, ok := fault.Message(err)
		if !ok {
			message = err.Error()
		}
		c.refuse("row %d, template %s: %s", c.Row.Number, name, message)
		return
	}
	c.Draft.Placement = o.Placement.Or(t.Placement())
	if c.Row.File != "" {
		return
	}
	if c.Draft.Placement != t.Placement() {
		t = t.Apart()
	}
	c.Renderer, c.values = t, o.Manifest.Values(c.Row)
	c.values[template.InstitutionColumn] = o.Institution.Name
	c.Draft.File.Origin = t.ContentHash(c.values)
}

// checkInstitutionNamed refuses documents that would show the name of an institution that has
// none yet.
func checkInstitutionNamed(o CheckRequest, all []*RowResult) error {
	for _, c := range all {
		if c.Renderer == nil {
			continue
		}
		if err := checkTemplateName(c.Renderer, o.Institution.Name); err != nil {
			return fault.At(fmt.Sprintf("row %d", c.Row.Number), err)
		}
	}
	return nil
}

// checkTemplateName refuses a template that would show a name which is none.
func checkTemplateName(t *Renderer, institution string) error {
	if institution != "" && institution != vault.PlaceholderName || !t.HasColumn(template.InstitutionColumn) {
		return nil
	}
	return fault.New(fault.Invalid, "the template shows who issues, and the home's institution has no name yet; give it one with: vecctl init --institution NAME")
}

// Document makes a templated row's document.
func (c *RowResult) Document() ([]byte, error) {
	c.values["issue_date"] = string(c.Draft.IssueDate)
	if c.Draft.ExpiryDate != "" {
		c.values["expiry_date"] = string(c.Draft.ExpiryDate)
	}
	return c.Renderer.Render(c.values)
}

// findTemplatedDates gives templated rows without a date the one that an earlier run
// put in for them, before it is printed.
func (in *Intake) findTemplatedDates(ctx context.Context, o CheckRequest, all []*RowResult) error {
	var templated []*RowResult
	for _, c := range all {
		if c.Renderer != nil {
			templated = append(templated, c)
		}
	}
	return in.findUndated(ctx, o, templated)
}

// renderDocument makes a row's document and, where it is to be issued, stages it.
func (in *Intake) renderDocument(ctx context.Context, o CheckRequest, c *RowResult) error {
	document, err := c.Document()
	if err == nil {
		err = in.stageRendered(ctx, o, c, document)
	}
	if err == nil || !fault.Is(err, fault.Invalid) {
		return err
	}
	message, _ := fault.Message(err)
	c.refuse("row %d: %s", c.Row.Number, message)
	return nil
}

func (in *Intake) stageRendered(ctx context.Context, o CheckRequest, c *RowResult, document []byte) error {
	found, err := in.inspectAt(o, c, bytes.NewReader(document), int64(len(document)))
	if err != nil {
		return err
	}
	staged, err := in.stage(ctx, o, c, bytes.NewReader(document))
	if err != nil {
		return err
	}
	c.staged = staged
	c.Draft.File = vault.File{
		Name: DocumentName(c.Draft.Name), Format: string(found.Format), Size: staged.Size,
		SHA256: staged.SHA256, HashState: staged.HashState, Origin: c.Draft.File.Origin,
	}
	return c.Draft.Validate()
}

// DocumentName calls a document after its person, as a file's name that every
// system takes.
func DocumentName(person string) string {
	name := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) {
			return r
		}
		return '-'
	}, person)
	for strings.Contains(name, "--") {
		name = strings.ReplaceAll(name, "--", "-")
	}
	runes := []rune(strings.Trim(name, "-"))
	return cmp.Or(string(runes[:min(len(runes), 60)]), "certificate") + ".pdf"
}
