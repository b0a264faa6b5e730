package signer

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/pkg/ssrf"
)

// CSC has a signing service sign: one that speaks version 2 of the API of the Cloud Signature
// Consortium, with an account of OAuth 2.0 (client credentials).
type CSC struct {
	base       string // of the API, without a slash at its end
	credential string // ID of the key; "" where the account has one
	clientID   string
	secret     Secret
	pin        Secret
	client     *ssrf.Client

	mu             sync.Mutex
	service        *cscService
	token          string // for calls; "" until it is asked for
	key            *cscKey
	refusedPIN     refusal
	refusedAccount refusal
}

// Object identifiers.
const (
	oidSHA256      = "2.16.840.1.101.3.4.2.1"
	oidRSA         = "1.2.840.113549.1.1.1"
	oidRSASHA256   = "1.2.840.113549.1.1.11"
	oidEC          = "1.2.840.10045.2.1"
	oidECDSASHA256 = "1.2.840.10045.4.3.2"
)

// signAlgorithms are the names of how a key signs, the plain one first.
var signAlgorithms = map[Algorithm][]string{RSA: {oidRSASHA256, oidRSA}, ECDSA: {oidECDSASHA256, oidEC}}

// maxServiceCalls is how many calls to a service are under way at a time.
const maxServiceCalls = 4

// cscService is what a service says of itself.
type cscService struct {
	Specs    string   `json:"specs"`
	AuthType []string `json:"authType"`
	OAuth2   string   `json:"oauth2"`
	Methods  []string `json:"methods"`
}

// cscCredential is what a service says of a key.
type cscCredential struct {
	Key struct {
		Status string   `json:"status"`
		Algo   []string `json:"algo"`
	} `json:"key"`
	Cert struct {
		Status       string   `json:"status"`
		Certificates [][]byte `json:"certificates"`
	} `json:"cert"`
	Auth struct {
		Mode    string `json:"mode"`
		Objects []struct {
			Type string `json:"type"`
			ID   string `json:"id"`
		} `json:"objects"`
	} `json:"auth"`
	Multisign int `json:"multisign"`
}

// cscKey is a key of a service, ready for use.
type cscKey struct {
	id        string
	certs     []*x509.Certificate
	algorithm []string
	multisign int
	pinID     string // under which the PIN is sent; "" where none is asked for
}

// Certificates implements Backend. It asks the service anew.
func (c *CSC) Certificates(ctx context.Context) ([]*x509.Certificate, error) {
	c.mu.Lock()
	c.key = nil
	c.mu.Unlock()
	k, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	return k.certs, nil
}

// Batch implements Backend. It is as many as the calls under way at a time can have signed.
func (c *CSC) Batch() int {
	const most = 256
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.key == nil {
		return maxServiceCalls
	}
	return min(maxServiceCalls*c.key.multisign, most)
}

// Close implements Backend.
func (c *CSC) Close() error {
	c.client.Close()
	return nil
}

func (c *CSC) name() string { return "the signing service " + c.base }

// open finds out what the service and the key are like, once.
func (c *CSC) open(ctx context.Context) (*cscKey, error) {
	c.mu.Lock()
	k := c.key
	c.mu.Unlock()
	if k != nil {
		return k, nil
	}
	if err := c.askInfo(ctx); err != nil {
		return nil, err
	}
	id, err := c.findCredential(ctx)
	if err != nil {
		return nil, err
	}
	var info cscCredential
	if err := c.call(ctx, "credentials/info", map[string]any{"credentialID": id, "certificates": "chain", "certInfo": true, "authInfo": true}, &info); err != nil {
		return nil, err
	}
	if k, err = c.newKey(id, info); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.key = k
	return k, nil
}

// askInfo asks what the service can do.
func (c *CSC) askInfo(ctx context.Context) error {
	var s cscService
	if err := c.post(ctx, c.base+"/info", "", map[string]any{}, &s); err != nil {
		return c.plain(err)
	}
	if !strings.HasPrefix(s.Specs, "2.") {
		return failuref(nil, "%s speaks version %q of the API, and version 2 is needed", c.name(), s.Specs)
	}
	for _, method := range []string{"credentials/info", "credentials/authorize", "signatures/signHash"} {
		if len(s.Methods) > 0 && !slices.Contains(s.Methods, method) {
			return failuref(nil, "%s does not have %s, without which it cannot sign for a program", c.name(), method)
		}
	}
	if len(s.AuthType) > 0 && !slices.Contains(s.AuthType, "oauth2client") {
		return failuref(nil, "%s does not let programs sign in (it has %s, and oauth2client is needed)", c.name(), strings.Join(s.AuthType, ", "))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.service = &s
	return nil
}

// findCredential returns the ID of the key.
func (c *CSC) findCredential(ctx context.Context) (string, error) {
	if c.credential != "" {
		return c.credential, nil
	}
	var list struct {
		IDs []string `json:"credentialIDs"`
	}
	if err := c.call(ctx, "credentials/list", map[string]any{}, &list); err != nil {
		return "", err
	}
	switch len(list.IDs) {
	case 0:
		return "", failuref(nil, "the account at %s has no key", c.name())
	case 1:
		return list.IDs[0], nil
	}
	return "", failuref(nil, "the account at %s has several keys: %s; name one with --credential", c.name(), strings.Join(list.IDs, ", "))
}

// newKey checks that a key can be used without a person.
func (c *CSC) newKey(id string, info cscCredential) (*cscKey, error) {
	k := &cscKey{id: id, algorithm: info.Key.Algo, multisign: max(info.Multisign, 1)}
	if info.Key.Status != "enabled" {
		return nil, failuref(nil, "the key %s at %s is not enabled (its state is %q)", id, c.name(), info.Key.Status)
	}
	if s := info.Cert.Status; s != "" && s != "valid" {
		return nil, failuref(nil, "the certificate of the key %s at %s is not valid (its state is %q)", id, c.name(), s)
	}
	switch info.Auth.Mode {
	case "implicit":
	case "explicit":
		for _, o := range info.Auth.Objects {
			if o.Type != "Password" || k.pinID != "" {
				return nil, failuref(nil, "the key %s at %s asks a person for each signature (%s); seals need a key that asks for nothing, or for a PIN", id, c.name(), o.ID)
			}
			k.pinID = o.ID
		}
	default:
		return nil, failuref(nil, "the key %s at %s asks a person for each signature (%q); seals need a key that asks for nothing, or for a PIN", id, c.name(), info.Auth.Mode)
	}
	var err error
	k.certs, err = parseCertificates(c.name(), info.Cert.Certificates)
	return k, err
}

// Sign implements Backend.
func (c *CSC) Sign(ctx context.Context, a Algorithm, digests [][]byte) ([][]byte, error) {
	k, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(signAlgorithms[a], func(name string) bool { return slices.Contains(k.algorithm, name) })
	if i < 0 {
		return nil, failuref(nil, "the key %s at %s does not sign with %s (it has %s)", k.id, c.name(), a, strings.Join(k.algorithm, ", "))
	}
	signatures := make([][]byte, len(digests))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(maxServiceCalls)
	for from := 0; from < len(digests); from += k.multisign {
		to := min(from+k.multisign, len(digests))
		work.Go(func() error {
			some, err := c.signSome(ctx, k, signAlgorithms[a][i], digests[from:to])
			copy(signatures[from:to], some)
			return err
		})
	}
	if err := work.Wait(); err != nil {
		c.mu.Lock()
		c.key = nil // it may be another one when the service can be used again
		c.mu.Unlock()
		return nil, err
	}
	return signatures, nil
}

// signSome has as many digests signed as one authorisation allows.
func (c *CSC) signSome(ctx context.Context, k *cscKey, algorithm string, digests [][]byte) ([][]byte, error) {
	ask := map[string]any{"credentialID": k.id, "numSignatures": len(digests), "hashes": digests, "hashAlgorithmOID": oidSHA256}
	if k.pinID != "" {
		pin, err := c.readPIN()
		if err != nil {
			return nil, err
		}
		ask["authData"] = []map[string]string{{"id": k.pinID, "value": pin}}
	}
	var authorised struct {
		SAD string `json:"SAD"`
	}
	if err := c.call(ctx, "credentials/authorize", ask, &authorised); err != nil {
		return nil, err
	}
	var signed struct {
		Signatures [][]byte `json:"signatures"`
	}
	err := c.call(ctx, "signatures/signHash", map[string]any{"credentialID": k.id, "SAD": authorised.SAD, "hashes": digests,
		"hashAlgorithmOID": oidSHA256, "signAlgo": algorithm, "operationMode": "S"}, &signed)
	if err != nil {
		return nil, err
	}
	if len(signed.Signatures) != len(digests) {
		return nil, failuref(nil, "%s returned %d signatures for %d digests; it does not work as it should", c.name(), len(signed.Signatures), len(digests))
	}
	for i, s := range signed.Signatures {
		signed.Signatures[i] = toDER(k.certs, s)
	}
	return signed.Signatures, nil
}

// toDER writes an ECDSA signature in DER where it is the two numbers one after the other, which some
// services return.
func toDER(certs []*x509.Certificate, signature []byte) []byte {
	for _, c := range certs {
		public, ok := c.PublicKey.(*ecdsa.PublicKey)
		if !ok {
			continue
		}
		size := (public.Curve.Params().BitSize + 7) / 8
		if len(signature) != 2*size {
			continue
		}
		der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])})
		if err == nil {
			return der
		}
	}
	return signature
}
