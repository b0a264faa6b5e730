package verify

import (
	"crypto/sha1" //nolint:gosec // what names an entry of the security store (ISO 32000-2, 12.8.4.4); nothing rests on it
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf/cms"
)

// Preservation is what a valid file has for later years, and what it needs.
type Preservation struct {
	Level  Level     // of the last signature that somebody stands for the file with
	Until  time.Time // when the certificate of its newest time stamp ends; zero: it has none
	Chains []Chain   // of that signature and its time stamps, and of the document's time stamps
}

// Chain are the certificates that the validation of a signature or of a time stamp needs.
type Chain struct {
	Key          string // of the signature's entry in the security store (VRI)
	Certificates []*x509.Certificate
	Whole        bool   // they lead to a root
	Proven       []bool // by certificate: the store has proof of its status; a root needs none
	Stored       bool   // the store, or the signature itself, has all of them
	Newest       bool   // of the newest time stamp
}

var errNotValid = errors.New("the file is not valid as it is signed")

// Preserved reads what a valid file has for later years. The certificates in known serve for
// chains besides those that the file has.
func Preserved(r io.ReaderAt, size int64, known []*x509.Certificate, o Options) (Preservation, error) {
	d, v, err := open(r, size, o)
	if err != nil {
		return Preservation{}, err
	}
	if d == nil || !v.Valid {
		return Preservation{}, fmt.Errorf("%w: %s", errNotValid, v.Sentence)
	}
	defer d.release()
	return d.preservation(v, known), nil
}

func (d *document) preservation(v Verdict, known []*x509.Certificate) Preservation {
	var p Preservation
	main := v.Signer()
	if main != nil {
		p.Level = main.Level
	}
	var newest *cms.Token
	for _, c := range d.signatures {
		if c.token != nil && c.result.Problem == "" {
			newest, p.Until = c.token, c.token.Certificate.NotAfter
		}
	}
	for _, c := range d.signatures {
		if c.result.Problem != "" || c.certificate == nil || !c.result.IsTimestamp && (main == nil || c.result.Field != main.Field) {
			continue
		}
		if !c.result.IsTimestamp {
			p.Chains = append(p.Chains, d.chain(c, c.certificate, c.others, known))
		}
		if c.token != nil {
			chain := d.chain(c, c.token.Certificate, c.token.Others(), known)
			chain.Newest = c.token == newest
			p.Chains = append(p.Chains, chain)
		}
	}
	return p
}

// chain finds the certificates of a signature, or of its time stamp.
func (d *document) chain(c *candidate, cert *x509.Certificate, others, known []*x509.Certificate) Chain {
	own := slices.Concat(others, d.store.certificates)
	certificates, _ := buildChain(cert, slices.Concat(own, known), d.options.Issuances)
	root := certificates[len(certificates)-1]
	chain := Chain{Key: fmt.Sprintf("%X", sha1.Sum(c.byteRange.contents)), //nolint:gosec // see the import
		Certificates: certificates, Whole: string(root.RawIssuer) == string(root.RawSubject), Stored: d.store.present}
	for i, one := range certificates {
		chain.Proven = append(chain.Proven, i+1 == len(certificates) || d.store.hasStatus(one, certificates[i+1]))
		if i > 0 && !slices.ContainsFunc(own, one.Equal) {
			chain.Stored = false
		}
	}
	return chain
}
