package signer_test

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/signer"
)

// helperMode makes the test program a helper that behaves as the variable says.
const helperMode = "SIGNER_TEST_HELPER"

func TestMain(m *testing.M) {
	if mode := os.Getenv(helperMode); mode != "" {
		if err := actAsHelper(mode); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

type request struct {
	ID      int64    `json:"id"`
	Op      string   `json:"op"`
	PIN     string   `json:"pin"`
	Digests [][]byte `json:"digests"`
}

// actAsHelper signs with the key in the file that the first argument names.
func actAsHelper(mode string) error {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	block, rest := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return err
	}
	var certs [][]byte
	for block, rest = pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
		certs = append(certs, block.Bytes)
	}
	note := func(text string) {
		f, err := os.OpenFile(os.Args[1]+".calls", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			fmt.Fprintln(f, text)
			f.Close()
		}
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var q request
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			return err
		}
		note(fmt.Sprintf("%s %d", q.Op, len(q.Digests)))
		answer := map[string]any{"id": q.ID}
		switch q.Op {
		case "open":
			answer["protocol"] = 1
			if mode == "pin" && q.PIN != "1234" {
				answer = map[string]any{"id": q.ID, "error": "CKR_PIN_INCORRECT for " + q.PIN, "code": "pin"}
			}
			if mode == "version" {
				answer["protocol"] = 2
			}
		case "certificates":
			answer["certificates"] = certs
			if mode == "no certificate" {
				answer["certificates"] = [][]byte{}
			}
			if mode == "bad certificate" {
				answer["certificates"] = [][]byte{[]byte("none")}
			}
		case "sign":
			var signatures [][]byte
			for _, d := range q.Digests {
				s, err := key.(crypto.Signer).Sign(rand.Reader, d, crypto.SHA256)
				if err != nil {
					return err
				}
				signatures = append(signatures, s)
			}
			answer["signatures"] = signatures
			if skip, err := misbehave(mode, q, key.(crypto.Signer), answer, signatures); skip || err != nil {
				if err != nil {
					return err
				}
				continue
			}
		}
		line, err := json.Marshal(answer)
		if err != nil {
			return err
		}
		fmt.Println(string(line))
	}
	return nil
}

// misbehave changes the answer to a request to sign, as the mode says.
func misbehave(mode string, q request, key crypto.Signer, answer map[string]any, signatures [][]byte) (skip bool, err error) {
	switch mode {
	case "short":
		answer["signatures"] = [][]byte{signatures[0][:8]}
	case "empty":
		answer["signatures"] = [][]byte{{}}
	case "too few":
		answer["signatures"] = [][]byte{}
	case "too many":
		answer["signatures"] = append(signatures, signatures[0])
	case "none":
		delete(answer, "signatures")
	case "other key":
		other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		s, err := other.Sign(rand.Reader, q.Digests[0], crypto.SHA256)
		answer["signatures"] = [][]byte{s}
		return false, err
	case "other digest":
		s, err := key.Sign(rand.Reader, make([]byte, sha256.Size), crypto.SHA256)
		answer["signatures"] = [][]byte{s}
		return false, err
	case "wrong algorithm":
		private, ok := key.(*rsa.PrivateKey)
		if !ok {
			return false, nil
		}
		s, err := rsa.SignPSS(rand.Reader, private, crypto.SHA256, q.Digests[0], nil)
		answer["signatures"] = [][]byte{s}
		return false, err
	case "garbage":
		fmt.Println("\x00\x01 is this JSON? " + "1234")
		return true, nil
	case "endless":
		fmt.Println(strings.Repeat("x", 2<<20))
		return true, nil
	case "silent":
		return true, nil
	case "dies":
		return false, fmt.Errorf("the token was pulled out, with PIN %s", "1234")
	case "refuses":
		answer["error"] = "CKR_DEVICE_REMOVED after PIN 1234"
		delete(answer, "signatures")
	case "old answer":
		answer["id"] = q.ID - 1
	case "unasked":
		line, err := json.Marshal(answer)
		fmt.Println(string(line))
		return false, err
	}
	return false, nil
}

// keyFile writes a key with its certificate, and returns the path and the certificate.
func keyFile(t testing.TB, key crypto.Signer) (string, *x509.Certificate) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Example University"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	path := filepath.Join(t.TempDir(), "the key.pem")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, cert
}

func newECDSA(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newRSA(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// execRecord is a record of a key behind this program as a helper.
func execRecord(t testing.TB, path string) signer.Record {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return signer.Record{Location: fmt.Sprintf("exec:%s %q", program, path)}
}

func opener(mode string) signer.Opener {
	return signer.Opener{Timeout: 20 * time.Second, Environ: []string{helperMode + "=" + mode, "GORACE=atexit_sleep_ms=0"},
		PIN: signer.Secret{Value: "1234", Name: "signing.pin"}}
}
