// Package application keeps applications whose address is not proven yet, and which
// ones of each address wait for a decision. Those that count are certificates.
package application

import (
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The buckets; package schema draws them.
var (
	waiting      = []byte("applications")
	waitingBlobs = []byte("application_blobs")
	openByEmail  = []byte("open_by_email")
)

// Buckets are those that only this package writes to.
func Buckets() [][]byte { return [][]byte{waiting, waitingBlobs, openByEmail} }

// BlobIndex is the bucket whose keys begin with the sums of the blobs that waiting
// applications need.
func BlobIndex() []byte { return waitingBlobs }

// Needs tells whether a waiting application needs a blob.
func Needs(t *tree.Tx, sum string) bool { return t.Begins(waitingBlobs, []byte(sum)) }

// openOf is what the keys of an address's open applications begin with.
func openOf(institution uint32, email string) []byte {
	return record.Join(record.U32(institution), record.Text(vault.FoldEmail(email)))
}

func openKey(c vault.Certificate) []byte {
	return record.Join(openOf(c.Institution, c.Email), record.U64(c.ID))
}

// CheckRoom refuses one more open application of an address that has enough.
func CheckRoom(t *tree.Tx, c vault.Certificate) error {
	if n := len(t.Under(openByEmail, openOf(c.Institution, c.Email))); n >= vault.MaxOpenApplications {
		return fault.Newf(fault.Unavailable, "%d applications of this address wait already; apply again when they are decided", n)
	}
	return nil
}

// Open notes that a certificate is an application that waits for a decision.
func Open(t *tree.Tx, c vault.Certificate) error { return t.Put(openByEmail, openKey(c), nil) }

// Close notes that one waits no longer.
func Close(t *tree.Tx, old vault.Certificate) error { return t.Delete(openByEmail, openKey(old)) }
