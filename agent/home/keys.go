package home

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// keyYears is how long a self-made signing certificate is valid.
const keyYears = 10

// signing is the file of the signing key and its certificate chain: one file,
// so that the two can never be of different makes.
func (d Dir) signing() string { return filepath.Join(d.Keys(), "signing.pem") }

// Signer loads the signing key; where there is none, it is made first, with a
// self-signed certificate in the institution's name.
func (d Dir) Signer(random io.Reader, institution string, now time.Time) (*pdf.Signer, error) {
	pem, err := os.ReadFile(d.signing())
	if errors.Is(err, fs.ErrNotExist) {
		return d.MakeSigner(random, institution, now)
	}
	if err != nil {
		return nil, blob.DiskError(err, "reading the signing key")
	}
	signer, err := pdf.LoadSigner(pem, pem)
	if err != nil {
		return nil, fmt.Errorf("loading the signing key %s: %w", d.signing(), err)
	}
	return signer, nil
}

// MakeSigner makes a new signing key in place of any that is there.
func (d Dir) MakeSigner(random io.Reader, institution string, now time.Time) (*pdf.Signer, error) {
	key, cert, err := pdf.NewSelfSigned(random, institution, now, keyYears)
	if err != nil {
		return nil, fmt.Errorf("making a signing key: %w", err)
	}
	if err := write(d.signing(), slices.Concat(key, cert)); err != nil {
		return nil, err
	}
	signer, err := pdf.LoadSigner(key, cert)
	if err != nil {
		return nil, fmt.Errorf("loading the new signing key: %w", err)
	}
	return signer, nil
}
