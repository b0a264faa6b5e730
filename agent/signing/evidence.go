package signing

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/ssrf"
)

const (
	// EvidenceTimeout is how long a responder may take.
	EvidenceTimeout = 10 * time.Second
	// MaxEvidence is how many bytes of an answer, a list or a certificate are taken. It goes into
	// each file that needs it.
	MaxEvidence = 1 << 20

	evidenceAge  = time.Hour        // for which an answer serves for others, where it is current so long
	evidenceRest = 30 * time.Second // for which one that failed is not asked again
	maxEvidence  = 1024             // answers that are kept
	nonceSize    = 16
)

// Evidence asks whether certificates were revoked, at the addresses that they name, and for the
// certificates of their issuers. What it gets serves for a batch. It is safe for concurrent use.
type Evidence struct {
	client *ssrf.Client

	mu    sync.Mutex
	known map[[sha256.Size]byte]*evidence
}

// evidence is what is known of one certificate.
type evidence struct {
	ready chan struct{} // closed when the rest is there
	proof proof
	err   error
	until time.Time // from then on it is asked for again
}

// proof is what a responder or a list says of a certificate that is not revoked.
type proof struct {
	ocsp, crl []byte
	responder *x509.Certificate // that the issuer authorised; nil: the issuer itself
	issuer    *x509.Certificate // where the issuer's certificate was asked for
}

// NewEvidence makes one that asks with a client.
func NewEvidence(client *ssrf.Client) *Evidence {
	return &Evidence{client: client, known: map[[sha256.Size]byte]*evidence{}}
}

// findStatus returns proof that a certificate was not revoked. One that was is a pdf.RevokedError.
func (e *Evidence) findStatus(ctx context.Context, cert, issuer *x509.Certificate, now time.Time) (proof, error) {
	return e.once(sha256.Sum256(slices.Concat(cert.Raw, issuer.Raw)), now, func() (proof, time.Time, error) {
		return e.status(ctx, cert, issuer, now)
	})
}

// Issuer returns the certificate of the issuer of another.
func (e *Evidence) Issuer(ctx context.Context, cert *x509.Certificate, now time.Time) (*x509.Certificate, error) {
	p, err := e.once(sha256.Sum256(cert.Raw), now, func() (proof, time.Time, error) {
		issuer, err := e.issuer(ctx, cert)
		return proof{issuer: issuer}, now.Add(evidenceAge), err
	})
	return p.issuer, err
}

// once asks where nobody asked before, or too long ago. Others wait for the answer.
func (e *Evidence) once(key [sha256.Size]byte, now time.Time, ask func() (proof, time.Time, error)) (proof, error) {
	e.mu.Lock()
	one, ok := e.known[key]
	if ok {
		e.mu.Unlock()
		<-one.ready
		if now.Before(one.until) {
			return one.proof, one.err
		}
		e.mu.Lock()
		if e.known[key] == one {
			delete(e.known, key)
		}
		e.mu.Unlock()
		return e.once(key, now, ask)
	}
	if len(e.known) >= maxEvidence {
		e.known = map[[sha256.Size]byte]*evidence{}
	}
	one = &evidence{ready: make(chan struct{})}
	e.known[key] = one
	e.mu.Unlock()
	defer close(one.ready)
	var current time.Time
	if one.proof, current, one.err = ask(); one.err != nil {
		one.until = now.Add(evidenceRest)
		return one.proof, one.err
	}
	if one.until = now.Add(evidenceAge); !current.IsZero() && current.Before(one.until) {
		one.until = current
	}
	return one.proof, nil
}

// status asks the responder of a certificate, and where that has no sound answer, reads the
// revocation list. It returns until when the proof is current.
func (e *Evidence) status(ctx context.Context, cert, issuer *x509.Certificate, now time.Time) (p proof, current time.Time, err error) {
	var failures []error
	for _, u := range cert.OCSPServer {
		p, current, err = e.askResponder(ctx, u, cert, issuer, now)
		if _, revoked := errors.AsType[*pdf.RevokedError](err); err == nil || revoked {
			return p, current, err
		}
		failures = append(failures, fmt.Errorf("the OCSP responder %s: %w", u, err))
	}
	for _, u := range cert.CRLDistributionPoints {
		list, err := e.get(ctx, http.MethodGet, u, nil, "")
		if err == nil {
			current, err = pdf.CheckCRL(list, cert, issuer, now)
		}
		if _, revoked := errors.AsType[*pdf.RevokedError](err); err == nil || revoked {
			return proof{crl: list}, current, err
		}
		failures = append(failures, fmt.Errorf("the revocation list %s: %w", u, err))
	}
	if len(failures) == 0 {
		return p, current, fault.Newf(fault.Invalid, "the certificate of %q names neither an OCSP responder nor a revocation list", cert.Subject.CommonName)
	}
	return p, current, fmt.Errorf("nothing proves that the certificate of %q was not revoked: %w", cert.Subject.CommonName, errors.Join(failures...))
}

func (e *Evidence) askResponder(ctx context.Context, url string, cert, issuer *x509.Certificate, now time.Time) (proof, time.Time, error) {
	nonce := make([]byte, nonceSize)
	if _, err := rand.Read(nonce); err != nil {
		return proof{}, time.Time{}, err
	}
	request, err := pdf.OCSPRequest(cert, issuer, nonce)
	if err != nil {
		return proof{}, time.Time{}, err
	}
	answer, err := e.get(ctx, http.MethodPost, url, request, "application/ocsp-request")
	if err != nil {
		return proof{}, time.Time{}, err
	}
	current, responder, err := pdf.CheckOCSP(answer, cert, issuer, nonce, now)
	return proof{ocsp: answer, responder: responder}, current, err
}

// issuer asks for the certificate of an issuer where a certificate says that it is.
func (e *Evidence) issuer(ctx context.Context, cert *x509.Certificate) (*x509.Certificate, error) {
	var failures []error
	for _, u := range cert.IssuingCertificateURL {
		body, err := e.get(ctx, http.MethodGet, u, nil, "")
		if err == nil {
			if block, _ := pem.Decode(body); block != nil {
				body = block.Bytes
			}
			issuer, broken := x509.ParseCertificate(body)
			switch {
			case broken != nil:
				err = errors.New("it has no certificate")
			case !bytes.Equal(issuer.RawSubject, cert.RawIssuer) || !pdf.MadeBy(cert, issuer):
				err = errors.New("it has another certificate")
			default:
				return issuer, nil
			}
		}
		failures = append(failures, fmt.Errorf("%s: %w", u, err))
	}
	missing := fault.Newf(fault.Invalid, "the certificate of the issuer of %q is not at hand; import the key with its whole chain, or add the certificate to signing.timestamp_roots", cert.Subject.CommonName)
	return nil, errors.Join(append([]error{missing}, failures...)...)
}

// get asks one address that a certificate names.
func (e *Evidence) get(ctx context.Context, method, url string, body []byte, kind string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, EvidenceTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	answer, err := e.client.Do(req)
	switch {
	case err != nil:
		return nil, err
	case answer.Status != http.StatusOK:
		return nil, fmt.Errorf("status %d", answer.Status)
	case answer.Truncated:
		return nil, fmt.Errorf("it is larger than %d KB", MaxEvidence>>10)
	}
	return answer.Body, nil
}
