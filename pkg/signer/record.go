package signer

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/ssrf"
)

// Locations of keys.
const (
	InFile = "file"  // in a key file of the home
	ByExec = "exec:" // behind a helper process: exec:PATH ARGUMENTS
	ByCSC  = "csc:"  // behind a signing service: csc:URL
)

// pemType is that of the block with a record.
const pemType = "VECCTL SIGNER"

// Record says where a key lies. The home keeps it in place of the key, beside the certificates.
type Record struct {
	Location string `json:"location"`
	// What follows names whose key and what secret, where the settings do not.
	Credential       string `json:"credential,omitempty"` // of a signing service: which of several keys
	ClientID         string `json:"client_id,omitempty"`
	ClientSecretFile string `json:"client_secret_file,omitempty"`
	PINFile          string `json:"pin_file,omitempty"`
}

// Validate checks the form of a record.
func (r Record) Validate() error {
	for _, path := range []string{r.PINFile, r.ClientSecretFile} {
		if path != "" && !filepath.IsAbs(path) {
			return fault.Newf(fault.Invalid, "%s is no absolute path; name the file of a secret from the root", path)
		}
	}
	if command, ok := strings.CutPrefix(r.Location, ByExec); ok {
		words, err := splitWords(command)
		if err != nil {
			return err
		}
		if len(words) == 0 || !filepath.IsAbs(words[0]) {
			return fault.Newf(fault.Invalid, "%q names no helper; want exec: with an absolute path, such as exec:/usr/bin/vecctl-pkcs11", r.Location)
		}
		if info, err := os.Stat(words[0]); err != nil || !info.Mode().IsRegular() {
			return fault.Newf(fault.Invalid, "there is no program %s; name the helper by its path", words[0])
		}
		return nil
	}
	if address, ok := strings.CutPrefix(r.Location, ByCSC); ok {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || (u.Scheme != "https" && u.Scheme != "http") {
			return fault.Newf(fault.Invalid, "%q names no signing service; want csc: with an address, such as csc:https://sign.example.org/csc/v2", r.Location)
		}
		return nil
	}
	return fault.Newf(fault.Invalid, "%q is no place of a key; want file, exec:PATH or csc:URL", r.Location)
}

// PEM returns the record and certificates as one text, in the form of a key file.
func (r Record) PEM(certs []*x509.Certificate) ([]byte, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write where a key lies: %w", err)
	}
	out := pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: body})
	for _, c := range certs {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out, nil
}

// ParsePEM reads what PEM wrote; found is false for a key file with a key in it.
func ParsePEM(text []byte) (r Record, certs []*x509.Certificate, found bool, err error) {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != pemType {
		return r, nil, false, nil
	}
	in := json.NewDecoder(bytes.NewReader(block.Bytes))
	in.DisallowUnknownFields()
	if err := in.Decode(&r); err != nil {
		return r, nil, true, fault.Wrap(fault.Damaged, err, "where the signing key lies cannot be read")
	}
	var all [][]byte
	for block, rest = pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
		all = append(all, block.Bytes)
	}
	if certs, err = parseCertificates(r.Location, all); err != nil {
		return r, nil, true, fault.Wrap(fault.Damaged, err, err.Error())
	}
	return r, certs, true, nil
}

// Secret is a PIN or a password. It is read anew for each use, so that a changed file counts at once.
type Secret struct {
	Value string
	File  string // "" where Value counts
	Name  string // what to correct where it is wrong, such as signing.pin
}

// read returns the secret; "" is none.
func (s Secret) read() (string, error) {
	if s.File == "" {
		return s.Value, nil
	}
	body, err := os.ReadFile(s.File)
	if err != nil {
		return "", failuref(err, "the file %s of a secret cannot be read; correct %s", s.File, s.Name)
	}
	return strings.TrimRight(string(body), "\r\n"), nil
}

// orFile returns the secret in a file, where one is named.
func (s Secret) orFile(path, name string) Secret {
	if path == "" {
		return s
	}
	return Secret{File: path, Name: name}
}

// Opener opens backends.
type Opener struct {
	PIN, ClientSecret Secret // for records that name no files
	ClientID          string
	Timeout           time.Duration // of a call
	Environ           []string      // of helpers
	Client            *ssrf.Client  // to signing services
}

// Open opens the backend of a record. It calls nothing.
func (o Opener) Open(r Record) (Backend, error) {
	pin := o.PIN.orFile(r.PINFile, "--pin-file of \"vecctl key use\"")
	if command, ok := strings.CutPrefix(r.Location, ByExec); ok {
		words, err := splitWords(command)
		if err != nil {
			return nil, err
		}
		return &Exec{command: words, environ: o.Environ, pin: pin}, nil
	}
	if address, ok := strings.CutPrefix(r.Location, ByCSC); ok {
		return o.service(address, r, pin), nil
	}
	return nil, r.Validate()
}

// service is the signing service at an address.
func (o Opener) service(address string, r Record, pin Secret) *CSC {
	return &CSC{base: strings.TrimSuffix(address, "/"), credential: r.Credential, clientID: cmp.Or(r.ClientID, o.ClientID), pin: pin, client: o.Client,
		secret: o.ClientSecret.orFile(r.ClientSecretFile, "--client-secret-file of \"vecctl key use\"")}
}

// Key opens the key of a record with its certificate.
func (o Opener) Key(ctx context.Context, r Record, certs []*x509.Certificate) (*Key, error) {
	b, err := o.Open(r)
	if err != nil {
		return nil, err
	}
	return NewKey(ctx, r.Location, b, certs[0], o.Timeout)
}

// Take asks for the certificates of the key of a record, and opens it. The key's own certificate is
// the first that issued none of the others.
func (o Opener) Take(ctx context.Context, r Record) (k *Key, certs []*x509.Certificate, err error) {
	if err := r.Validate(); err != nil {
		return nil, nil, err
	}
	b, err := o.Open(r)
	if err != nil {
		return nil, nil, err
	}
	patient, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	if certs, err = b.Certificates(patient); err != nil {
		if errors.Is(patient.Err(), context.DeadlineExceeded) {
			err = failuref(err, "%s does not answer in %s", r.Location, o.Timeout)
		}
		return nil, nil, errors.Join(err, b.Close())
	}
	certs = leafFirst(certs)
	if k, err = NewKey(ctx, r.Location, b, certs[0], o.Timeout); err != nil {
		return nil, nil, errors.Join(err, b.Close())
	}
	return k, certs, nil
}

// leafFirst moves the first certificate that issued none of the others to the front.
func leafFirst(certs []*x509.Certificate) []*x509.Certificate {
	for i, c := range certs {
		issuer := false
		for j, o := range certs {
			issuer = issuer || i != j && bytes.Equal(o.RawIssuer, c.RawSubject)
		}
		if !issuer {
			out := append([]*x509.Certificate{c}, certs[:i]...)
			return append(out, certs[i+1:]...)
		}
	}
	return certs
}

// splitWords splits a command into words. Quotes keep what they enclose together; no shell reads it.
func splitWords(command string) (words []string, err error) {
	var word strings.Builder
	var quote rune
	begun := false
	for _, c := range command {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '"' || c == '\'':
			quote, begun = c, true
		case c == ' ' || c == '\t':
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(c)
			begun = true
		}
	}
	if quote != 0 {
		return nil, fault.Newf(fault.Invalid, "%q has a quote without its end", command)
	}
	if begun {
		words = append(words, word.String())
	}
	return words, nil
}
