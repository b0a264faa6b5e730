package institutions

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/signer"
	"github.com/vecctl/vecctl/pkg/vault"
)

// openKey opens an institution's signing key, wherever it lies. A key that lies elsewhere is not
// asked for anything: a home opens without its signers. Where a key file is damaged, all but signing
// works.
func (s *Registry) openKey(ctx context.Context, i vault.Institution) (tenant, error) {
	r, certs, elsewhere, err := s.KeyStore.KeyRecord(i.ID)
	if err == nil && !elsewhere {
		var own *pdf.Signer
		if own, err = s.KeyStore.Signer(i.ID); err == nil {
			return tenant{institution: i, stamper: s.newStamper(own)}, nil
		}
	}
	if fault.Is(err, fault.Damaged) {
		return tenant{institution: i, keyError: err}, nil
	}
	if err != nil {
		return tenant{}, err
	}
	key, err := s.Signing.Signers.Key(ctx, r, certs)
	if err != nil {
		return tenant{}, err
	}
	own, err := pdf.NewSignerOf(key, certs)
	if err != nil {
		return tenant{}, err
	}
	return tenant{institution: i, stamper: s.newStamper(own), key: key}, nil
}

// location says where a tenant's signing key lies.
func (t tenant) location() string {
	if t.key == nil {
		return signer.InFile
	}
	return t.key.Location()
}

// closeKey ends what a key that lies elsewhere keeps open. Documents that are being signed with it
// wait, and are signed with the key that took its place.
func (t tenant) closeKey() error {
	if t.key == nil {
		return nil
	}
	return t.key.Close()
}

// SignsElsewhere reports whether an institution's key lies in no file of the home.
func (s *Registry) SignsElsewhere() bool {
	for _, one := range s.state.Load().tenants {
		if one.key != nil {
			return true
		}
	}
	return false
}

// Close ends what keys that lie elsewhere keep open.
func (s *Registry) Close() (err error) {
	for _, one := range s.state.Load().tenants {
		if e := one.closeKey(); err == nil {
			err = e
		}
	}
	return err
}

// UseKey has the acting institution sign with a key that lies elsewhere, or again with the last key
// file of the home. A document is signed for a test first: a key whose signatures would not be valid
// is refused.
func (s *Registry) UseKey(ctx context.Context, q adminclient.KeyPlace) (adminclient.ImportedKey, error) {
	if q.Location == signer.InFile {
		return s.useKeyFile(ctx)
	}
	r := signer.Record{Location: q.Location, Credential: q.Credential, ClientID: q.ClientID, ClientSecretFile: q.ClientSecretFile, PINFile: q.PINFile}
	key, certs, err := s.Signing.Signers.Take(ctx, r)
	if err != nil {
		return adminclient.ImportedKey{}, err
	}
	own, err := pdf.NewSignerOf(key, certs)
	var warnings []string
	if err == nil {
		warnings, err = own.Rehearse(s.Now())
	}
	var text []byte
	if err == nil {
		text, err = r.PEM(own.Certificates())
	}
	var taken adminclient.SigningKey
	if err == nil {
		taken, err = s.replaceSigner(ctx, own, text, key)
	}
	if err != nil {
		_ = key.Close() // it is not used
		return adminclient.ImportedKey{}, err
	}
	return adminclient.ImportedKey{SigningKey: taken, Warnings: warnings}, nil
}

// useKeyFile has the acting institution sign with the last key that lay in the home.
func (s *Registry) useKeyFile(ctx context.Context) (adminclient.ImportedKey, error) {
	who, err := s.ActingNow(ctx)
	if err != nil {
		return adminclient.ImportedKey{}, err
	}
	if s.state.Load().tenants[who.ID].key == nil {
		return adminclient.ImportedKey{}, fault.New(fault.Illegal, "the key in use is a key file of the home already; \"vecctl key import\" takes another one, \"vecctl key rotate\" makes a new one")
	}
	own, found, err := s.KeyStore.LastKeyFile(who.ID)
	if err == nil && !found {
		err = fault.New(fault.Illegal, "the home has no key file of before; take one with \"vecctl key import\", or make one with \"vecctl key rotate --self-made\"")
	}
	if err != nil {
		return adminclient.ImportedKey{}, err
	}
	return s.takeKeyFile(ctx, own)
}

// takeKeyFile has the acting institution sign with a key that the home keeps, once that has signed a
// document for a test.
func (s *Registry) takeKeyFile(ctx context.Context, own *pdf.Signer) (adminclient.ImportedKey, error) {
	warnings, err := own.Rehearse(s.Now())
	if err != nil {
		return adminclient.ImportedKey{}, err
	}
	text, err := own.PEM()
	if err != nil {
		return adminclient.ImportedKey{}, err
	}
	taken, err := s.replaceSigner(ctx, own, text, nil)
	return adminclient.ImportedKey{SigningKey: taken, Warnings: warnings}, err
}

// TestKeys has the keys of all institutions sign a throw-away document each.
func (s *Registry) TestKeys(context.Context) []adminclient.KeyCheck {
	var checks []adminclient.KeyCheck
	all := s.state.Load().tenants
	for _, id := range slices.Sorted(maps.Keys(all)) {
		one := all[id]
		check := adminclient.KeyCheck{Of: one.institution.Name, Location: one.location()}
		if one.stamper == nil {
			continue // Problems says that it was lost
		}
		if _, err := one.stamper.Rehearse(s.Now()); err != nil {
			var ok bool
			if check.Problem, ok = fault.Message(err); !ok {
				check.Problem = err.Error()
			}
		}
		checks = append(checks, check)
	}
	return checks
}

// elsewhereError refuses to make a key file in place of a key that lies elsewhere.
func elsewhereError(location string) error {
	return fault.New(fault.Illegal, fmt.Sprintf("the key in use lies elsewhere (%s); make the new one there and take it with \"vecctl key use\", "+
		"or give --self-made for one in a file of the home that nobody certifies", location))
}
