package home

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/signer"
)

// KeyRecord returns where an institution's signing key lies, and its certificates, where the home
// itself does not have the key; found is false where it does.
func (d Dir) KeyRecord(institution uint32) (r signer.Record, certs []*x509.Certificate, found bool, err error) {
	text, err := os.ReadFile(d.signingKeyFile(institution))
	if err != nil {
		return r, nil, false, fsutil.DiskError(err, "reading the signing key")
	}
	r, certs, found, err = signer.ParsePEM(text)
	if err != nil {
		return r, nil, found, fault.At(fmt.Sprintf("the file %s", d.signingKeyFile(institution)), err)
	}
	return r, certs, found, nil
}

// LastKeyFile returns the last key of an institution that lay in the home and was replaced; found is
// false where there is none.
func (d Dir) LastKeyFile(institution uint32) (s *pdf.Signer, found bool, err error) {
	all, err := filepath.Glob(strings.TrimSuffix(d.signingKeyFile(institution), ".pem") + replacedMarker + "*.pem")
	if err != nil {
		return nil, false, fmt.Errorf("looking for replaced keys: %w", err)
	}
	slices.Sort(all) // their names begin with the moment of the replacement
	for _, path := range slices.Backward(all) {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, false, fsutil.DiskError(err, "reading a replaced signing key")
		}
		if _, _, elsewhere, _ := signer.ParsePEM(text); elsewhere {
			continue
		}
		s, err = pdf.LoadSigner(text, text)
		return s, err == nil, fault.At(path, err)
	}
	return nil, false, nil
}
