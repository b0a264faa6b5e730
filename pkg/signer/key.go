package signer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// maxWait is how long a digest waits for its call. With the call itself it stays below what a document
// may take.
const maxWait = 30 * time.Second

// Key is a crypto.Signer whose key lies elsewhere. Digests that callers bring while a call is
// under way go into the next call together. Each signature is verified before it is returned. A
// Key is safe for concurrent use.
type Key struct {
	location  string
	backend   Backend
	public    crypto.PublicKey
	algorithm Algorithm
	timeout   time.Duration
	ctx       context.Context // of all calls
	cancel    context.CancelFunc

	mu      sync.Mutex
	waiting []request
	calling bool
}

var _ crypto.Signer = (*Key)(nil)

// request is a digest that waits for its signature.
type request struct {
	digest []byte
	result chan result
}

type result struct {
	signature []byte
	err       error
}

// NewKey returns the key of a certificate, with which a backend signs. The location is what
// messages call it. No call takes longer than the timeout. The key outlives ctx, until Close.
func NewKey(ctx context.Context, location string, b Backend, certificate *x509.Certificate, timeout time.Duration) (*Key, error) {
	a, err := algorithmOf(certificate.PublicKey)
	if err != nil {
		return nil, err
	}
	k := &Key{location: location, backend: b, public: certificate.PublicKey, algorithm: a, timeout: timeout}
	k.ctx, k.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return k, nil
}

// Public implements crypto.Signer.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Location says where the key lies.
func (k *Key) Location() string { return k.location }

// Close ends calls that are under way, and what the backend keeps open.
func (k *Key) Close() error {
	k.cancel()
	return k.backend.Close()
}

// Sign implements crypto.Signer. It signs SHA-256 digests only. What goes wrong with the signer is a
// *Failure.
func (k *Key) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if _, pss := opts.(*rsa.PSSOptions); pss || opts.HashFunc() != crypto.SHA256 || len(digest) != sha256.Size {
		return nil, fault.New(fault.Invalid, "A signer signs SHA-256 digests, with PKCS #1 version 1.5 or ECDSA.")
	}
	r := request{digest, make(chan result, 1)}
	k.mu.Lock()
	k.waiting = append(k.waiting, r)
	begin := !k.calling
	k.calling = true
	k.mu.Unlock()
	if begin {
		go k.work()
	}
	patience := time.NewTimer(maxWait)
	defer patience.Stop()
	select {
	case got := <-r.result:
		return got.signature, got.err
	case <-patience.C:
	}
	if k.withdraw(r) {
		return nil, failuref(nil, "%s is slower than documents come", k.location)
	}
	got := <-r.result // its call is under way
	return got.signature, got.err
}

// withdraw takes a request back that is in no call yet.
func (k *Key) withdraw(r request) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := len(k.waiting)
	k.waiting = slices.DeleteFunc(k.waiting, func(o request) bool { return o.result == r.result })
	return len(k.waiting) < before
}

// work calls the backend until nobody waits.
func (k *Key) work() {
	for {
		k.mu.Lock()
		n := min(len(k.waiting), k.backend.Batch())
		if n == 0 {
			k.calling = false
			k.mu.Unlock()
			return
		}
		group := slices.Clone(k.waiting[:n])
		k.waiting = slices.Delete(k.waiting, 0, n)
		k.mu.Unlock()
		if err := k.call(group); err != nil {
			k.failWaiting(err)
		}
	}
}

// call has the backend sign a group of digests.
func (k *Key) call(group []request) error {
	ctx, cancel := context.WithTimeout(k.ctx, k.timeout)
	defer cancel()
	digests := make([][]byte, len(group))
	for i, r := range group {
		digests[i] = r.digest
	}
	signatures, err := k.backend.Sign(ctx, k.algorithm, digests)
	if err == nil && len(signatures) != len(group) {
		err = failuref(nil, "%s returned %d signatures for %d digests; it does not work as it should", k.location, len(signatures), len(group))
	}
	if err != nil {
		err = k.failure(ctx, err)
		for _, r := range group {
			r.result <- result{err: err}
		}
		return err
	}
	for i, r := range group {
		if err := k.verify(r.digest, signatures[i]); err != nil {
			r.result <- result{err: err}
			continue
		}
		r.result <- result{signature: signatures[i]}
	}
	return nil
}

// failWaiting answers all who wait: after a failed call, the next one would cost them a timeout more.
func (k *Key) failWaiting(err error) {
	k.mu.Lock()
	waiting := k.waiting
	k.waiting = nil
	k.mu.Unlock()
	for _, r := range waiting {
		r.result <- result{err: err}
	}
}

// failure is an error of the backend as a Failure.
func (k *Key) failure(ctx context.Context, err error) error {
	switch known, ok := errors.AsType[*Failure](err); {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return failuref(err, "%s does not answer in %s", k.location, k.timeout)
	case ok:
		return known
	}
	return failuref(err, "%s cannot sign (%v)", k.location, err)
}

// verify checks a signature before it is used.
func (k *Key) verify(digest, signature []byte) error {
	valid := false
	switch public := k.public.(type) {
	case *ecdsa.PublicKey:
		valid = ecdsa.VerifyASN1(public, digest, signature)
	case *rsa.PublicKey:
		valid = rsa.VerifyPKCS1v15(public, crypto.SHA256, digest, signature) == nil
	}
	if !valid {
		return failuref(nil, "a signature of %s does not belong to the certificate in use, so the signer has another key now or does not sign as it should; "+
			"correct the signer, or have its key taken anew with \"vecctl key use\"", k.location)
	}
	return nil
}
