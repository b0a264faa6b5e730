package institutions

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/signer"
	"github.com/vecctl/vecctl/pkg/vault"
)

func signingKeyToAPI(c *x509.Certificate, location string) adminclient.SigningKey {
	return adminclient.SigningKey{
		Location: location, Algorithm: pdf.AlgorithmName(c.PublicKey),
		Subject: c.Subject.CommonName, Issuer: c.Issuer.CommonName,
		Fingerprint: FingerprintOf(c), ValidUntil: c.NotAfter.UTC(),
	}
}

// FingerprintOf is the SHA-256 of a certificate in lower-case hexadecimal.
func FingerprintOf(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// SigningKey is what the acting institution signs with.
func (s *Registry) SigningKey(ctx context.Context) (adminclient.SigningKey, error) {
	own, err := s.actingTenant(ctx)
	if err != nil {
		return adminclient.SigningKey{}, err
	}
	return signingKeyToAPI(own.certificate(), own.location()), nil
}

// actingTenant is the acting institution with what it signs with, which is there.
func (s *Registry) actingTenant(ctx context.Context) (tenant, error) {
	who := s.Acting(ctx).ID
	if who == 0 {
		return tenant{}, s.UnnamedError()
	}
	if _, err := s.Stamper(who); err != nil {
		return tenant{}, err
	}
	return s.state.Load().tenants[who], nil
}

// TestKey has the acting institution's key sign a throw-away document, and judges what it made. A
// key whose signatures are not valid is an error.
func (s *Registry) TestKey(ctx context.Context) (adminclient.TestedKey, error) {
	own, err := s.actingTenant(ctx)
	if err != nil {
		return adminclient.TestedKey{}, err
	}
	warnings, err := own.stamper.Rehearse(s.Now())
	if err != nil {
		return adminclient.TestedKey{}, err
	}
	return adminclient.TestedKey{SigningKey: signingKeyToAPI(own.certificate(), own.location()), Warnings: warnings}, nil
}

// KeyOwner returns the institution of the home that signs, or signed before, with the certificate
// of a fingerprint; false where none did.
func (s *Registry) KeyOwner(fingerprint string) (vault.Institution, bool, error) {
	all := s.state.Load().tenants
	for _, id := range slices.Sorted(maps.Keys(all)) {
		one := all[id]
		if c := one.certificate(); c != nil && FingerprintOf(c) == fingerprint {
			return one.institution, true, nil
		}
		replaced, err := s.KeyStore.ReplacedCertificates(id)
		if err != nil {
			return vault.Institution{}, false, err
		}
		if slices.ContainsFunc(replaced, func(c home.ReplacedCertificate) bool { return FingerprintOf(c.Certificate) == fingerprint }) {
			return one.institution, true, nil
		}
	}
	return vault.Institution{}, false, nil
}

// SignsWith reports whether an institution of the home signs with the certificate of a
// fingerprint, which is its SHA-256 in lower-case hexadecimal.
func (s *Registry) SignsWith(fingerprint string) bool {
	for _, one := range s.state.Load().tenants {
		if c := one.certificate(); c != nil && FingerprintOf(c) == fingerprint {
			return true
		}
	}
	return false
}

// RotateKey is ReplaceKey by a key of the same kind.
func (s *Registry) RotateKey(ctx context.Context, selfMade bool) (adminclient.SigningKey, error) {
	return s.ReplaceKey(ctx, "", selfMade)
}

// ReplaceKey has the acting institution sign with a new self-made key from now on; algorithm is its
// kind, "" the same as before. A key that somebody else has certified, or that lies elsewhere, is
// replaced only when selfMade says so; one that was lost is replaced by any.
func (s *Registry) ReplaceKey(ctx context.Context, algorithm string, selfMade bool) (adminclient.SigningKey, error) {
	who, err := s.ActingNow(ctx)
	if err != nil {
		return adminclient.SigningKey{}, err
	}
	own := s.state.Load().tenants[who.ID]
	if own.key != nil && !selfMade {
		return adminclient.SigningKey{}, elsewhereError(own.location())
	}
	old := own.certificate()
	if old != nil && old.Issuer.String() != old.Subject.String() && !selfMade {
		return adminclient.SigningKey{}, fault.Newf(fault.Illegal, "the key in use names %s as the issuer of its certificate; have a new one certified and use \"vecctl key import\", "+
			"or give --self-made for one that nobody certifies", old.Issuer.CommonName)
	}
	kind := sameKind(old, s.Signing.kind())
	if algorithm != "" {
		if kind, err = pdf.ParseKeyAlgorithm(algorithm); err != nil {
			return adminclient.SigningKey{}, err
		}
	}
	made, err := s.KeyStore.NewSigner(s.Random, kind, who.Name, s.Now())
	if err != nil {
		return adminclient.SigningKey{}, err
	}
	text, err := made.PEM()
	if err != nil {
		return adminclient.SigningKey{}, err
	}
	return s.replaceSigner(ctx, made, text, nil)
}

// KeyExpiry returns when the first of the signing keys ends; zero where all were lost.
func (s *Registry) KeyExpiry() time.Time {
	var first time.Time
	for _, one := range s.state.Load().tenants {
		if c := one.certificate(); c != nil && (first.IsZero() || c.NotAfter.Before(first)) {
			first = c.NotAfter
		}
	}
	return first
}

// endingKey is the signing key of an institution, which has one.
func (t tenant) endingKey() vault.EndingKey {
	c := t.certificate()
	return vault.EndingKey{Institution: t.institution.ID, What: "the signing key of " + t.institution.Name, ID: FingerprintOf(c), End: c.NotAfter,
		Fix: "replace it with \"vecctl key rotate\" or \"vecctl key import\"; what was signed stays valid"}
}

// ImportedKeys are the signing keys that are not renewed by themselves.
func (s *Registry) ImportedKeys() []vault.EndingKey {
	var keys []vault.EndingKey
	for _, one := range s.state.Load().tenants {
		if c := one.certificate(); c != nil && (one.key != nil || !home.IsSelfMade(c)) && !one.institution.Closed() {
			keys = append(keys, one.endingKey())
		}
	}
	slices.SortFunc(keys, func(a, b vault.EndingKey) int { return cmp.Compare(a.Institution, b.Institution) })
	return keys
}

// RenewKeys puts new self-made keys in place of self-made ones that end soon, and returns the
// institutions that have one. The certificates before stay listed, and what they signed stays
// valid.
func (s *Registry) RenewKeys() (renewed []vault.Institution, err error) {
	s.configuring.Lock()
	defer s.configuring.Unlock()
	all := s.state.Load().tenants
	for _, id := range slices.Sorted(maps.Keys(all)) {
		one := all[id]
		c := one.certificate()
		if c == nil || one.key != nil || !home.IsSelfMade(c) || one.institution.Closed() || c.NotAfter.Sub(s.Now()) >= vault.KeyEndWarning {
			continue
		}
		made, err := s.KeyStore.NewSigner(s.Random, sameKind(c, s.Signing.kind()), one.institution.Name, s.Now())
		if err != nil {
			return renewed, err
		}
		text, err := made.PEM()
		if err != nil {
			return renewed, err
		}
		if _, err := s.putSigner(one.institution, made, text, nil); err != nil {
			return renewed, err
		}
		renewed = append(renewed, one.institution)
	}
	return renewed, nil
}

// Problems are the signing keys that were lost, have ended, or soon will.
func (s *Registry) Problems() []adminclient.Problem {
	var found []adminclient.Problem
	now := s.Now()
	for id, one := range s.state.Load().tenants {
		if one.keyError != nil {
			one = s.reloadKey(id)
		}
		if one.keyError != nil {
			found = append(found, adminclient.Problem{Kind: adminclient.KeyLostProblem, Message: "issuing is paused: " + keyErrorText(one.keyError)})
			continue
		}
		if message := one.endingKey().Describe(now); message != "" {
			found = append(found, adminclient.Problem{Kind: adminclient.KeyProblem, Message: message})
		}
	}
	slices.SortFunc(found, func(a, b adminclient.Problem) int { return strings.Compare(a.Message, b.Message) })
	return found
}

// keyErrorText says why a key cannot be used.
func keyErrorText(err error) string {
	if message, ok := fault.Message(err); ok {
		return message
	}
	return err.Error()
}

// ImportKey has the acting institution sign with a key of its own from now on;
// text is the key and its chain in PEM. A key whose signatures would not be valid is
// refused.
func (s *Registry) ImportKey(ctx context.Context, text []byte) (adminclient.ImportedKey, error) {
	own, err := pdf.LoadSigner(text, text)
	if err != nil {
		return adminclient.ImportedKey{}, err
	}
	return s.takeKeyFile(ctx, own)
}

// replaceSigner puts a key in place of the acting institution's; text is what the home keeps of it,
// and key the key itself where it lies elsewhere. What was signed with the one before carries its
// certificate, and stays valid.
func (s *Registry) replaceSigner(ctx context.Context, own *pdf.Signer, text []byte, key *signer.Key) (adminclient.SigningKey, error) {
	s.configuring.Lock()
	defer s.configuring.Unlock()
	of, err := s.ActingNow(ctx)
	if err != nil {
		return adminclient.SigningKey{}, err
	}
	return s.putSigner(of, own, text, key)
}

// putSigner is replaceSigner of an institution that is named; configuring is held.
func (s *Registry) putSigner(of vault.Institution, own *pdf.Signer, text []byte, key *signer.Key) (adminclient.SigningKey, error) {
	next := *s.state.Load()
	before := next.tenants[of.ID]
	if err := s.KeyStore.ReplaceSigner(of.ID, text, s.Now()); err != nil {
		return adminclient.SigningKey{}, err
	}
	after := tenant{institution: of, stamper: s.newStamper(own), key: key}
	next = next.with(after)
	s.state.Store(&next)
	s.Changed()
	return signingKeyToAPI(own.Certificate(), after.location()), before.closeKey()
}

// Keys lists what the institutions sign with, and signed with before.
func (s *Registry) Keys() ([]adminclient.Key, error) {
	var keys []adminclient.Key
	all := s.state.Load().tenants
	for _, id := range slices.Sorted(maps.Keys(all)) {
		one := all[id]
		if c := one.certificate(); c != nil {
			keys = append(keys, keyToAPI(one.institution, c, adminclient.KeyCurrent, one.location()))
		} else {
			keys = append(keys, adminclient.Key{What: adminclient.InstitutionKey, Of: one.institution.Name, State: adminclient.KeyLost})
		}
		replaced, err := s.KeyStore.ReplacedCertificates(id)
		if err != nil {
			return nil, err
		}
		for _, c := range replaced {
			keys = append(keys, keyToAPI(one.institution, c.Certificate, adminclient.KeyVerifies, ""))
		}
	}
	return keys, nil
}

func keyToAPI(of vault.Institution, c *x509.Certificate, state, location string) adminclient.Key {
	const shown = 16 // digits of the fingerprint
	return adminclient.Key{What: adminclient.InstitutionKey, ID: FingerprintOf(c)[:shown], Of: of.Name, State: state, Location: location,
		CreatedAt: client.TimeOrNull(c.NotBefore.UTC()), ExpiresAt: client.TimeOrNull(c.NotAfter.UTC())}
}
