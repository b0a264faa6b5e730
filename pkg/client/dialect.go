package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Vaults speak two dialects: that of the guide and that of VEC.digital's published
// reference. What follows reads both. A shape of neither is an error that shows it.

// learned is what calls taught about a vault.
type learned struct {
	saysGenerated atomic.Bool // the filter's word for a finished certificate is the reference's
}

// shapeError says what is wrong with the shape of an answer, in words for a person.
type shapeError string

func (e shapeError) Error() string { return string(e) }

// unknownShape is the error about an answer that is not understood. It shows how the answer
// begins.
func (c *Client) unknownShape(raw []byte, err error) error {
	const most = 200
	message := fmt.Sprintf("the answer of the vault at %s cannot be read", c.base)
	if shape, ok := errors.AsType[shapeError](err); ok {
		message += ": " + string(shape)
	}
	shown := bytes.Join(bytes.Fields(raw), []byte(" "))
	if len(shown) > most {
		shown = append(bytes.ToValidUTF8(shown[:most], nil), " ..."...)
	}
	if len(shown) == 0 {
		shown = []byte("(nothing)")
	}
	return fault.Wrap(fault.Unavailable, err, message+"; it says: "+string(shown))
}

// AnyID is an ID that servers write as a number or as text.
type AnyID string

// MarshalJSON writes a number as a number.
func (a AnyID) MarshalJSON() ([]byte, error) {
	if _, err := strconv.ParseUint(string(a), 10, 64); err == nil {
		return []byte(a), nil
	}
	return json.Marshal(string(a))
}

// UnmarshalJSON takes both.
func (a *AnyID) UnmarshalJSON(raw []byte) error {
	var text string
	switch {
	case string(raw) == "null":
		return nil
	case json.Unmarshal(raw, &text) == nil:
		*a = AnyID(text)
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(raw, &n); err != nil {
		return shapeError("an id is neither a number nor text")
	}
	*a = AnyID(n.String())
	return nil
}

// anyTime is a moment as servers write it; the zero time is none.
type anyTime struct{ time.Time }

// UnmarshalJSON takes RFC 3339 with and without fractions, SQL's form, and a mere date.
func (a *anyTime) UnmarshalJSON(raw []byte) error {
	var text string
	if string(raw) == "null" {
		return nil
	}
	if err := json.Unmarshal(raw, &text); err != nil {
		return shapeError("a time is not text")
	}
	if text == "" {
		return nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			a.Time = t.UTC()
			return nil
		}
	}
	return shapeError(fmt.Sprintf("%q is no moment", text))
}

func (a anyTime) orNil() *time.Time { return TimeOrNull(a.Time) }

// anyStatus is a status as an object or as a plain word.
type anyStatus Status

// UnmarshalJSON takes both. The reference's "generated" is the guide's "approved".
func (a *anyStatus) UnmarshalJSON(raw []byte) error {
	var s Status
	if json.Unmarshal(raw, &s.Value) != nil {
		if json.Unmarshal(raw, &s) != nil {
			return shapeError("the status is neither a word nor an object")
		}
	}
	s.Value = string(normalStatus(s.Value))
	if known, ok := vault.ParseStatus(s.Value); ok {
		s.Label, s.Description = cmp.Or(s.Label, known.Label()), cmp.Or(s.Description, known.Description())
	}
	*a = anyStatus(s)
	return nil
}

// generated is the reference's word for a finished certificate.
const generated = "generated"

func normalStatus(s string) vault.Status {
	s = strings.ToLower(s)
	if s == generated {
		return vault.Approved
	}
	return vault.Status(s)
}

// anyDate is an issue date, which may come as a moment.
type anyDate string

// UnmarshalJSON takes the date of a moment as it is written.
func (a *anyDate) UnmarshalJSON(raw []byte) error {
	var text string
	if string(raw) == "null" {
		return nil
	}
	if err := json.Unmarshal(raw, &text); err != nil {
		return shapeError("issue_date is not text")
	}
	if len(text) > len(time.DateOnly) && (text[len(time.DateOnly)] == 'T' || text[len(time.DateOnly)] == ' ') {
		text = text[:len(time.DateOnly)]
	}
	if text != "" {
		if _, err := vault.ParseDate(text); err != nil {
			return shapeError(fmt.Sprintf("issue_date %q is not a date", text))
		}
	}
	*a = anyDate(text)
	return nil
}

// isUUID reports whether a name has the form of a UUID.
func isUUID(s string) bool {
	const length = 36
	return len(s) == length && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-'
}

// certificateFields are the fields of Certificate that not every server writes alike. They
// take precedence over those of the embedded one.
type certificateFields struct {
	*plainCertificate

	ID         AnyID     `json:"id"`
	Status     anyStatus `json:"status"`
	IssueDate  anyDate   `json:"issue_date"`
	Name       *string   `json:"name"`  // in the list of all certificates
	Email      *string   `json:"email"` // the same
	CreatedAt  anyTime   `json:"created_at"`
	UpdatedAt  anyTime   `json:"updated_at"`
	ApprovedAt anyTime   `json:"approved_at"`
	Generated  anyTime   `json:"generated_at"`
	AssignedAt anyTime   `json:"assigned_at"`
}

type plainCertificate Certificate

// parseCertificate reads a certificate of either dialect. What is missing stays empty.
func parseCertificate(raw json.RawMessage) (Certificate, error) {
	var c Certificate
	in := certificateFields{plainCertificate: (*plainCertificate)(&c)}
	if err := json.Unmarshal(raw, &in); err != nil {
		return c, err
	}
	if n, err := strconv.ParseUint(string(in.ID), 10, 64); err == nil {
		c.ID = n
	} else if c.UUID == "" {
		c.UUID = string(in.ID)
	}
	if c.UUID == "" {
		return c, shapeError("a certificate has no uuid")
	}
	c.Status, c.IssueDate = Status(in.Status), string(in.IssueDate)
	if c.Content.Name == "" && in.Name != nil {
		c.Content.Name = *in.Name
	}
	if c.Content.Email == "" && in.Email != nil {
		c.Content.Email = *in.Email
	}
	c.CreatedAt, c.UpdatedAt = in.CreatedAt.Time, in.UpdatedAt.Time
	if c.ApprovedAt = in.ApprovedAt.orNil(); c.ApprovedAt == nil {
		c.ApprovedAt = in.Generated.orNil()
	}
	c.GeneratedAt, c.AssignedAt = c.ApprovedAt, in.AssignedAt.orNil()
	if c.Documents == nil {
		c.Documents = []DocumentPath{}
	}
	return c, nil
}

// object is what an answer with one object says: under data, or bare.
func object(raw []byte) (json.RawMessage, error) {
	var body map[string]json.RawMessage
	if err := json.Unmarshal(raw, &body); err != nil {
		return nil, err
	}
	if data, ok := body["data"]; ok {
		return data, nil
	}
	return raw, nil
}

// certificate makes a call that answers with one certificate.
func (c *Client) certificate(ctx context.Context, method, path string) (Certificate, error) {
	var raw json.RawMessage
	if err := c.Call(ctx, method, path, nil, &raw); err != nil {
		return Certificate{}, err
	}
	return c.readCertificate(raw)
}

func (c *Client) readCertificate(raw []byte) (Certificate, error) {
	return parseOne(c, raw, parseCertificate)
}

// pageBody is a page in any of the shapes that lists come in: Laravel's two, with the place
// in the list under meta or beside the data, or with neither.
type pageBody struct {
	Data  []json.RawMessage `json:"data"`
	Links json.RawMessage   `json:"links"`
	Meta  *Meta             `json:"meta"`
	flatMeta
	Next *string `json:"next_page_url"`
}

// flatMeta has the fields of Meta where they stand beside the data.
type flatMeta struct {
	CurrentPage int    `json:"current_page"`
	From        *int   `json:"from"`
	LastPage    int    `json:"last_page"`
	Path        string `json:"path"`
	PerPage     int    `json:"per_page"`
	To          *int   `json:"to"`
	Total       *int   `json:"total"`
}

// parsePage reads a page; parse reads one entry.
func parsePage[T any](raw []byte, parse func(json.RawMessage) (T, error)) (Page[T], error) {
	page := Page[T]{Data: []T{}}
	var body pageBody
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
		if err := json.Unmarshal(raw, &body.Data); err != nil {
			return page, err
		}
	} else if err := json.Unmarshal(raw, &body); err != nil {
		return page, err
	}
	if body.Data == nil {
		return page, shapeError("it is no list")
	}
	for i, one := range body.Data {
		entry, err := parse(one)
		if err != nil {
			return page, fmt.Errorf("entry %d: %w", i, err)
		}
		page.Data = append(page.Data, entry)
	}
	if len(body.Links) > 0 && body.Links[0] == '{' {
		if err := json.Unmarshal(body.Links, &page.Links); err != nil {
			return page, shapeError("its links cannot be read")
		}
	}
	switch {
	case body.Meta != nil:
		page.Meta = *body.Meta
	case body.CurrentPage > 0:
		m := body.flatMeta
		page.Meta = Meta{CurrentPage: m.CurrentPage, From: m.From, LastPage: m.LastPage, Path: m.Path, PerPage: m.PerPage, To: m.To}
		if m.Total != nil {
			page.Meta.Total = *m.Total
		}
		page.Links.Next = cmp.Or(page.Links.Next, body.Next)
	default:
		page.Meta = Meta{CurrentPage: 1, LastPage: 1, PerPage: len(page.Data), Total: len(page.Data)}
	}
	return page, nil
}

// readPage makes a call that answers with a page of a list.
func readPage[T any](ctx context.Context, c *Client, path string, q url.Values, parse func(json.RawMessage) (T, error)) (Page[T], error) {
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	var raw json.RawMessage
	if err := c.Call(ctx, http.MethodGet, path, nil, &raw); err != nil {
		return Page[T]{}, err
	}
	page, err := parsePage(raw, parse)
	if err != nil {
		return page, c.unknownShape(raw, err)
	}
	if page.Meta.CurrentPage == 0 {
		page.Meta.CurrentPage = 1
		if n, err := strconv.Atoi(q.Get("page")); err == nil {
			page.Meta.CurrentPage = n
		}
	}
	return page, nil
}

// HasNext reports whether there is a page behind this one.
func (p Page[T]) HasNext() bool {
	if p.Links.Next != nil && *p.Links.Next != "" {
		return true
	}
	return p.Meta.CurrentPage < p.Meta.LastPage
}

// batchFields are the fields of a batch in both dialects.
type batchFields struct {
	*plainBatch

	ID             AnyID   `json:"id"`
	BatchID        AnyID   `json:"batch_id"`
	Total          *int    `json:"total"`
	Approved       *int    `json:"approved"`
	Failed         *int    `json:"failed"`
	CreatedAt      anyTime `json:"created_at"`
	UpdatedAt      anyTime `json:"updated_at"`
	CompletionDate anyTime `json:"completion_date"`
}

type plainBatch Batch

// parseBatch reads a batch of either dialect.
func parseBatch(raw json.RawMessage) (Batch, error) {
	var b Batch
	in := batchFields{plainBatch: (*plainBatch)(&b)}
	if err := json.Unmarshal(raw, &in); err != nil {
		return b, err
	}
	b.ID = string(in.ID)
	if b.BatchID = string(cmp.Or(in.BatchID, in.ID)); b.BatchID == "" {
		return b, shapeError("a batch has no ID")
	}
	if b.Status == "" {
		return b, shapeError("a batch has no status")
	}
	if total := cmp.Or(in.Total, b.TotalCertificates); total != nil {
		b.Total = *total
	}
	if in.Approved != nil {
		b.Approved = *in.Approved
	}
	if failed := cmp.Or(in.Failed, b.FailedCertificates); failed != nil {
		b.Failed = *failed
	}
	b.uncounted = in.Approved == nil
	b.CreatedAt, b.UpdatedAt, b.CompletionDate = in.CreatedAt.Time, in.UpdatedAt.orNil(), in.CompletionDate.orNil()
	return b, nil
}

// findByReference finds the certificate with a reference ID by search, for servers that know
// certificates by their UUIDs alone. Missing is the error where there is none.
func (c *Client) findByReference(ctx context.Context, reference string, missing error) (Certificate, error) {
	page, err := c.List(ctx, Filter{Search: reference, PerPage: maxPerPage})
	if err != nil {
		return Certificate{}, err
	}
	for _, one := range page.Data {
		if strings.EqualFold(one.ReferenceID, reference) {
			return one, nil
		}
	}
	return Certificate{}, missing
}

// maxPerPage is the largest page that every server gives.
const maxPerPage = 100

// byReference makes a call about a certificate. A server that does not know a name that is
// no UUID is asked for the UUID first.
func (c *Client) byReference(ctx context.Context, name string, call func(name string) error) error {
	err := call(name)
	if !fault.Is(err, fault.NotFound) || isUUID(name) {
		return err
	}
	found, findErr := c.findByReference(ctx, name, err)
	if findErr != nil {
		if fault.Is(findErr, fault.Forbidden) {
			return err // the token may not search
		}
		return findErr
	}
	return call(found.UUID)
}

// refusesStatus reports whether a server does not know the status word of a filter.
func refusesStatus(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Status == http.StatusUnprocessableEntity
}

// errorTexts reads the errors of a refusal: an object of arrays or of texts, an array of
// texts, or one text. Those of an entry, "Entry 0: ...", have the name "entries.0".
func errorTexts(raw json.RawMessage) map[string][]string {
	var named map[string]json.RawMessage
	all := map[string][]string{}
	if json.Unmarshal(raw, &named) == nil {
		for name, value := range named {
			if said := texts(value); len(said) > 0 {
				all[name] = said
			}
		}
	} else {
		for _, text := range texts(raw) {
			for _, one := range splitEntries(text) {
				name := entryName(one)
				all[name] = append(all[name], one)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// texts reads an array of texts or one text.
func texts(raw json.RawMessage) (all []string) {
	var list []any
	var text string
	switch {
	case json.Unmarshal(raw, &list) == nil:
		for _, one := range list {
			if s, ok := one.(string); ok {
				all = append(all, s)
			} else if one != nil {
				encoded, _ := json.Marshal(one)
				all = append(all, string(encoded))
			}
		}
	case json.Unmarshal(raw, &text) == nil && text != "":
		all = []string{text}
	}
	return all
}

const entryWord = "entry "

// splitEntries splits a text that speaks of several entries.
func splitEntries(text string) (all []string) {
	for {
		next := strings.Index(strings.ToLower(text[min(1, len(text)):]), " "+entryWord)
		if next < 0 || entryName(text[next+2:]) == unnamedError {
			return append(all, strings.TrimSpace(text))
		}
		all, text = append(all, strings.TrimSpace(text[:next+2])), text[next+2:]
	}
}

// unnamedError is the name of what a server says about nothing in particular.
const unnamedError = "errors"

// entryName is the field that "Entry 3: ..." speaks of.
func entryName(text string) string {
	rest, ok := strings.CutPrefix(strings.ToLower(text), entryWord)
	if !ok {
		return unnamedError
	}
	digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	if digits == "" {
		return unnamedError
	}
	return "entries." + digits
}
