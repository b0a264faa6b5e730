package bolt

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// auditSubject gathers what a call writes, for its entry in the audit trail.
type auditSubject struct {
	institution uint32
	slug        string   // of an institution that the call removes
	objects     []string // in the order of the writes, each once, up to maxObjects
	more        int      // objects beyond those
	batches     []string // of the certificates, each once
	emails      []string // folded, each once, up to two: an entry names one person or none
}

// maxObjects is how many objects an entry names one by one.
const maxObjects = 10

// note records that a call writes an object.
func (s *auditSubject) note(institution uint32, object, email string) {
	if s == nil {
		return
	}
	if s.institution == 0 {
		s.institution = institution
	}
	switch {
	case object == "" || slices.Contains(s.objects, object):
	case len(s.objects) < maxObjects:
		s.objects = append(s.objects, object)
	default:
		s.more++
	}
	if folded := vault.FoldEmail(email); folded != "" && len(s.emails) < 2 && !slices.Contains(s.emails, folded) {
		s.emails = append(s.emails, folded)
	}
}

// noteCertificate records that a call writes a certificate.
func (s *auditSubject) noteCertificate(c vault.Certificate) {
	if s == nil {
		return
	}
	s.note(c.Institution, "certificate "+c.Reference, c.Email)
	if !slices.Contains(s.batches, c.Batch) && len(s.batches) < 2 {
		s.batches = append(s.batches, c.Batch)
	}
}

// noteMail records that a call writes a mail.
func (s *auditSubject) noteMail(m vault.Mail) {
	if s == nil {
		return
	}
	s.note(m.Institution, fmt.Sprintf("mail %d", m.ID), m.To)
}

// object is what was written, as one text.
func (s *auditSubject) object() string {
	// Certificates that were made or changed with their batch are the batch's.
	if len(s.objects) > 1 && len(s.batches) == 1 && s.batches[0] != "" {
		return "batch " + s.batches[0]
	}
	text := strings.Join(s.objects, ", ")
	if s.more > 0 {
		text += fmt.Sprintf(" and %d more", s.more)
	}
	return text
}

// noteInstitution records that a call is about an institution.
func (t *txn) noteInstitution(id uint32) error {
	slug, err := t.slugOf(id)
	if err == nil {
		t.about.note(id, "institution "+slug, "")
	}
	if t.about != nil {
		t.about.slug = slug // it may be gone at the end
	}
	return err
}

// slugOf returns the slug of an institution; "" for one that there is not.
func (t *txn) slugOf(id uint32) (string, error) {
	key := boltfile.U32(id)
	value := t.Get(institutionsBucket, key)
	if value == nil {
		return "", nil
	}
	var i vault.Institution
	err := boltfile.Decode(key, value, &i)
	return i.Slug, err
}

// auditedAction returns an action with what its first call has written.
func (t *txn) auditedAction(p *audit.PendingAction) (audit.Action, error) {
	done, about := p.Action, t.about
	if done.Institution == "" {
		done.Institution = about.slug
	}
	if done.Institution == "" && about.institution != 0 {
		var err error
		if done.Institution, err = t.slugOf(about.institution); err != nil {
			return done, err
		}
	}
	if done.Object == "" {
		done.Object = cmp.Or(about.object(), p.Fallback)
	}
	if done.Person == "" && len(about.emails) == 1 && p.People != nil {
		var err error
		if done.Person, err = p.People.Pseudonym(about.institution, about.emails[0]); err != nil {
			return done, err
		}
	}
	return done, nil
}
