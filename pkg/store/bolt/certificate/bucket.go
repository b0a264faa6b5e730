package certificate

import "github.com/vecctl/vecctl/pkg/store/bolt/schema"

// The buckets that certificates are kept in; package schema draws all.
var (
	certificates = []byte("certificates")
	tails        = []byte("tails")
	byUUID       = []byte("by_uuid")
	byReference  = []byte("by_reference")
	byShare      = []byte("by_share")
	byKey        = []byte("by_key")
	byBlob       = []byte("by_blob")
	frozen       = []byte("frozen")
)

// Proven returns the buckets in which a key that is not there decides something.
func Proven() [][]byte { return [][]byte{byKey, frozen} }

// Own returns the buckets as the schema wants to know them.
func Own() schema.Own {
	return schema.Own{Certificates: certificates, Proven: Proven(), Others: [][]byte{tails, byUUID, byReference, byShare, byBlob}}
}

// DocumentIndex is the bucket whose keys begin with the SHA-256 of the documents that
// certificates need, in hexadecimal.
func DocumentIndex() []byte { return byBlob }
