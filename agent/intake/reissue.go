package intake

import (
	"bytes"
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// ReissueStore is what a reissue needs of the store.
type ReissueStore interface {
	Reissue(ctx context.Context, institution uint32, name string,
		reissue func(vault.Certificate) (vault.Reissue, error)) (vault.Reissue, error)
}

// Replacement is the document of a corrected certificate.
type Replacement struct {
	Name string
	Body []byte
	// Origin is vault.File's, where a template made it.
	Origin string
}

// Reissue makes a corrected successor of a certificate. A new document is looked
// into as those of a manifest are: one that cannot be stamped changes nothing.
func (u *Uploads) Reissue(ctx context.Context, to ReissueStore, who vault.Institution, name string,
	m vault.Amendment, file *Replacement) (vault.Reissue, error) {
	if m.Email != nil {
		refusal, err := u.ErasedRefusal(who, *m.Email)
		if err == nil && refusal != "" {
			err = fault.InvalidFields([]fault.Field{{Name: "applicant_email", Message: refusal}})
		}
		if err != nil {
			return vault.Reissue{}, err
		}
	}
	if file != nil {
		d, err := u.readReplacement(ctx, *file)
		if err != nil {
			return vault.Reissue{}, err
		}
		defer d.Discard()
		if err := u.store(ctx, d); err != nil {
			return vault.Reissue{}, err
		}
		d.File.Origin = file.Origin
		m.File = &d.File
	}
	var made vault.Reissue
	var old vault.Certificate
	reissue := func() error {
		now := u.Now()
		id, err := vault.NewIdentity(u.Random, now, who.Year(now))
		if err != nil {
			return err
		}
		made, err = to.Reissue(ctx, who.ID, name, func(c vault.Certificate) (vault.Reissue, error) {
			old = c
			return c.Reissue(m, id, now)
		})
		return err
	}
	err := vault.RetryOnCollision(reissue)
	if fault.Is(err, fault.Invalid) && who.SharesAddresses(u.SharedAddresses) && m.Person == "" {
		// The corrected address may be another person's.
		next := []vault.Draft{vault.Draft{Content: m.Apply(old.Content)}.Clean()}
		held, claimErr := u.Claim(ctx, who, next)
		if claimErr == nil && !held[0] && next[0].Person != "" {
			m.Person = next[0].Person
			err = vault.RetryOnCollision(reissue)
		}
	}
	return made, err
}

// readReplacement takes a document that must be fit to be stamped.
func (u *Uploads) readReplacement(ctx context.Context, file Replacement) (*Document, error) {
	if len(file.Body) > vault.MaxFile {
		return nil, fault.Newf(fault.Invalid, "the file has %d bytes; at most 20 MB (%d bytes) are accepted", len(file.Body), vault.MaxFile)
	}
	d, err := u.Receive(ctx, bytes.NewReader(file.Body), file.Name)
	if err != nil {
		if _, known := fault.Message(err); !known {
			return nil, fault.New(fault.Invalid, fmt.Sprintf("file %s: %v", file.Name, err))
		}
		return nil, fault.At("file "+file.Name, err)
	}
	if _, err := u.inspect(bytes.NewReader(file.Body), int64(len(file.Body))); err != nil {
		d.Discard()
		return nil, fault.At("file "+file.Name, err)
	}
	return d, nil
}
