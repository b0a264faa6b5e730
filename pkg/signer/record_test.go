package signer_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/signer"
)

func certsOf(all ...*x509.Certificate) []*x509.Certificate { return all }

// A record is read as it was written, and a key file is none.
func TestRecordAsPEM(t *testing.T) {
	t.Parallel()
	_, cert := keyFile(t, newECDSA(t))
	r := signer.Record{Location: "csc:https://sign.example.org/csc/v2", Credential: "seal", ClientID: "vault", ClientSecretFile: "/etc/secret", PINFile: "/etc/pin"}
	text, err := r.PEM(certsOf(cert, cert))
	if err != nil {
		t.Fatal(err)
	}
	got, certs, found, err := signer.ParsePEM(text)
	if err != nil || !found || got != r || len(certs) != 2 || !certs[1].Equal(cert) {
		t.Errorf("%+v, %d certificates, %v, %v", got, len(certs), found, err)
	}
	for _, text := range []string{"", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		if _, _, found, err := signer.ParsePEM([]byte(text)); found || err != nil {
			t.Errorf("%q: %v, %v", text, found, err)
		}
	}
	for name, damaged := range map[string]string{
		"no JSON":        "-----BEGIN VECCTL SIGNER-----\nAAAA\n-----END VECCTL SIGNER-----\n",
		"no certificate": string(text[:len(text)/4]),
	} {
		if name == "no certificate" {
			text, err := r.PEM(nil)
			if err != nil {
				t.Fatal(err)
			}
			damaged = string(text)
		}
		if _, _, found, err := signer.ParsePEM([]byte(damaged)); !found || !fault.Is(err, fault.Damaged) {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
}

// Only what every signer can make is asked of one.
func TestKeysSignSHA256Only(t *testing.T) {
	t.Parallel()
	path, cert := keyFile(t, newRSA(t))
	k, err := opener("good").Key(t.Context(), execRecord(t, path), certsOf(cert))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	for name, try := range map[string]struct {
		digest []byte
		opts   crypto.SignerOpts
	}{
		"another hash": {make([]byte, 48), crypto.SHA384}, "a short digest": {make([]byte, 31), crypto.SHA256},
		"PSS": {make([]byte, sha256.Size), &rsa.PSSOptions{Hash: crypto.SHA256}},
	} {
		if _, err := k.Sign(nil, try.digest, try.opts); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
