package certificate

import (
	"bytes"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Add keeps a new certificate, and gathers the entries that lead to it for Lead.
func (t *Txn) Add(c vault.Certificate) (vault.Certificate, error) {
	id, err := t.Bucket(certificates).NextSequence()
	if err != nil {
		return c, fmt.Errorf("numbering a certificate: %w", err)
	}
	c.ID = id
	if err := t.Save(c); err != nil {
		return c, err
	}
	for _, e := range indexesOf(c) {
		// A successor leaves the key to the certificate that it replaces.
		if bytes.Equal(e.bucket, byKey) && c.Supersedes != "" && t.Get(byKey, e.key) != nil {
			continue
		}
		t.entries = append(t.entries, e)
	}
	t.lists.Add(c)
	t.count(c, 1)
	return c, nil
}

// Taken tells whether somebody has an identity, or a part of it, already. The error
// is about one that is none.
func (t *Txn) Taken(c vault.Identity) (bool, error) {
	uuid := record.UUID(c.UUID)
	if uuid == nil || c.Reference == "" {
		return false, fault.New(fault.Invalid, "a certificate needs a UUID and a reference ID")
	}
	return t.Get(byUUID, uuid) != nil || t.Get(byReference, []byte(c.Reference)) != nil || t.shareTaken(c.ShareToken), nil
}

// MoveStatus follows a certificate into another state.
func (t *Txn) MoveStatus(old, c vault.Certificate) {
	if c.Status == old.Status {
		return
	}
	t.lists.Move(old, c)
	t.count(old, -1)
	t.count(c, 1)
}

// NeedDocument notes that a certificate needs a document, by its SHA-256 in
// hexadecimal.
func (t *Txn) NeedDocument(sum string, c vault.Certificate) error {
	return t.Put(byBlob, record.Join([]byte(sum), record.U64(c.ID)), nil)
}

// ReleaseDocument notes that a certificate does not need a document any more.
func (t *Txn) ReleaseDocument(sum string, c vault.Certificate) error {
	key := record.Join([]byte(sum), record.U64(c.ID))
	if !t.Has(byBlob, key) {
		return nil
	}
	return t.Delete(byBlob, key)
}

// MoveKey follows a certificate whose uniqueness key is another one now, or free.
func (t *Txn) MoveKey(old, c vault.Certificate) error {
	if c.Key() == old.Key() && c.KeepsKey() == old.KeepsKey() {
		return nil
	}
	id := record.U64(c.ID)
	if from := keyOf(old.Institution, old.Key()); bytes.Equal(t.Get(byKey, from), id) {
		if err := t.Delete(byKey, from); err != nil {
			return err
		}
	}
	if !c.KeepsKey() {
		return nil
	}
	return t.Put(byKey, keyOf(c.Institution, c.Key()), id)
}

// PutTail keeps the last part of a verified PDF.
func (t *Txn) PutTail(c vault.Certificate, tail []byte) error {
	id := record.U64(c.ID)
	return t.Put(tails, id, record.Seal(id, tail))
}

// Forget deletes what lies beside a certificate of its recipient and its document,
// and what finds it by them.
func (t *Txn) Forget(c vault.Certificate) error {
	for _, e := range t.personal(c) {
		if err := t.Delete(e.bucket, e.key); err != nil {
			return err
		}
	}
	t.lists.Forget(c, vault.Certificate{Identity: c.Identity}.SearchText())
	return nil
}

// Freeze keeps the first date that is given for a row.
func (t *Txn) Freeze(institution uint32, k vault.Key, date vault.Date) error {
	key := keyOf(institution, k)
	if t.Get(frozen, key) != nil {
		return nil
	}
	return t.Put(frozen, key, record.Seal(key, []byte(date)))
}

// Save writes a certificate as it is now.
func (t *Txn) Save(c vault.Certificate) error {
	t.changed = append(t.changed, c.Reference)
	key := record.U64(c.ID)
	value, err := record.Encode(key, c)
	if err != nil {
		return err
	}
	return t.Put(certificates, key, value)
}

func keyOf(institution uint32, k vault.Key) []byte {
	return record.Join(record.U32(institution), k[:])
}

// indexesOf lists the entries that lead to a new certificate.
func indexesOf(c vault.Certificate) []entry {
	id := record.U64(c.ID)
	all := []entry{
		{byUUID, record.UUID(c.UUID), id},
		{byReference, []byte(c.Reference), id},
		{byKey, keyOf(c.Institution, c.Key()), id},
	}
	for _, sum := range c.Documents() {
		all = append(all, entry{byBlob, record.Join([]byte(sum), id), nil})
	}
	if c.ShareToken != "" {
		all = append(all, entry{byShare, []byte(c.ShareToken), id})
	}
	return all
}

// shareTaken tells whether a certificate has a token already.
func (t *Txn) shareTaken(token string) bool {
	return token != "" && t.Get(byShare, []byte(token)) != nil
}

// MoveShare follows a certificate whose view-and-share page got another address.
func (t *Txn) MoveShare(old, c vault.Certificate) error {
	if c.ShareToken == old.ShareToken {
		return nil
	}
	if t.shareTaken(c.ShareToken) {
		return fault.New(fault.Conflict, "the share token drawn for a certificate is taken; draw another")
	}
	if old.ShareToken != "" {
		if err := t.Delete(byShare, []byte(old.ShareToken)); err != nil {
			return err
		}
	}
	if c.ShareToken == "" {
		return nil
	}
	return t.Put(byShare, []byte(c.ShareToken), record.U64(c.ID))
}

// personal lists the entries that are about a certificate's recipient or its
// document.
func (t *Txn) personal(c vault.Certificate) []entry {
	id := record.U64(c.ID)
	all := []entry{{tails, id, nil}}
	for _, sum := range c.Documents() {
		all = append(all, entry{byBlob, record.Join([]byte(sum), id), nil})
	}
	if key := keyOf(c.Institution, (vault.Draft{Title: c.Title, Email: c.Email, File: c.File}).FreezeKey()); t.Get(frozen, key) != nil {
		all = append(all, entry{frozen, key, nil})
	}
	if key := keyOf(c.Institution, c.Key()); bytes.Equal(t.Get(byKey, key), id) {
		all = append(all, entry{byKey, key, nil})
	}
	return all
}
