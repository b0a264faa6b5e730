package bolt

import (
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The buckets; schema.go draws all.
var (
	unconfirmedBucket      = []byte("applications")
	unconfirmedBlobsBucket = []byte("application_blobs")
	openApplicationsBucket = []byte("open_by_email")
)

// applicationBuckets returns the buckets above, for the schema.
func applicationBuckets() [][]byte {
	return [][]byte{unconfirmedBucket, unconfirmedBlobsBucket, openApplicationsBucket}
}

// unconfirmedNeedsBlob reports whether a waiting application needs a blob.
func (t *txn) unconfirmedNeedsBlob(sum string) bool {
	return t.HasPrefix(unconfirmedBlobsBucket, []byte(sum))
}

// openApplicationPrefix is what the keys of an address's open applications begin with.
func openApplicationPrefix(institution uint32, email string) []byte {
	return boltfile.JoinKey(boltfile.U32(institution), boltfile.TerminatedText(vault.FoldEmail(email)))
}

func openApplicationKey(c vault.Certificate) []byte {
	return boltfile.JoinKey(openApplicationPrefix(c.Institution, c.Email), boltfile.U64(c.ID))
}

// checkOpenApplications refuses one more open application of an address that has enough.
func (t *txn) checkOpenApplications(c vault.Certificate) error {
	if n := len(t.IDsWithPrefix(openApplicationsBucket, openApplicationPrefix(c.Institution, c.Email))); n >= vault.MaxOpenApplications {
		return fault.Newf(fault.Unavailable, "%d applications from this address are still open; apply again when they are decided", n)
	}
	return nil
}

// addOpenApplication indexes a certificate as an application that waits for a decision.
func (t *txn) addOpenApplication(c vault.Certificate) error {
	return t.Put(openApplicationsBucket, openApplicationKey(c), nil)
}

// deleteOpenApplication removes one that waits no longer from the index.
func (t *txn) deleteOpenApplication(old vault.Certificate) error {
	return t.Delete(openApplicationsBucket, openApplicationKey(old))
}
