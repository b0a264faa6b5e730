package vault

import (
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Content is what a certificate says of its recipient and of what is certified. Fields
// describes it: a new field is a member here, a case of at, and an entry there. Records
// have it under the names of JSON, manifests under those of the table.
type Content struct {
	Title     string `json:"title" csv:"certificate_title"`
	Name      string `json:"name" csv:"full_name"`
	Email     string `json:"email" csv:"applicant_email"`
	Details   string `json:"details,omitempty" csv:"details"`
	IssueDate Date   `json:"issue_date,omitempty" csv:"issue_date"`
	// ExternalID is who the recipient is in a system of the institution's own: a
	// student or employee number.
	ExternalID string `json:"external_id,omitempty" csv:"external_id"`
	// ExpiryDate is the last day on which the certificate is valid; "" for one that does not end.
	ExpiryDate Date `json:"expiry_date,omitempty" csv:"expiry_date"`
}

// at returns where a content holds a field.
func (c *Content) at(f FieldID) *string {
	switch f {
	case FieldTitle:
		return &c.Title
	case FieldName:
		return &c.Name
	case FieldEmail:
		return &c.Email
	case FieldIssueDate:
		return (*string)(&c.IssueDate)
	case FieldDetails:
		return &c.Details
	case FieldExternalID:
		return &c.ExternalID
	case FieldExpiryDate:
		return (*string)(&c.ExpiryDate)
	}
	panic(fmt.Sprintf("vault: there is no field %d", f))
}

// Changes are the texts that a correction replaces; nil leaves one as it was. A
// correction keeps the issue date.
type Changes struct {
	Name       *string `json:"full_name,omitempty"`
	Email      *string `json:"applicant_email,omitempty"`
	Title      *string `json:"certificate_title,omitempty"`
	Details    *string `json:"details,omitempty"`
	ExternalID *string `json:"external_id,omitempty"`
	ExpiryDate *string `json:"expiry_date,omitempty"`
}

// at returns where changes hold a field; nil for one that cannot be changed.
func (m *Changes) at(f FieldID) **string {
	switch f {
	case FieldTitle:
		return &m.Title
	case FieldName:
		return &m.Name
	case FieldEmail:
		return &m.Email
	case FieldDetails:
		return &m.Details
	case FieldExternalID:
		return &m.ExternalID
	case FieldExpiryDate:
		return &m.ExpiryDate
	case FieldIssueDate:
	}
	return nil
}

// Set has a text replaced.
func (m *Changes) Set(f FieldID, text string) { *m.at(f) = &text }

// Apply returns a content with the changes made.
func (m Changes) Apply(c Content) Content {
	for i := range fields {
		if text := m.at(FieldID(i)); text != nil && *text != nil {
			*c.at(FieldID(i)) = **text
		}
	}
	return c
}

// Values returns the texts by the keys of their fields, as templates ask for them.
func (c Content) Values() map[string]string {
	values := make(map[string]string, FieldCount)
	for i := range fields {
		values[fields[i].Key] = fields[i].Get(c)
	}
	return values
}

// LaterTexts returns the texts of the later fields, as LaterKeys has them.
func (c Content) LaterTexts() (texts []string) {
	for i := range fields {
		if fields[i].Later {
			texts = append(texts, fields[i].Get(c))
		}
	}
	return texts
}

// cleaned returns the content with its texts in the form in which they are kept. A
// date has one form only.
func (c Content) cleaned() Content {
	for i := range fields {
		if text := c.at(FieldID(i)); fields[i].Kind != DateField {
			*text = Clean(*text)
		}
	}
	return c
}

// erased returns the content without personal data.
func (c Content) erased() Content {
	for i := range fields {
		if fields[i].Personal {
			*c.at(FieldID(i)) = ""
		}
	}
	return c
}

// PublicOnly returns the content without what not everyone sees.
func (c Content) PublicOnly() Content {
	for i := range fields {
		if !fields[i].Public {
			*c.at(FieldID(i)) = ""
		}
	}
	return c
}

// textProblems returns what is wrong with the texts of a clean content; the fields are
// named as in the guide's request.
func (c Content) textProblems() (bad []fault.Field) {
	for i := range fields {
		f := &fields[i]
		if f.Kind == DateField {
			continue
		}
		if msg := f.problem(f.Get(c)); msg != "" {
			bad = append(bad, fault.Field{Name: f.Key, Message: msg})
		}
	}
	if c.Email != "" && !ValidEmail(c.Email) {
		bad = append(bad, fault.Field{Name: fields[FieldEmail].Key,
			Message: "The applicant email field must be a valid email address."})
	}
	return bad
}

// differs reports whether another content says otherwise in a field that is not part
// of the uniqueness key.
func (f *Field) differs(issued, given Content) bool {
	old := f.Get(issued)
	return !f.Unique && old != f.Get(given) && (old != "" || !f.Later)
}

// printedDiffers reports whether a document that was made for one content would say
// otherwise for another.
func (c Content) printedDiffers(other Content) bool {
	for i := range fields {
		if fields[i].Printed && fields[i].Get(c) != fields[i].Get(other) {
			return true
		}
	}
	return false
}
