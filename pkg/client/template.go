package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Template is a certificate template. Lengths are in millimetres.
type Template struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Orientation string   `json:"orientation,omitzero"` // "portrait" or "landscape"; "" where the server does not say
	WidthMM     float64  `json:"width_mm,omitzero"`
	HeightMM    float64  `json:"height_mm,omitzero"`
	Fields      []string `json:"fields"` // columns that a row must have; nil where the server does not say

	// The reference's fields.
	Screenshot             *string    `json:"screenshot,omitempty"` // address of a picture
	HasSignatures          bool       `json:"has_signatures"`
	HasDefaultSignatories  bool       `json:"has_default_signatories"`
	RequiresSignatureSetup bool       `json:"requires_signature_setup"`
	SignatoryFields        []string   `json:"signatory_fields"`
	CreatedAt              *time.Time `json:"created_at,omitempty"`
	UpdatedAt              *time.Time `json:"updated_at,omitempty"`

	// Raw is everything that the server says of it.
	Raw map[string]any `json:"-"`
}

type plainTemplate Template

// parseTemplate reads a template of either dialect.
func parseTemplate(raw json.RawMessage) (Template, error) {
	var t Template
	in := struct {
		*plainTemplate

		ID        AnyID   `json:"id"`
		CreatedAt anyTime `json:"created_at"`
		UpdatedAt anyTime `json:"updated_at"`
	}{plainTemplate: (*plainTemplate)(&t)}
	if json.Unmarshal(raw, &t.Raw) != nil || t.Raw == nil {
		return t, shapeError("an entry is not an object")
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return t, err
	}
	if t.ID = string(in.ID); t.ID == "" {
		return t, shapeError("a template has no id")
	}
	t.CreatedAt, t.UpdatedAt = in.CreatedAt.orNil(), in.UpdatedAt.orNil()
	return t, nil
}

// Templates lists the institution's certificate templates.
func (c *Client) Templates(ctx context.Context) ([]Template, error) {
	all := []Template{}
	for n := 1; ; n++ {
		q := url.Values{}
		if n > 1 {
			q.Set("page", strconv.Itoa(n))
		}
		page, err := readPage(ctx, c, "/business/certificate-templates", q, parseTemplate)
		if err != nil {
			return nil, err
		}
		if all = append(all, page.Data...); !page.HasNext() || len(page.Data) == 0 {
			return all, nil
		}
	}
}

// Template returns a template. A server that has no call for one is asked for all.
func (c *Client) Template(ctx context.Context, id string) (Template, error) {
	one, err := readOne(ctx, c, "/business/certificate-templates/"+url.PathEscape(id), parseTemplate)
	if !fault.Is(err, fault.NotFound) {
		return one, err
	}
	all, listErr := c.Templates(ctx)
	for _, t := range all {
		if t.ID == id {
			return t, nil
		}
	}
	if listErr != nil {
		return one, listErr
	}
	return one, err
}

// readOne makes a call that answers with one object.
func readOne[T any](ctx context.Context, c *Client, path string, parse func(json.RawMessage) (T, error)) (one T, err error) {
	var raw json.RawMessage
	if err := c.Call(ctx, http.MethodGet, path, nil, &raw); err != nil {
		return one, err
	}
	return parseOne(c, raw, parse)
}

// parseOne reads an answer with one object.
func parseOne[T any](c *Client, raw json.RawMessage, parse func(json.RawMessage) (T, error)) (one T, err error) {
	data, err := object(raw)
	if err == nil {
		one, err = parse(data)
	}
	if err != nil {
		return one, c.unknownShape(raw, err)
	}
	return one, nil
}
