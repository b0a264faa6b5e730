package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"
	"slices"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Signer makes SignedData for detached content. All that does not depend on
// the content is made once. It is safe for concurrent use.
type Signer struct {
	key         crypto.Signer
	chain       []*x509.Certificate
	left        []*x509.Certificate // that belong to no signature
	certs       []byte              // [0] element with all certificates
	attrs       []byte              // SET of signed attributes, with a hole for the digest
	digestAt    int
	signerInfo  []byte // start of SignerInfo: version, issuer and serial number, digest algorithm
	algorithm   []byte
	maxSigBytes int
}

// NewSigner takes a key and its certificate with those that vouch for it, the
// key's own first. ECDSA and RSA keys are known.
func NewSigner(key crypto.Signer, chain []*x509.Certificate) (*Signer, error) {
	if key == nil || len(chain) == 0 {
		return nil, fault.New(fault.Invalid, "A key and its certificate are needed to sign.")
	}
	s := &Signer{key: key, chain: chain}
	switch pub := key.Public().(type) {
	case *ecdsa.PublicKey:
		s.algorithm = algECDSA
		body := 2 * ((pub.Curve.Params().BitSize+7)/8 + 3) // two integers that may need a zero in front
		s.maxSigBytes = headerSize(body) + body
	case *rsa.PublicKey:
		if pub.Size() < 256 {
			return nil, fault.Newf(fault.Invalid, "The RSA key has %d bits: at least 2048 are needed.", pub.N.BitLen())
		}
		s.algorithm, s.maxSigBytes = algRSA, pub.Size()
	default:
		return nil, fault.New(fault.Invalid, "The key is neither ECDSA nor RSA: PDF viewers know no others.")
	}
	pub, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !pub.Equal(chain[0].PublicKey) {
		return nil, fault.New(fault.Invalid, "The key does not belong to the first certificate of the chain.")
	}
	s.prepare()
	return s, nil
}

// LeftOut are the certificates that came with the chain and vouch for none of it. They are
// not in signatures.
func (s *Signer) LeftOut() []*x509.Certificate { return s.left }

// Chain are the certificates, the signer's own first.
func (s *Signer) Chain() []*x509.Certificate { return s.chain }

func (s *Signer) prepare() {
	leaf := s.chain[0]
	raw := make([][]byte, len(s.chain))
	for i, c := range s.chain {
		raw[i] = c.Raw
	}
	sorted := slices.Clone(raw)
	slices.SortFunc(sorted, bytes.Compare) // a SET in DER
	s.certs = seq(tagContext0, sorted...)

	serial := serialNumber(leaf)
	s.signerInfo = slices.Concat([]byte{tagInteger, 1, 1}, seq(tagSequence, leaf.RawIssuer, serial), algSHA256)

	// ESSCertIDv2 of RFC 5035 with its default digest, SHA-256.
	hash := sha256.Sum256(leaf.Raw)
	id := seq(tagSequence, seq(tagOctetString, hash[:]))
	hole := bytes.Repeat([]byte{0xEE}, sha256.Size)
	attrs := [][]byte{
		seq(tagSequence, oidContentType, seq(tagSet, oidData)),
		seq(tagSequence, oidMessageDigest, seq(tagSet, seq(tagOctetString, hole))),
		seq(tagSequence, oidSigningCertV2, seq(tagSet, seq(tagSequence, seq(tagSequence, id)))),
	}
	// DER orders by the encoding; these three differ before the digest.
	slices.SortFunc(attrs, bytes.Compare)
	s.attrs = seq(tagSet, attrs...)
	s.digestAt = bytes.Index(s.attrs, hole)
}

// serialNumber is the certificate's serial number as it encodes it.
func serialNumber(c *x509.Certificate) []byte {
	b := c.SerialNumber.Bytes()
	if len(b) == 0 || b[0] >= 0x80 {
		b = append([]byte{0}, b...)
	}
	return seq(tagInteger, b)
}

// ProofRoom is how many bytes a signature keeps free for unsigned attributes that are added
// later: a log proof, which takes 1.2 KB in a log of a million entries, and four cosignatures.
const ProofRoom = 2560

// MaxSize bounds the length of what Sign returns, when the unsigned attributes take at most
// unsigned bytes.
func (s *Signer) MaxSize(unsigned int) int {
	var attrs []byte
	if unsigned > 0 {
		attrs = seq(tagContext1, make([]byte, unsigned))
	}
	return len(s.wrap(s.attrs, make([]byte, s.maxSigBytes), attrs))
}

// TimestampSize is how many bytes a time stamp token of the given length takes as an
// unsigned attribute.
func TimestampSize(token int) int {
	if token == 0 {
		return 0
	}
	return len(timestampAttribute(make([]byte, token)))
}

func timestampAttribute(token []byte) []byte {
	return seq(tagSequence, oidTimeStamp, seq(tagSet, token))
}

// TimestampFunc asks for a time stamp token over the SHA-256 of a signature.
type TimestampFunc func(digest [32]byte) (token []byte, err error)

// Sign signs content by its SHA-256 and returns the SignedData in DER. When
// stamp is given and fails, the signature comes without a time stamp, and
// stampErr says why.
func (s *Signer) Sign(rand io.Reader, digest [32]byte, stamp TimestampFunc) (der []byte, stampErr, err error) {
	attrs := slices.Clone(s.attrs)
	copy(attrs[s.digestAt:], digest[:])
	sum := sha256.Sum256(attrs)
	sig, err := s.key.Sign(rand, sum[:], crypto.SHA256)
	if err != nil {
		return nil, nil, fmt.Errorf("sign: %w", err)
	}
	var unsigned []byte
	if stamp != nil {
		token, err := stamp(sha256.Sum256(sig))
		if stampErr = err; err == nil {
			unsigned = seq(tagContext1, timestampAttribute(token))
		}
	}
	attrs[0] = tagContext0 // the attributes are signed as a SET and stored as [0]
	return s.wrap(attrs, sig, unsigned), stampErr, nil
}

// wrap builds the SignedData around a signature, in one piece of memory.
func (s *Signer) wrap(attrs, sig, unsigned []byte) []byte {
	infoLen := len(s.signerInfo) + len(attrs) + len(s.algorithm) + headerSize(len(sig)) + len(sig) + len(unsigned)
	setLen := headerSize(infoLen) + infoLen
	version := []byte{tagInteger, 1, 1}
	digests := len(algSHA256) + 2
	content := len(oidData) + 2
	dataLen := len(version) + digests + content + len(s.certs) + headerSize(setLen) + setLen
	wrapped := headerSize(dataLen) + dataLen
	total := len(oidSignedData) + headerSize(wrapped) + wrapped
	b := make([]byte, 0, total+6)
	b = appendHeader(b, tagSequence, total)
	b = append(b, oidSignedData...)
	b = appendHeader(b, tagContext0, wrapped)
	b = appendHeader(b, tagSequence, dataLen)
	b = append(b, version...)
	b = appendHeader(b, tagSet, len(algSHA256))
	b = append(b, algSHA256...)
	b = appendHeader(b, tagSequence, len(oidData))
	b = append(b, oidData...)
	b = append(b, s.certs...)
	b = appendHeader(b, tagSet, setLen)
	b = appendHeader(b, tagSequence, infoLen)
	b = append(b, s.signerInfo...)
	b = append(b, attrs...)
	b = append(b, s.algorithm...)
	b = appendHeader(b, tagOctetString, len(sig))
	b = append(b, sig...)
	return append(b, unsigned...)
}
