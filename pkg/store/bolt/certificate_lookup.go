package bolt

import (
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// certificate reads one by its key.
func (t *txn) certificate(id []byte) (vault.Certificate, error) {
	var c vault.Certificate
	value := t.Get(certificatesBucket, id)
	if value == nil {
		return c, fault.Newf(fault.Damaged, "certificate %x is missing from the database; restore the home from a backup", id)
	}
	err := boltfile.Decode(id, value, &c)
	return c, err
}

// lookup reads the certificate that an index names, nil where it names none. Indexes have
// no checksums, so right must recognize the certificate.
func (t *txn) lookup(index, key []byte, right func(vault.Certificate) bool) (*vault.Certificate, error) {
	id := t.Get(index, key)
	if id == nil {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	c, err := t.certificate(id)
	if err == nil && !right(c) {
		err = boltfile.IndexDamaged(index, key)
	}
	return &c, err
}

// keyHolder reads the certificate that holds a uniqueness key, nil where none does.
func (t *txn) keyHolder(institution uint32, k vault.Key) (*vault.Certificate, error) {
	return t.lookup(certificateByKeyBucket, uniquenessKey(institution, k), func(c vault.Certificate) bool { return c.Is(k) })
}

// findCertificate reads one of an institution by UUID or reference ID. The message of
// NotFound is for people.
func (t *txn) findCertificate(institution uint32, name string) (found vault.Certificate, err error) {
	var c *vault.Certificate
	if vault.IsReference(name) {
		c, err = t.lookup(certificateByReferenceBucket, []byte(strings.ToUpper(name)),
			func(c vault.Certificate) bool { return strings.EqualFold(c.Reference, name) })
	} else if key := boltfile.UUID(name); key != nil {
		c, err = t.lookup(certificateByUUIDBucket, key, func(c vault.Certificate) bool { return strings.EqualFold(c.UUID, name) })
	}
	switch {
	case err != nil:
		return found, err
	case c == nil || c.Institution != institution:
		return found, noCertificate()
	}
	return *c, nil
}

// findByShareToken reads the one that has a share token.
func (t *txn) findByShareToken(token string) (vault.Certificate, error) {
	if token == "" {
		return vault.Certificate{}, noCertificate()
	}
	return orNotFound(t.lookup(certificateByShareTokenBucket, []byte(token), func(c vault.Certificate) bool { return c.ShareToken == token }))
}

// findByReference reads the one that has a reference ID, of any institution.
func (t *txn) findByReference(reference string) (vault.Certificate, error) {
	if !vault.IsReference(reference) {
		return vault.Certificate{}, noCertificate()
	}
	return orNotFound(t.lookup(certificateByReferenceBucket, []byte(strings.ToUpper(reference)),
		func(c vault.Certificate) bool { return strings.EqualFold(c.Reference, reference) }))
}

// frozenDate is the first date that was given for a row, "" for none.
func (t *txn) frozenDate(institution uint32, k vault.Key) (vault.Date, error) {
	key := uniquenessKey(institution, k)
	value := t.Get(frozenDatesBucket, key)
	if value == nil {
		return "", nil
	}
	date, err := boltfile.VerifyChecksum(key, value)
	return vault.Date(date), err
}

// tail is the last part of a verified PDF: the signed update and all that was added behind it.
func (t *txn) tail(id uint64) ([]byte, error) {
	value := t.Get(tailsBucket, boltfile.U64(id))
	if value == nil {
		return nil, fault.New(fault.NotFound, "this certificate has no verified PDF")
	}
	body, err := boltfile.VerifyChecksum(boltfile.U64(id), value)
	if err != nil {
		return nil, err
	}
	tail, err := unpackTail(body)
	if err != nil {
		return nil, err
	}
	for _, key := range t.updateKeys(id) {
		if body, err = boltfile.VerifyChecksum(key, t.Get(updatesBucket, key)); err != nil {
			return nil, err
		}
		update, err := unpackTail(body)
		if err != nil {
			return nil, err
		}
		tail = append(tail, update...)
	}
	return tail, nil
}

// hasDocument reports whether a certificate needs a document, by its SHA-256 in hexadecimal.
func (t *txn) hasDocument(sum string) bool {
	return t.HasPrefix(certificateByBlobBucket, []byte(sum))
}

// orNotFound turns a lookup that found nothing into NotFound.
func orNotFound(c *vault.Certificate, err error) (vault.Certificate, error) {
	switch {
	case err != nil:
		return vault.Certificate{}, err
	case c == nil:
		return vault.Certificate{}, noCertificate()
	}
	return *c, nil
}

func noCertificate() error { return fault.New(fault.NotFound, "Certificate not found.") }
