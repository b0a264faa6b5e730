// Package badges makes the Open Badges 3.0 credentials of certificates when they are asked for,
// keeps them, and publishes their issuers and status lists.
package badges

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/openbadge"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Store is what is needed of the store.
type Store interface {
	ByReference(ctx context.Context, reference string) (vault.Certificate, error)
	// Version is another number after each change of a certificate.
	Version(reference string) uint64
}

// Tables of the store that this package keeps its records in.
const (
	table      = "badges"        // by reference ID: salt, place in a status list, credential
	indexTable = "badge_indexes" // by institution, list and index: reference ID
)

// Tables lists them.
func Tables() []string { return []string{table, indexTable} }

// Options are what the service is made of.
type Options struct {
	Store        Store
	Rows         store.Rows // with Tables
	Institutions institutions.Directory
	Shape        openbadge.Shape // of pictures
	// Setup is that of the institutions: their key store, clock and randomness serve here too.
	Setup institutions.Options
}

// Service makes, keeps and publishes credentials. It is safe for concurrent use.
type Service struct {
	Options
	mu      sync.Mutex
	signers map[uint32]*issuerKeys
	lists   map[listKey]*statusList
}

// New makes the service; it starts nothing.
func New(o Options) *Service {
	return &Service{Options: o, signers: map[uint32]*issuerKeys{}, lists: map[listKey]*statusList{}}
}

// issuerKeys are an institution's keys with the signer that uses the newest.
type issuerKeys struct {
	did    string
	keys   []openbadge.SigningKey
	signer *openbadge.Signer
}

// record is what is kept of a certificate's credential.
type record struct {
	Institution uint32 `json:"institution"`
	List        int    `json:"list"`
	Index       int    `json:"index"`
	Salt        string `json:"salt"`
	// Basis is a hash of what the credential says; another one, and it is made anew.
	Basis      string          `json:"basis,omitempty"`
	Credential json.RawMessage `json:"credential,omitempty"`
}

// DID is the identifier of an institution as an issuer: that of the base URL, and below it for all
// institutions but the first.
func (s *Service) DID(institution uint32) (string, error) {
	if institution == 1 {
		return openbadge.DIDWeb(s.base())
	}
	return openbadge.DIDWeb(s.base(), "issuers", fmt.Sprint(institution))
}

// base is the base URL in ASCII, as QR codes have it, without a slash at its end.
func (s *Service) base() string { return strings.TrimSuffix(s.Institutions.Links().Verify(""), "/v/") }

// issuer returns an institution's keys. The first call draws one; another base URL is another
// issuer with the same keys.
func (s *Service) issuer(institution uint32) (*issuerKeys, error) {
	did, err := s.DID(institution)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.signers[institution]; k != nil && k.did == did {
		return k, nil
	}
	keys, err := s.Setup.KeyStore.CredentialKeys(institution)
	if err == nil && len(keys) == 0 {
		keys, err = s.Setup.KeyStore.AddCredentialKey(s.Setup.Random, institution, s.Setup.Now())
	}
	if err != nil {
		return nil, err
	}
	k := &issuerKeys{did: did, keys: keys, signer: openbadge.NewSigner(did, keys[0])}
	s.signers[institution] = k
	return k, nil
}

// RotateKey has an institution's new credentials signed with a new key. What was signed before stays
// valid, since the old keys stay listed.
func (s *Service) RotateKey(institution uint32) (openbadge.SigningKey, error) {
	did, err := s.DID(institution)
	if err != nil {
		return openbadge.SigningKey{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	keys, err := s.Setup.KeyStore.AddCredentialKey(s.Setup.Random, institution, s.Setup.Now())
	if err != nil {
		return openbadge.SigningKey{}, err
	}
	s.signers[institution] = &issuerKeys{did: did, keys: keys, signer: openbadge.NewSigner(did, keys[0])}
	return keys[0], nil
}

// Keys returns an institution's keys for credentials, the one in use first; none where no credential
// was asked for.
func (s *Service) Keys(institution uint32) ([]openbadge.SigningKey, error) {
	return s.Setup.KeyStore.CredentialKeys(institution)
}

// DIDDocument returns the document of an institution as an issuer.
func (s *Service) DIDDocument(institution uint32) ([]byte, error) {
	if _, ok := s.Institutions.ByID(institution); !ok {
		return nil, fault.New(fault.NotFound, "There is no such issuer.")
	}
	k, err := s.issuer(institution)
	if err != nil {
		return nil, err
	}
	return openbadge.DIDDocument(k.did, k.keys)
}

// available refuses certificates that get no credential.
func available(c vault.Certificate) error {
	switch {
	case c.ErasedAt != nil:
		return fault.New(fault.NotFound, "Badge not found. The certificate has been withdrawn.")
	case c.Status == vault.Revoked:
		return fault.New(fault.NotFound, "Badge not found. The certificate has been revoked.")
	case c.Status != vault.Approved:
		return fault.New(fault.NotFound, "Badge not found. The certificate may still be processing.")
	}
	return nil
}

// Credential returns a certificate's credential as JSON, with its proof. It is made when it is first
// asked for, and again when the certificate or its institution says otherwise.
func (s *Service) Credential(ctx context.Context, c vault.Certificate) ([]byte, error) {
	unsigned, r, k, err := s.prepare(ctx, c)
	if err != nil {
		return nil, err
	}
	basis, err := basisOf(unsigned)
	if err != nil || r.Basis == basis {
		return r.Credential, err
	}
	signed, err := k.signer.Sign(unsigned, s.Setup.Now())
	if err != nil {
		return nil, err
	}
	if r.Credential, err = json.Marshal(signed); err != nil {
		return nil, fmt.Errorf("writing a credential: %w", err)
	}
	r.Basis = basis
	if err := s.keep(ctx, c.Reference, r); err != nil {
		return nil, err
	}
	return r.Credential, nil
}

// Token returns a certificate's credential as a JSON Web Token.
func (s *Service) Token(ctx context.Context, c vault.Certificate) (string, error) {
	unsigned, _, k, err := s.prepare(ctx, c)
	if err != nil {
		return "", err
	}
	return k.signer.SignJWT(unsigned)
}

// keep keeps a credential, unless its certificate was erased in the meantime.
func (s *Service) keep(ctx context.Context, reference string, r record) error {
	row, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keeping a credential: %w", err)
	}
	gone := false
	err = s.Rows.Update(ctx, func(w store.RowWriter) error {
		old, err := w.Get(table, reference)
		if gone = old == nil; err == nil && !gone {
			w.Put(table, reference, row)
		}
		return err
	})
	if err == nil && gone {
		err = fault.New(fault.NotFound, "Badge not found. The certificate has been withdrawn.")
	}
	return err
}

// prepare returns what a certificate's credential says, with what is kept of it and who signs it.
func (s *Service) prepare(ctx context.Context, c vault.Certificate) (map[string]any, record, *issuerKeys, error) {
	if err := available(c); err != nil {
		return nil, record{}, nil, err
	}
	at, ok := s.Institutions.ByID(c.Institution)
	if !ok {
		return nil, record{}, nil, fault.Newf(fault.Damaged, "institution %d is missing", c.Institution)
	}
	k, err := s.issuer(c.Institution)
	if err != nil {
		return nil, record{}, nil, err
	}
	r, err := s.record(ctx, c)
	if err != nil {
		return nil, r, nil, err
	}
	return s.award(c, at, r).Credential(k.did), r, k, nil
}

// award is what a certificate's credential says. Details and external IDs are on no public page, so
// they are not in the credential; the name is, where pages show it whole.
func (s *Service) award(c vault.Certificate, at vault.Institution, r record) openbadge.Award {
	page := s.Institutions.Links().Verify(c.Reference)
	a := openbadge.Award{
		ID: page + "/badge.json", IssuerName: at.Name, IssuerURL: s.base() + "/",
		Title: c.Title, Description: c.Title + ", awarded by " + at.Name + ".",
		Criteria: "The requirements of " + at.Name + " for " + c.Title + " were met.",
		Picture:  page + "/picture.png", Email: c.Email, Salt: r.Salt, ValidUntil: c.ExpiresAt(at.Zone()),
		Evidence: page, EvidenceText: "Verification page of certificate " + c.Reference + ". SHA-256 of the verified PDF: " + c.Verified.SHA256,
		Status: openbadge.StatusEntry{List: s.ListAddress(c.Institution, r.List), Index: r.Index},
	}
	if !at.PartialNames {
		a.Name = c.Name
	}
	if day, err := time.ParseInLocation(time.DateOnly, string(c.IssueDate), at.Zone()); err == nil {
		a.ValidFrom = day
	}
	return a
}

func basisOf(credential map[string]any) (string, error) {
	text, err := json.Marshal(credential)
	if err != nil {
		return "", fmt.Errorf("writing a credential: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// record returns what is kept of a certificate's credential. The first call draws a salt and a place
// in a status list.
func (s *Service) record(ctx context.Context, c vault.Certificate) (r record, err error) {
	found := false
	err = s.Rows.View(ctx, func(read store.RowReader) error {
		found, err = getJSON(read, table, c.Reference, &r)
		return err
	})
	if err != nil || found {
		return r, err
	}
	salt, draws := make([]byte, 16), make([]byte, 4*indexDraws)
	if _, err := io.ReadFull(s.Setup.Random, salt); err != nil {
		return r, fmt.Errorf("drawing a salt: %w", err)
	}
	if _, err := io.ReadFull(s.Setup.Random, draws); err != nil {
		return r, fmt.Errorf("drawing a place in a status list: %w", err)
	}
	err = s.Rows.Update(ctx, func(w store.RowWriter) error {
		r = record{}
		if found, err := getJSON(w, table, c.Reference, &r); err != nil || found {
			return err
		}
		r = record{Institution: c.Institution, Salt: hex.EncodeToString(salt)}
		if r.List, r.Index, err = freePlace(w, c.Institution, draws); err != nil {
			return err
		}
		row, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("keeping a credential: %w", err)
		}
		w.Put(table, c.Reference, row)
		w.Put(indexTable, indexKey(c.Institution, r.List, r.Index), []byte(c.Reference))
		return nil
	})
	if err != nil {
		return r, err
	}
	// An erasure in between has not seen the record.
	if now, err := s.Store.ByReference(ctx, c.Reference); err != nil || now.ErasedAt != nil {
		if err == nil {
			err = available(now)
		}
		return record{}, joinErrors(err, s.Forget(ctx, c.Reference))
	}
	s.addToList(c, r)
	return r, nil
}

func joinErrors(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

func getJSON(r store.RowReader, table, key string, into any) (bool, error) {
	row, err := r.Get(table, key)
	if err != nil || row == nil {
		return false, err
	}
	if err := json.Unmarshal(row, into); err != nil {
		return false, fault.Wrap(fault.Damaged, err, "the record of a badge cannot be read")
	}
	return true, nil
}

// indexDraws is how many places are tried in a list before the next one is begun: where that many
// are taken, a list is nearly full.
const indexDraws = 32

// freePlace finds a place that no credential has, at random, so that it does not say when it was
// given.
func freePlace(r store.RowReader, institution uint32, draws []byte) (list, index int, err error) {
	for list = 1; ; list++ {
		for n := range indexDraws {
			index = int(binary.BigEndian.Uint32(draws[4*n:]) % openbadge.StatusListLength)
			held, err := r.Get(indexTable, indexKey(institution, list, index))
			if err != nil || held == nil {
				return list, index, err
			}
		}
	}
}

func indexKey(institution uint32, list, index int) string {
	return fmt.Sprintf("%08x/%06x/%05x", institution, list, index)
}

// Forget destroys what was kept of the credentials of certificates: the salts, and the credentials.
// Their places in the status lists stay theirs, and are set.
func (s *Service) Forget(ctx context.Context, references ...string) error {
	if len(references) == 0 {
		return nil
	}
	return s.Rows.Update(ctx, func(w store.RowWriter) error {
		for _, reference := range references {
			row, err := w.Get(table, reference)
			if err != nil {
				return err
			}
			if row != nil {
				w.Delete(table, reference)
			}
		}
		return nil
	})
}

// Forms lists in which forms there is a credential.
func Forms() []string { return []string{"json", "jwt", "png", "svg"} }

// ContentType is the media type of a form.
func ContentType(form string) string {
	return map[string]string{"json": "application/vc+ld+json", "jwt": "application/vc+jwt", "png": "image/png", "svg": "image/svg+xml"}[form]
}

// File returns a certificate's credential in one of the forms.
func (s *Service) File(ctx context.Context, c vault.Certificate, form string) ([]byte, error) {
	switch form {
	case "json":
		return s.Credential(ctx, c)
	case "jwt":
		token, err := s.Token(ctx, c)
		return []byte(token), err
	case "png", "svg":
		credential, err := s.Credential(ctx, c)
		if err != nil {
			return nil, err
		}
		picture, err := s.Picture(c, form)
		if err != nil {
			return nil, err
		}
		if form == "png" {
			return openbadge.BakePNG(picture, string(credential))
		}
		return openbadge.BakeSVG(picture, string(bytes.TrimSpace(credential)))
	}
	return nil, fault.Newf(fault.Invalid, "%q is no form of a badge; use json, jwt, png or svg", form)
}
