package certificate

import (
	"bytes"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Certificate reads one by its key.
func (t *Txn) Certificate(id []byte) (vault.Certificate, error) {
	var c vault.Certificate
	value := t.Get(certificates, id)
	if value == nil {
		return c, fault.Newf(fault.Damaged, "certificate %x is missing from the database; restore the home from a backup", id)
	}
	err := record.Decode(id, value, &c)
	return c, err
}

// lookup reads the one that an index names, nil where it names none. Indexes
// carry no checksums: that it is the right one is seen by itself.
func (t *Txn) lookup(index, key []byte, right func(vault.Certificate) bool) (*vault.Certificate, error) {
	id := t.Get(index, key)
	if id == nil {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	c, err := t.Certificate(id)
	if err == nil && !right(c) {
		err = record.Misplaced(index, key)
	}
	return &c, err
}

// Holder reads the one that holds a uniqueness key, nil where nobody does.
func (t *Txn) Holder(institution uint32, k vault.Key) (*vault.Certificate, error) {
	return t.lookup(byKey, keyOf(institution, k), func(c vault.Certificate) bool { return c.Key() == k })
}

// Find reads one of an institution by UUID or reference ID. The error of kind NotFound
// is for people.
func (t *Txn) Find(institution uint32, name string) (found vault.Certificate, err error) {
	var c *vault.Certificate
	if vault.IsReference(name) {
		c, err = t.lookup(byReference, []byte(strings.ToUpper(name)),
			func(c vault.Certificate) bool { return strings.EqualFold(c.Reference, name) })
	} else if key := record.UUID(name); key != nil {
		c, err = t.lookup(byUUID, key, func(c vault.Certificate) bool { return strings.EqualFold(c.UUID, name) })
	}
	switch {
	case err != nil:
		return found, err
	case c == nil || c.Institution != institution:
		return found, noCertificate()
	}
	return *c, nil
}

// Shared reads the one that has a share token.
func (t *Txn) Shared(token string) (vault.Certificate, error) {
	if token == "" {
		return vault.Certificate{}, noCertificate()
	}
	return known(t.lookup(byShare, []byte(token), func(c vault.Certificate) bool { return c.ShareToken == token }))
}

// Referred reads the one that has a reference ID, whosever it is.
func (t *Txn) Referred(reference string) (vault.Certificate, error) {
	if !vault.IsReference(reference) {
		return vault.Certificate{}, noCertificate()
	}
	return known(t.lookup(byReference, []byte(strings.ToUpper(reference)),
		func(c vault.Certificate) bool { return strings.EqualFold(c.Reference, reference) }))
}

// Frozen is the first date that was given for a row, "" for none.
func (t *Txn) Frozen(institution uint32, k vault.Key) (vault.Date, error) {
	key := keyOf(institution, k)
	value := t.Get(frozen, key)
	if value == nil {
		return "", nil
	}
	date, err := record.Unseal(key, value)
	return vault.Date(date), err
}

// Tail is the last part of a verified PDF.
func (t *Txn) Tail(id uint64) ([]byte, error) {
	value := t.Get(tails, record.U64(id))
	if value == nil {
		return nil, fault.New(fault.NotFound, "this certificate has no verified PDF")
	}
	body, err := record.Unseal(record.U64(id), value)
	return bytes.Clone(body), err
}

// Needs tells whether a certificate needs a document, by its SHA-256 in hexadecimal.
func (t *Txn) Needs(sum string) bool { return t.Begins(byBlob, []byte(sum)) }

// known is what a lookup gave, or that there is none.
func known(c *vault.Certificate, err error) (vault.Certificate, error) {
	switch {
	case err != nil:
		return vault.Certificate{}, err
	case c == nil:
		return vault.Certificate{}, noCertificate()
	}
	return *c, nil
}

func noCertificate() error { return fault.New(fault.NotFound, "Certificate not found.") }
