package openbadge

import (
	"crypto/ed25519"
	"crypto/sha256"
	"maps"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Names of the Data Integrity proof that this package makes.
const (
	proofType   = "DataIntegrityProof"
	cryptosuite = "eddsa-rdfc-2022"
	assertion   = "assertionMethod"
)

// Signer signs credentials as one issuer. It is safe for concurrent use.
type Signer struct {
	issuer string // DID
	key    SigningKey
	canonicaliser
}

// NewSigner returns a signer for an issuer's DID.
func NewSigner(issuer string, key SigningKey) *Signer { return &Signer{issuer: issuer, key: key} }

// Issuer is the DID of the issuer.
func (s *Signer) Issuer() string { return s.issuer }

// KeyID is the ID of the key that it signs with.
func (s *Signer) KeyID() string { return s.key.ID }

// method is the DID URL of the key.
func (s *Signer) method() string { return s.issuer + "#" + s.key.ID }

// Sign returns a credential with a proof of the cryptosuite eddsa-rdfc-2022.
func (s *Signer) Sign(credential map[string]any, now time.Time) (map[string]any, error) {
	proof := map[string]any{
		"type": proofType, "cryptosuite": cryptosuite, "created": now.UTC().Format(time.RFC3339),
		"verificationMethod": s.method(), "proofPurpose": assertion,
	}
	digest, err := s.digest(credential, proof)
	if err != nil {
		return nil, err
	}
	proof["proofValue"] = encodeMultibase(ed25519.Sign(s.key.private, digest))
	signed := maps.Clone(credential)
	signed["proof"] = proof
	return signed, nil
}

// digest is what the cryptosuite signs: the hashes of the proof's options and of the document,
// each in canonical form.
func (c *canonicaliser) digest(document, proof map[string]any) ([]byte, error) {
	options := maps.Clone(proof)
	delete(options, "proofValue")
	options["@context"] = document["@context"]
	unsigned := maps.Clone(document)
	delete(unsigned, "proof")
	var digest []byte
	for _, part := range []map[string]any{options, unsigned} {
		text, err := c.canonical(part)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256([]byte(text))
		digest = append(digest, sum[:]...)
	}
	return digest, nil
}

// verifyProof reports whether a proof of a document holds under a key.
func (c *canonicaliser) verifyProof(document, proof map[string]any, key ed25519.PublicKey) (bool, error) {
	text, _ := proof["proofValue"].(string)
	signature, err := decodeMultibase(text)
	if err != nil || len(signature) != ed25519.SignatureSize {
		return false, nil //nolint:nilerr // a value that is none does not hold
	}
	digest, err := c.digest(document, proof)
	if err != nil {
		return false, err
	}
	return ed25519.Verify(key, digest, signature), nil
}

// SigningKey is an Ed25519 key of an issuer, with the name that it has in the issuer's DID.
type SigningKey struct {
	ID        string
	CreatedAt time.Time
	private   ed25519.PrivateKey
}

// NewSigningKey makes a key of a seed of 32 bytes. Its ID follows from the public key.
func NewSigningKey(seed []byte, createdAt time.Time) (SigningKey, error) {
	if len(seed) != ed25519.SeedSize {
		return SigningKey{}, fault.Newf(fault.Damaged, "a key for credentials has %d bytes instead of %d", len(seed), ed25519.SeedSize)
	}
	k := SigningKey{CreatedAt: createdAt, private: ed25519.NewKeyFromSeed(seed)}
	const idLength = 12
	k.ID = "key-" + encodeKey(k.Public())[len("z6Mk"):][:idLength]
	return k, nil
}

// Public is the public key.
func (k SigningKey) Public() ed25519.PublicKey {
	public, _ := k.private.Public().(ed25519.PublicKey)
	return public
}
