package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Keep reads a document to its end, looks into it as into those of a manifest, and
// stores it. It is Invalid, with words for a person, when it could not be stamped.
// What nothing names within an hour is swept.
func (u *Uploads) Keep(ctx context.Context, r io.Reader, name string) (vault.File, error) {
	return u.KeepPlaced(ctx, r, name, vault.Placement{})
}

// KeepPlaced is Keep for a document whose code is to go to a place.
func (u *Uploads) KeepPlaced(ctx context.Context, r io.Reader, name string, p vault.Placement) (vault.File, error) {
	d, err := u.Receive(ctx, r, name)
	switch {
	case errors.Is(err, ErrTooLarge):
		return vault.File{}, fault.New(fault.Invalid, "the file is larger than 20 MB")
	case errors.Is(err, ErrWrongType), errors.Is(err, ErrEmpty), errors.As(err, new(*ExtensionError)):
		return vault.File{}, fault.New(fault.Invalid, err.Error())
	case err != nil:
		return vault.File{}, err
	}
	defer d.Discard()
	if err := u.inspectDocument(d, p); err != nil {
		return vault.File{}, err
	}
	return d.File, u.store(ctx, d)
}

// inspectDocument finds out whether a received document can be stamped.
func (u *Uploads) inspectDocument(d *Document, p vault.Placement) error {
	f, err := d.staged.Open()
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := u.inspect(f, d.File.Size); err != nil {
		return err
	}
	return checkCodeFits(f, d.File.Size, p)
}

// Open opens a stored document. The caller closes it.
func (u *Uploads) Open(ctx context.Context, sum string) (io.ReadCloser, error) {
	return u.Blobs.Open(ctx, sum)
}

// RenderTemplate makes a document of an institution's template for a person, and stores it. It also
// returns where the code goes. The values are those of the template's columns; an error
// about them is Invalid.
func (u *Uploads) RenderTemplate(ctx context.Context, user vault.Institution, name, person string, values map[string]string) (vault.File, vault.Placement, error) {
	t, err := NewTemplateLoader(u.Templates, user).Load(name)
	if err != nil {
		return vault.File{}, vault.Placement{}, err
	}
	if err := checkTemplateName(t, values[template.InstitutionColumn]); err != nil {
		return vault.File{}, vault.Placement{}, err
	}
	document, err := t.Render(values)
	if err != nil {
		return vault.File{}, vault.Placement{}, err
	}
	f, err := u.KeepPlaced(ctx, bytes.NewReader(document), DocumentName(person), t.Placement())
	if err != nil {
		return f, t.Placement(), fmt.Errorf("storing a document made of a template: %w", err)
	}
	f.Origin = t.ContentHash(values)
	return f, t.Placement(), nil
}
