// Package transparency has what a log of issued certificates consists of: leaves, the
// Merkle tree over them, signed checkpoints and inclusion proofs. The formats are those of
// C2SP (tlog-tiles, tlog-checkpoint, tlog-proof), so that other people's programs read them.
// It computes; a store keeps the tree.
package transparency

import "crypto/sha256"

// SaltSize is the length of a leaf's salt in bytes.
const SaltSize = 32

// Salt keeps a leaf from being linked to its document. Once it is erased, the entry says
// nothing.
type Salt [SaltSize]byte

// certificateDomain separates the leaves of certificates from all others.
const certificateDomain = "vecctl/certificate/v1\n"

// CertificateEntry is the log's entry for a signed PDF: 32 bytes that commit to the SHA-256 of
// what its signature covers, under a salt. It holds nothing about a person.
func CertificateEntry(salt Salt, signedBytes [sha256.Size]byte) []byte {
	h := sha256.New()
	h.Write([]byte(certificateDomain))
	h.Write(salt[:])
	h.Write(signedBytes[:])
	return h.Sum(nil)
}
