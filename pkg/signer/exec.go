package signer

import (
	"context"
	"crypto/x509"
	"errors"
	"sync"
)

// Exec has a helper process sign. The helper reads requests from its standard input and writes
// answers to its standard output, each a line of JSON; docs/signers.md describes them. It is started
// when it is needed and runs on; one that failed is ended, and started again for the next call.
type Exec struct {
	command []string
	environ []string
	pin     Secret

	mu      sync.Mutex // held during a call
	helper  *helper    // nil: none runs
	refused refusal    // the PIN
}

// execProtocol is the version of the protocol.
const execProtocol = 1

// execRequest is what a helper reads.
type execRequest struct {
	ID        int64     `json:"id"`
	Op        string    `json:"op"`
	Protocol  int       `json:"protocol,omitempty"`
	PIN       string    `json:"pin,omitempty"`
	Algorithm Algorithm `json:"algorithm,omitempty"`
	Digests   [][]byte  `json:"digests,omitempty"`
}

// execAnswer is what a helper writes.
type execAnswer struct {
	ID           int64    `json:"id"`
	Protocol     int      `json:"protocol"`
	Certificates [][]byte `json:"certificates"`
	Signatures   [][]byte `json:"signatures"`
	Error        string   `json:"error"`
	Code         string   `json:"code"`
}

// wrongPIN is the code of an answer that refuses the PIN.
const wrongPIN = "pin"

// Certificates implements Backend.
func (e *Exec) Certificates(ctx context.Context) ([]*x509.Certificate, error) {
	a, err := e.call(ctx, execRequest{Op: "certificates"})
	if err != nil {
		return nil, err
	}
	return parseCertificates(e.name(), a.Certificates)
}

// Sign implements Backend.
func (e *Exec) Sign(ctx context.Context, a Algorithm, digests [][]byte) ([][]byte, error) {
	answer, err := e.call(ctx, execRequest{Op: "sign", Algorithm: a, Digests: digests})
	return answer.Signatures, err
}

// Batch implements Backend.
func (e *Exec) Batch() int { return 256 }

// Close ends the helper.
func (e *Exec) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.helper != nil {
		e.helper.end()
		e.helper = nil
	}
	return nil
}

func (e *Exec) name() string { return "the helper " + e.command[0] }

// call sends a request to the helper and returns its answer. A helper is started where none runs.
func (e *Exec) call(ctx context.Context, q execRequest) (execAnswer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.helper != nil && e.helper.hasEnded() {
		e.helper.kill()
		e.helper = nil
	}
	if e.helper == nil {
		if err := e.start(ctx); err != nil {
			return execAnswer{}, err
		}
	}
	a, err := e.helper.call(ctx, q)
	if err == nil && a.Error != "" {
		err = errors.New("it says: " + a.Error)
	}
	if err != nil {
		why := failuref(err, "%s failed: %s", e.name(), e.helper.explain(err))
		e.helper.kill()
		e.helper = nil
		return execAnswer{}, why
	}
	return a, nil
}

// start starts the helper. A PIN that was refused is not sent again: tokens lock themselves after a
// few wrong ones.
func (e *Exec) start(ctx context.Context) error {
	pin, err := e.pin.read()
	if err != nil {
		return err
	}
	if e.refused.is(pin) {
		return e.pinRefused(nil)
	}
	h, err := startHelper(e.command, e.environ, pin)
	if err != nil {
		return failuref(err, "%s cannot be started (%v)", e.name(), err)
	}
	a, err := h.call(ctx, execRequest{Op: "open", Protocol: execProtocol, PIN: pin})
	switch {
	case err == nil && a.Code == wrongPIN:
		e.refused.set(pin)
		err = e.pinRefused(errors.New(h.redact(a.Error)))
	case err == nil && a.Error != "":
		err = failuref(nil, "%s failed: it says: %s", e.name(), h.redact(a.Error))
	case err == nil && a.Protocol != execProtocol:
		err = failuref(nil, "%s speaks version %d of the protocol, and vecctl speaks version %d; use the helper that fits", e.name(), a.Protocol, execProtocol)
	case err != nil:
		err = failuref(err, "%s failed: %s", e.name(), h.explain(err))
	}
	if err != nil {
		h.kill()
		return err
	}
	e.refused.clear()
	e.helper = h
	return nil
}

func (e *Exec) pinRefused(err error) error {
	return failuref(err, "%s says that the PIN is wrong; correct %s; a wrong PIN is not tried again, so that the token is not locked", e.name(), e.pin.Name)
}
