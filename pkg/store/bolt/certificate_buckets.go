package bolt

// The buckets that certificates are kept in; schema.go draws all.
var (
	certificatesBucket            = []byte("certificates")
	tailsBucket                   = []byte("tails")
	updatesBucket                 = []byte("updates")
	certificateByUUIDBucket       = []byte("by_uuid")
	certificateByReferenceBucket  = []byte("by_reference")
	certificateByShareTokenBucket = []byte("by_share")
	certificateByKeyBucket        = []byte("by_key")
	certificateByBlobBucket       = []byte("by_blob")
	certificateByVerifiedBucket   = []byte("by_verified")
	frozenDatesBucket             = []byte("frozen")
)

// checksummedBuckets returns the buckets in which a missing key decides something.
func checksummedBuckets() [][]byte { return [][]byte{certificateByKeyBucket, frozenDatesBucket} }

// ownCertificateBuckets returns the buckets above, for the schema.
func ownCertificateBuckets() certificateBuckets {
	return certificateBuckets{Certificates: certificatesBucket, Checksummed: checksummedBuckets(), Others: [][]byte{tailsBucket, updatesBucket, certificateByUUIDBucket, certificateByReferenceBucket, certificateByShareTokenBucket, certificateByBlobBucket, certificateByVerifiedBucket}}
}
