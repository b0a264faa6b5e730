package home

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// keyYears is how long a self-made signing certificate is valid.
const keyYears = 10

// signingKeyFile is the file of an institution's signing key and its certificate chain:
// one file, so that the two can never be of different makes. The first
// institution's has no number.
func (d Dir) signingKeyFile(institution uint32) string {
	if institution <= 1 {
		return filepath.Join(d.Keys(), "signing.pem")
	}
	return filepath.Join(d.Keys(), fmt.Sprintf("signing-%d.pem", institution))
}

// HasSigner reports whether an institution has a signing key.
func (d Dir) HasSigner(institution uint32) (bool, error) {
	_, err := os.Stat(d.signingKeyFile(institution))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, fsutil.DiskError(err, "looking for the signing key")
}

// MissingSignerError is the error for a key that is missing although it has signed.
func (d Dir) MissingSignerError(institution uint32) error {
	return fault.Newf(fault.Damaged, "the signing key %s is missing, although certificates were signed with it; "+
		"put it back from a backup, so that all certificates have one signature, or replace it with \"vecctl key rotate\" or \"vecctl key import\"", d.signingKeyFile(institution))
}

// Signer loads an institution's signing key.
func (d Dir) Signer(institution uint32) (*pdf.Signer, error) {
	pem, err := os.ReadFile(d.signingKeyFile(institution))
	if err != nil {
		return nil, fsutil.DiskError(err, "reading the signing key")
	}
	signer, err := pdf.LoadSigner(pem, pem)
	if err != nil {
		why, _ := fault.Message(err)
		return nil, fault.Wrap(fault.Damaged, err, fmt.Sprintf(
			"the signing key %s cannot be used (%s); put it back from a backup, or replace it with \"vecctl key rotate\" or \"vecctl key import\"", d.signingKeyFile(institution), why))
	}
	return signer, nil
}

// ReplaceSigner puts a key with its certificates in place of an institution's, or a record of where
// the key lies. The one before is kept
// beside it, under the moment at which it went and its checksum: nothing needs it any
// more, since each document carries its certificate, but it may have been replaced by
// mistake.
func (d Dir) ReplaceSigner(institution uint32, pem []byte, now time.Time) error {
	path := d.signingKeyFile(institution)
	switch old, err := os.ReadFile(path); {
	case err == nil:
		kept := fmt.Sprintf("%s%s%s-%08x.pem", strings.TrimSuffix(path, ".pem"), replacedMarker, now.UTC().Format("20060102T150405"), crc32.ChecksumIEEE(old))
		if err := fsutil.ReplaceFile(kept, old); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return fsutil.DiskError(err, "reading the signing key")
	}
	return fsutil.ReplaceFile(path, pem)
}

// RemoveSigner removes the key of an institution that has signed nothing.
func (d Dir) RemoveSigner(institution uint32) error {
	_, err := fsutil.RemoveFile(d.signingKeyFile(institution))
	return err
}

// replacedMarker stands in the name of a key that signs no more.
const replacedMarker = "-until-"

// ReplacedCertificate is the certificate of a signing key that signs no more.
type ReplacedCertificate struct {
	*x509.Certificate

	Until time.Time // when the key was replaced
}

// ReplacedCertificates returns the certificates of an institution's earlier signing keys, the first
// first. A file that cannot be read is left out: nothing needs it.
func (d Dir) ReplacedCertificates(institution uint32) ([]ReplacedCertificate, error) {
	prefix := strings.TrimSuffix(d.signingKeyFile(institution), ".pem") + replacedMarker
	files, err := filepath.Glob(prefix + "*.pem")
	if err != nil {
		return nil, fmt.Errorf("look for earlier signing keys: %w", err)
	}
	var found []ReplacedCertificate
	for _, path := range files {
		text, _, _ := strings.Cut(strings.TrimPrefix(path, prefix), "-")
		until, err := time.Parse("20060102T150405", text)
		if err != nil {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fsutil.DiskError(err, "reading an earlier signing key")
		}
		for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
			if block.Type != "CERTIFICATE" {
				continue
			}
			if c, err := x509.ParseCertificate(block.Bytes); err == nil {
				found = append(found, ReplacedCertificate{c, until})
			}
			break // the signer's stands first
		}
	}
	slices.SortStableFunc(found, func(a, b ReplacedCertificate) int { return a.Until.Compare(b.Until) })
	return found, nil
}

// IsReplacedKey reports whether a file of Keys is that of a key that was replaced.
func IsReplacedKey(path string) bool { return strings.Contains(filepath.Base(path), replacedMarker) }

// NewSigner makes a signing key and puts it nowhere.
func (Dir) NewSigner(random io.Reader, kind pdf.KeyAlgorithm, name string, now time.Time) (*pdf.Signer, error) {
	key, cert, err := pdf.NewKey(random, kind, name, now, keyYears)
	if err != nil {
		return nil, fmt.Errorf("making a signing key: %w", err)
	}
	signer, err := pdf.LoadSigner(key, cert)
	if err != nil {
		return nil, fmt.Errorf("loading the new signing key: %w", err)
	}
	return signer, nil
}

// IsSelfMade reports whether a certificate is one of NewSigner's, which nobody certifies.
func IsSelfMade(c *x509.Certificate) bool {
	own := pkix.Name{CommonName: c.Subject.CommonName}.String()
	return c.Subject.String() == own && c.Issuer.String() == own && c.NotAfter.Equal(c.NotBefore.Add(time.Hour).AddDate(keyYears, 0, 0))
}

// MakeSigner makes a new signing key for an institution in place of any that is
// there.
func (d Dir) MakeSigner(random io.Reader, institution uint32, kind pdf.KeyAlgorithm, name string, now time.Time) (*pdf.Signer, error) {
	signer, err := d.NewSigner(random, kind, name, now)
	if err != nil {
		return nil, err
	}
	pem, err := signer.PEM()
	if err != nil {
		return nil, err
	}
	return signer, fsutil.ReplaceFile(d.signingKeyFile(institution), pem)
}
