package bolt

import (
	"bytes"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// addCertificate keeps a new certificate, and gathers its index entries for flushEntries.
func (t *txn) addCertificate(c vault.Certificate) (vault.Certificate, error) {
	id, err := t.Bucket(certificatesBucket).NextSequence()
	if err != nil {
		return c, fmt.Errorf("numbering a certificate: %w", err)
	}
	c.ID = id
	t.about.noteCertificate(c)
	if err := t.putCertificate(c); err != nil {
		return c, err
	}
	for _, e := range indexEntries(c) {
		// A successor leaves the key to the certificate that it replaces.
		if bytes.Equal(e.bucket, certificateByKeyBucket) && c.Supersedes != "" && t.Get(certificateByKeyBucket, e.key) != nil {
			continue
		}
		t.entries = append(t.entries, e)
	}
	t.addAliases(c)
	t.indexDelta.Add(c)
	t.count(c, 1)
	return c, nil
}

// addAliases gathers entries under further keys of a certificate, as far as they are free.
func (t *txn) addAliases(c vault.Certificate) {
	if c.Person == "" {
		return
	}
	if t.personKeys == nil {
		t.personKeys = map[keyOwner]bool{}
	}
	t.personKeys[keyOwner{c.Institution, c.Key()}] = true
	for _, k := range c.KeyAliases() {
		owner, key := keyOwner{c.Institution, k}, uniquenessKey(c.Institution, k)
		if t.personKeys[owner] || t.Get(certificateByKeyBucket, key) != nil {
			continue
		}
		t.personKeys[owner] = true
		t.entries = append(t.entries, bucketEntry{certificateByKeyBucket, key, boltfile.U64(c.ID)})
	}
}

// identityTaken reports whether a certificate has an identity, or a part of it, already. An
// identity that is incomplete is Invalid.
func (t *txn) identityTaken(c vault.Identity) (bool, error) {
	uuid := boltfile.UUID(c.UUID)
	if uuid == nil || c.Reference == "" {
		return false, fault.New(fault.Invalid, "a certificate needs a UUID and a reference ID")
	}
	return t.Get(certificateByUUIDBucket, uuid) != nil || t.Get(certificateByReferenceBucket, []byte(c.Reference)) != nil || t.shareTokenTaken(c.ShareToken), nil
}

// moveStatus updates index and counts for a certificate that changed its state.
func (t *txn) moveStatus(old, c vault.Certificate) {
	if c.Status == old.Status {
		return
	}
	t.indexDelta.Move(old, c)
	t.count(old, -1)
	t.count(c, 1)
}

// addDocumentRef records that a certificate needs a document, by its SHA-256 in
// hexadecimal.
func (t *txn) addDocumentRef(sum string, c vault.Certificate) error {
	return t.Put(certificateByBlobBucket, boltfile.JoinKey([]byte(sum), boltfile.U64(c.ID)), nil)
}

// deleteDocumentRef records that a certificate no longer needs a document.
func (t *txn) deleteDocumentRef(sum string, c vault.Certificate) error {
	key := boltfile.JoinKey([]byte(sum), boltfile.U64(c.ID))
	if !t.Has(certificateByBlobBucket, key) {
		return nil
	}
	return t.Delete(certificateByBlobBucket, key)
}

// moveKey updates the index for a certificate whose uniqueness key changed or was freed.
func (t *txn) moveKey(old, c vault.Certificate) error {
	if c.Key() == old.Key() && c.HoldsKey() == old.HoldsKey() {
		return nil
	}
	id := boltfile.U64(c.ID)
	if from := uniquenessKey(old.Institution, old.Key()); bytes.Equal(t.Get(certificateByKeyBucket, from), id) {
		if err := t.Delete(certificateByKeyBucket, from); err != nil {
			return err
		}
	}
	if !c.HoldsKey() {
		return nil
	}
	return t.Put(certificateByKeyBucket, uniquenessKey(c.Institution, c.Key()), id)
}

// putTail keeps the last part of a verified PDF.
func (t *txn) putTail(c vault.Certificate, tail []byte) error {
	id := boltfile.U64(c.ID)
	return t.Put(tailsBucket, id, boltfile.AddChecksum(id, packTail(tail)))
}

// addUpdate keeps what is added behind all that a verified PDF has.
func (t *txn) addUpdate(c vault.Certificate, update []byte) error {
	key := boltfile.JoinKey(boltfile.U64(c.ID), boltfile.U32(uint32(len(t.updateKeys(c.ID)))))
	return t.Put(updatesBucket, key, boltfile.AddChecksum(key, packTail(update)))
}

// updateKeys are the keys of a certificate's updates, in order.
func (t *txn) updateKeys(id uint64) (keys [][]byte) {
	prefix := boltfile.U64(id)
	c := t.Cursor(updatesBucket)
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	return keys
}

// eraseEntries deletes the entries about a certificate's recipient and its document, and
// those that find it by them.
func (t *txn) eraseEntries(c vault.Certificate) error {
	for _, e := range t.personalEntries(c) {
		if err := t.Delete(e.bucket, e.key); err != nil {
			return err
		}
	}
	t.indexDelta.Erase(c, vault.Certificate{Identity: c.Identity}.SearchText())
	return nil
}

// freezeDate keeps the first date that is given for a row.
func (t *txn) freezeDate(institution uint32, k vault.Key, date vault.Date) error {
	key := uniquenessKey(institution, k)
	if t.Get(frozenDatesBucket, key) != nil {
		return nil
	}
	return t.Put(frozenDatesBucket, key, boltfile.AddChecksum(key, []byte(date)))
}

// putCertificate writes a certificate as it is now.
func (t *txn) putCertificate(c vault.Certificate) error {
	t.changed = append(t.changed, c.Reference)
	key := boltfile.U64(c.ID)
	value, err := boltfile.Encode(key, c)
	if err != nil {
		return err
	}
	return t.Put(certificatesBucket, key, value)
}

func uniquenessKey(institution uint32, k vault.Key) []byte {
	return boltfile.JoinKey(boltfile.U32(institution), k[:])
}

// indexEntries lists the index entries of a new certificate.
func indexEntries(c vault.Certificate) []bucketEntry {
	id := boltfile.U64(c.ID)
	all := []bucketEntry{
		{certificateByUUIDBucket, boltfile.UUID(c.UUID), id},
		{certificateByReferenceBucket, []byte(c.Reference), id},
		{certificateByKeyBucket, uniquenessKey(c.Institution, c.Key()), id},
	}
	for _, sum := range c.Documents() {
		all = append(all, bucketEntry{certificateByBlobBucket, boltfile.JoinKey([]byte(sum), id), nil})
	}
	if c.ShareToken != "" {
		all = append(all, bucketEntry{certificateByShareTokenBucket, []byte(c.ShareToken), id})
	}
	return all
}

// shareTokenTaken reports whether a certificate has a token already.
func (t *txn) shareTokenTaken(token string) bool {
	return token != "" && t.Get(certificateByShareTokenBucket, []byte(token)) != nil
}

// moveShareToken updates the index for a certificate whose view-and-share page got another
// address.
func (t *txn) moveShareToken(old, c vault.Certificate) error {
	if c.ShareToken == old.ShareToken {
		return nil
	}
	if t.shareTokenTaken(c.ShareToken) {
		return fault.New(fault.Conflict, "the share token drawn for a certificate is taken; draw another")
	}
	if old.ShareToken != "" {
		if err := t.Delete(certificateByShareTokenBucket, []byte(old.ShareToken)); err != nil {
			return err
		}
	}
	if c.ShareToken == "" {
		return nil
	}
	return t.Put(certificateByShareTokenBucket, []byte(c.ShareToken), boltfile.U64(c.ID))
}

// personalEntries lists the entries that are about a certificate's recipient or its
// document.
func (t *txn) personalEntries(c vault.Certificate) []bucketEntry {
	id := boltfile.U64(c.ID)
	all := []bucketEntry{{tailsBucket, id, nil}}
	for _, key := range t.updateKeys(c.ID) {
		all = append(all, bucketEntry{updatesBucket, key, nil})
	}
	for _, sum := range c.Documents() {
		all = append(all, bucketEntry{certificateByBlobBucket, boltfile.JoinKey([]byte(sum), id), nil})
	}
	if key := uniquenessKey(c.Institution, (vault.Draft{Content: vault.Content{Title: c.Title, Email: c.Email}, File: c.File}).FreezeKey()); t.Get(frozenDatesBucket, key) != nil {
		all = append(all, bucketEntry{frozenDatesBucket, key, nil})
	}
	for _, k := range append(c.KeyAliases(), c.Key()) {
		if key := uniquenessKey(c.Institution, k); bytes.Equal(t.Get(certificateByKeyBucket, key), id) {
			all = append(all, bucketEntry{certificateByKeyBucket, key, nil})
		}
	}
	return all
}
