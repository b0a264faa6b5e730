package vault

import (
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Amendment is what a corrected certificate says otherwise; nil stays as it was.
type Amendment struct {
	Changes
	File      *File
	Placement *Placement // of the code
	// IssueDate, where set, makes the successor a renewal: it begins on that day.
	IssueDate Date
	// Person is that of the successor (Draft.Person), where its recipient has to be told
	// apart from another one of the same address.
	Person string
}

// Reissue is a certificate and the corrected one that takes its place.
type Reissue struct {
	Old        Certificate
	OldEffects Effects
	Next       Certificate
	Effects    Effects
}

// Reissue makes a corrected successor, which enters processing; the certificate
// itself is marked as replaced. Both follow from one act, so they are kept
// together.
func (c Certificate) Reissue(m Amendment, id Identity, now time.Time) (Reissue, error) {
	if c.ErasedAt != nil {
		return Reissue{}, fault.Newf(fault.Illegal, "the data of certificate %s were erased; issue a new one", c.Reference)
	}
	old, oldEffects, err := c.Supersede(id.UUID, now)
	if err != nil {
		return Reissue{}, err
	}
	d := Draft{Content: m.Apply(c.Content), File: c.File, Trigger: ByAdmin, ScanBack: c.ScanBack, Placement: c.Placement}
	if m.Placement != nil {
		d.Placement = *m.Placement
	}
	if m.File != nil {
		d.File = *m.File
	}
	if m.IssueDate != "" {
		if m.ExpiryDate == nil || *m.ExpiryDate == "" {
			return Reissue{}, fault.New(fault.Invalid, "a renewed certificate needs a new end; give its expiry date or its term")
		}
		d.IssueDate = m.IssueDate
	}
	d = d.Clean()
	d.ResolveTerm()
	switch {
	case m.Person != "":
		d.Person = m.Person
	case c.Person != "" && d.Email == c.Email && d.Title == c.Title:
		d.Person = PersonOf(d.Content)
	}
	if err := d.Validate(); err != nil {
		return Reissue{}, err
	}
	if m.File == nil && c.File.Origin != "" && c.printedDiffers(d.Content) {
		return Reissue{}, fault.Newf(fault.Invalid, "the document of certificate %s was made of a template and would say what it said before; have it made anew with --template NAME, or give the corrected one with --file", c.Reference)
	}
	if m.File == nil && d.Content == c.Content && d.Placement == c.Placement {
		return Reissue{}, fault.New(fault.Invalid, "nothing about the certificate is to be corrected; say what, or give its new file")
	}
	next, effects := Accept(d, c.Institution, id, now)
	next.Supersedes = c.UUID
	return Reissue{Old: old, OldEffects: oldEffects, Next: next, Effects: effects}, nil
}
