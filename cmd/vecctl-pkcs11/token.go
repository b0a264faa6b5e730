//go:build linux || darwin

package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// token is a token with a key that signs.
type token struct {
	module   *module
	pin      string
	sessions []ulong
	key      ulong
	kind     ulong // keyRSA or keyEC
	id       []byte
	always   bool   // each signature needs the PIN
	file     string // of certificates; "" takes those on the token
}

// openToken opens the token and finds the key.
func openToken(o options, pin string) (t *token, err error) {
	m, err := loadModule(o.module)
	if err != nil {
		return nil, err
	}
	slot, err := findSlot(m, o)
	if err != nil {
		return nil, err
	}
	t = &token{module: m, pin: pin, file: o.certificates}
	for range o.sessions {
		var session ulong
		err := check("open a session", m.openSession(slot, flagSerialSession, nil, nil, unsafe.Pointer(&session)))
		if err != nil && len(t.sessions) == 0 {
			return nil, err
		}
		if err != nil {
			break // some tokens have few
		}
		t.sessions = append(t.sessions, session)
	}
	if err := t.login(t.sessions[0], userNormal); err != nil {
		return nil, err
	}
	return t, t.findKey(o)
}

// close ends the use of the token.
func (t *token) close() {
	if t != nil {
		t.module.finalize(nil)
	}
}

// login sends the PIN. Without one, a token with a keypad of its own asks for it.
func (t *token) login(session, user ulong) error {
	var pin unsafe.Pointer
	if t.pin != "" {
		pin = unsafe.Pointer(unsafe.StringData(t.pin))
	}
	r := t.module.login(session, user, pin, ulong(len(t.pin)))
	if r == returnAlreadyLoggedIn {
		return nil
	}
	if t.pin == "" {
		return check("log in to the token, for which no PIN is set", r)
	}
	return check("log in to the token", r)
}

// findSlot finds the slot of the token that is meant.
func findSlot(m *module, o options) (ulong, error) {
	slots, err := m.slots()
	if err != nil {
		return 0, err
	}
	var found []ulong
	var names []string
	for _, slot := range slots {
		var info tokenInfo
		if m.getTokenInfo(slot, unsafe.Pointer(&info)) != returnOK {
			continue
		}
		const initialized = 0x400
		if info.flags&initialized == 0 {
			continue
		}
		names = append(names, fmt.Sprintf("%q (serial number %s)", info.labelText(), info.serialText()))
		if (o.token == "" || info.labelText() == o.token) && (o.serial == "" || info.serialText() == o.serial) {
			found = append(found, slot)
		}
	}
	there := "there is no token"
	if len(names) > 0 {
		there = "there are " + strings.Join(names, ", ")
	}
	switch {
	case len(found) == 0 && o.token+o.serial == "":
		return 0, errors.New("there is no token; CKR_TOKEN_NOT_PRESENT")
	case len(found) == 0:
		return 0, fmt.Errorf("the token %q is not present; %s", o.token+o.serial, there)
	case len(found) > 1:
		return 0, fmt.Errorf("several tokens fit; %s; name one with --token or --serial", there)
	}
	return found[0], nil
}

// findKey finds the private key that is meant.
func (t *token) findKey(o options) error {
	id, err := hex.DecodeString(o.id)
	if err != nil {
		return fmt.Errorf("--id is not hexadecimal: %w", err)
	}
	m, session := t.module, t.sessions[0]
	all, err := m.objects(session, classPrivateKey)
	if err != nil {
		return err
	}
	found, names := 0, []string{}
	for _, key := range all {
		label, own := string(m.attribute(session, key, attrLabel)), m.attribute(session, key, attrID)
		kind, ok := m.number(session, key, attrKeyType)
		if !ok || kind != keyRSA && kind != keyEC || !m.isTrue(session, key, attrSign) {
			continue
		}
		names = append(names, fmt.Sprintf("%q (ID %x)", label, own))
		if o.key != "" && label != o.key || len(id) > 0 && !bytes.Equal(own, id) {
			continue
		}
		found++
		t.key, t.kind, t.id, t.always = key, kind, own, m.isTrue(session, key, attrAlwaysAuthenticate)
	}
	switch {
	case len(names) == 0:
		return errors.New("the token has no private key that signs")
	case found == 0:
		return fmt.Errorf("the token has no such key; it has %s", strings.Join(names, ", "))
	case found > 1:
		return fmt.Errorf("several keys fit: %s; name one with --key or --id", strings.Join(names, ", "))
	}
	return nil
}

// certificates returns the key's certificate and those that vouch for it.
func (t *token) certificates() ([][]byte, error) {
	if t.file != "" {
		return readCertificates(t.file)
	}
	m, session := t.module, t.sessions[0]
	objects, err := m.objects(session, classCertificate)
	if err != nil {
		return nil, err
	}
	var own *x509.Certificate
	var others []*x509.Certificate
	for _, o := range objects {
		c, err := x509.ParseCertificate(m.attribute(session, o, attrValue))
		switch {
		case err != nil:
		case own == nil && len(t.id) > 0 && bytes.Equal(m.attribute(session, o, attrID), t.id):
			own = c
		default:
			others = append(others, c)
		}
	}
	if own == nil {
		return nil, fmt.Errorf("the token has no certificate with the key's ID %x; name a file with --certificates", t.id)
	}
	chain := [][]byte{own.Raw}
	for c := own; !bytes.Equal(c.RawIssuer, c.RawSubject); {
		i := slices.IndexFunc(others, func(o *x509.Certificate) bool { return bytes.Equal(o.RawSubject, c.RawIssuer) })
		if i < 0 {
			break
		}
		c = others[i]
		others = slices.Delete(others, i, i+1)
		chain = append(chain, c.Raw)
	}
	return chain, nil
}

func readCertificates(path string) (all [][]byte, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			all = append(all, block.Bytes)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s has no certificate in PEM", path)
	}
	return all, nil
}

// sign signs digests, as many at a time as there are sessions.
func (t *token) sign(algorithm string, digests [][]byte) ([][]byte, error) {
	kinds := map[string]ulong{"rsa-pkcs1-sha256": keyRSA, "ecdsa-sha256": keyEC}
	if kind, ok := kinds[algorithm]; !ok || kind != t.kind {
		return nil, fmt.Errorf("the key does not sign with %q", algorithm)
	}
	for _, d := range digests {
		if len(d) != sha256.Size {
			return nil, fmt.Errorf("a digest has %d bytes", len(d))
		}
	}
	signatures, failures := make([][]byte, len(digests)), make([]error, len(t.sessions))
	next := make(chan int, len(digests))
	for i := range digests {
		next <- i
	}
	close(next)
	var work sync.WaitGroup
	for n, session := range t.sessions[:min(len(t.sessions), len(digests))] {
		work.Go(func() {
			for i := range next {
				if signatures[i], failures[n] = t.signOne(session, digests[i]); failures[n] != nil {
					return
				}
			}
		})
	}
	work.Wait()
	return signatures, errors.Join(failures...)
}

// digestInfo stands in front of a SHA-256 digest in PKCS #1, version 1.5.
const digestInfo = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"

// signOne signs a digest in a session.
func (t *token) signOne(session ulong, digest []byte) ([]byte, error) {
	how, data := &mechanism{kind: mechanismECDSA}, digest
	if t.kind == keyRSA {
		how.kind, data = mechanismRSA, append([]byte(digestInfo), digest...)
	}
	if err := check("begin a signature", t.module.signInit(session, unsafe.Pointer(how), t.key)); err != nil {
		return nil, err
	}
	if t.always {
		if err := t.login(session, userContext); err != nil {
			return nil, err
		}
	}
	const longest = 2048
	signature, size := make([]byte, longest), ulong(longest)
	if err := check("sign", t.module.signData(session, unsafe.Pointer(&data[0]), ulong(len(data)), unsafe.Pointer(&signature[0]), unsafe.Pointer(&size))); err != nil {
		return nil, err
	}
	signature = signature[:min(int(size), longest)]
	if t.kind == keyRSA {
		return signature, nil
	}
	if len(signature) == 0 || len(signature)%2 != 0 {
		return nil, fmt.Errorf("the token returned a signature of %d bytes", len(signature))
	}
	half := len(signature) / 2
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])})
}

// measure signs for some time, in all sessions, and returns how many signatures that were in a second.
func (t *token) measure(d time.Duration) (float64, error) {
	var done atomic.Int64
	failures := make([]error, len(t.sessions))
	digest := sha256.Sum256([]byte("how fast is this token?"))
	begun := time.Now()
	var work sync.WaitGroup
	for n, session := range t.sessions {
		work.Go(func() {
			for failures[n] == nil && time.Since(begun) < d {
				_, failures[n] = t.signOne(session, digest[:])
				done.Add(1)
			}
		})
	}
	work.Wait()
	return float64(done.Load()) / time.Since(begun).Seconds(), errors.Join(failures...)
}
