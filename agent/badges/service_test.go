package badges_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/badges"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/openbadge"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
)

// site is a vault with badges.
type site struct {
	*testing.T
	store  *bolt.Store
	who    institutions.Fixed
	home   home.Dir
	badges *badges.Service
	random *rand.ChaCha8
	now    time.Time
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, random: rand.NewChaCha8([32]byte{3}), now: time.Date(2026, 6, 15, 9, 0, 0, 0, time.UTC), home: home.Dir(t.TempDir())}
	var err error
	s.store, err = bolt.Open(filepath.Join(t.TempDir(), "vault.db"), time.Second)
	s.check(err)
	t.Cleanup(func() { s.check(s.store.Close()) })
	i, err := s.store.AddInstitution(t.Context(), vault.Institution{Name: "Northgate", TimeZone: "Europe/Berlin"})
	s.check(err)
	s.who = institutions.Fixed{Base: "https://vault.example.edu", All: []vault.Institution{i}}
	s.open()
	return s
}

// open makes the service anew, as after a start.
func (s *site) open() {
	s.Helper()
	rows, err := s.store.Rows(badges.Tables()...)
	s.check(err)
	s.badges = badges.New(badges.Options{Store: s.store, Rows: rows, Institutions: s.who,
		Setup: institutions.Options{KeyStore: s.home, Now: func() time.Time { return s.now }, Random: s.random}})
}

func (s *site) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// issue issues a certificate.
func (s *site) issue(name string) vault.Certificate {
	s.Helper()
	id, err := vault.NewIdentity(s.random, s.now, 2026)
	s.check(err)
	c, fx := vault.Accept(vault.Draft{Content: vault.Content{Title: "Diploma", Name: name, Email: name + "@example.org", IssueDate: "2026-06-01", ExpiryDate: "2028-05-31", Details: "secret details", ExternalID: "S-1"},
		File: vault.File{Name: "a.pdf", Format: "pdf", SHA256: strings.Repeat("ab", 32)}}, 1, id, s.now)
	made, err := s.store.Insert(s.Context(), []store.NewCertificate{{Certificate: c, Effects: fx}})
	s.check(err)
	return s.change(made[0].Certificate, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Approve(vault.Verified{SHA256: strings.Repeat("cd", 32)}, []byte("tail"), s.now)
	})
}

func (s *site) change(c vault.Certificate, change store.Change) vault.Certificate {
	s.Helper()
	c, err := s.store.Change(s.Context(), 1, c.UUID, change)
	s.check(err)
	return c
}

func (s *site) file(c vault.Certificate, form string) []byte {
	s.Helper()
	file, err := s.badges.File(s.Context(), c, form)
	s.check(err)
	return file
}

// Document implements openbadge.Source: it is the site's public pages.
func (s *site) Document(ctx context.Context, address string) ([]byte, error) {
	switch address {
	case "https://vault.example.edu/.well-known/did.json":
		return s.badges.DIDDocument(1)
	case "https://vault.example.edu/credentials/status/1/1":
		return s.badges.StatusList(ctx, 1, 1)
	}
	return nil, fault.Newf(fault.Unavailable, "%s is no address of this site", address)
}

func (s *site) verdict(file []byte) openbadge.Verdict {
	s.Helper()
	found, err := (&openbadge.Verifier{Source: s, Now: s.now}).Verify(s.Context(), file)
	s.check(err)
	if len(found.Unknown) > 0 {
		s.Errorf("not known: %v", found.Unknown)
	}
	return found.Verdict
}

// TestBadge makes badges in each form, revokes, replaces and erases certificates, rotates the key,
// and starts the vault anew.
func TestBadge(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, ben := s.issue("ada"), s.issue("ben")
	files := map[string][]byte{}
	for _, form := range badges.Forms() {
		files[form] = s.file(ada, form)
		if got := s.verdict(files[form]); got != openbadge.VerdictValid {
			t.Errorf("%s is %s", form, got)
		}
	}
	other := s.file(ben, "json")
	for _, personal := range []string{"secret details", "S-1", "@example.org"} {
		if bytes.Contains(files["json"], []byte(personal)) {
			t.Errorf("the credential says %q", personal)
		}
	}
	if again := s.file(ada, "json"); !bytes.Equal(again, files["json"]) {
		t.Error("the credential is another one when it is asked for again")
	}
	old, err := s.badges.Keys(1)
	s.check(err)
	fresh, err := s.badges.RotateKey(1)
	s.check(err)
	s.open()
	keys, err := s.badges.Keys(1)
	s.check(err)
	if len(keys) != 2 || keys[0].ID != fresh.ID || keys[1].ID != old[0].ID {
		t.Errorf("after a rotation the keys are %+v", keys)
	}
	for form, file := range files {
		if got := s.verdict(file); got != openbadge.VerdictValid {
			t.Errorf("after a rotation, %s is %s", form, got)
		}
	}
	if token := s.file(ada, "jwt"); bytes.Equal(token, files["jwt"]) || s.verdict(token) != openbadge.VerdictValid {
		t.Error("a new token is not signed with the new key")
	}
	revoked := s.change(ada, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Revoke("in error", s.now)
	})
	for form, file := range files {
		if got := s.verdict(file); got != openbadge.VerdictRevoked {
			t.Errorf("once it is revoked, %s is %s", form, got)
		}
	}
	if got := s.verdict(other); got != openbadge.VerdictValid {
		t.Errorf("another one is %s", got)
	}
	if _, err := s.badges.Credential(t.Context(), revoked); !fault.Is(err, fault.NotFound) {
		t.Errorf("a revoked one is given out: %v", err)
	}
	s.open()
	if got := s.verdict(files["json"]); got != openbadge.VerdictRevoked {
		t.Errorf("after a start the revoked one is %s", got)
	}
	s.now = s.now.AddDate(2, 0, 0)
	if got := s.verdict(other); got != openbadge.VerdictExpired {
		t.Errorf("after its last day it is %s", got)
	}
}

// TestErasedBadge asks for the badge of a person who was erased: it is gone, and what is out does not
// count any more.
func TestErasedBadge(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.issue("ada")
	file := s.file(ada, "json")
	_, err := s.store.Erase(t.Context(), 1, "ada@example.org", nil, s.now)
	s.check(err)
	s.check(s.badges.Forget(t.Context(), ada.Reference))
	erased, err := s.store.ByReference(t.Context(), ada.Reference)
	s.check(err)
	for _, form := range badges.Forms() {
		if got, err := s.badges.File(t.Context(), erased, form); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s is given out: %s (%v)", form, got, err)
		}
	}
	if _, err := s.badges.File(t.Context(), ada, "json"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a caller who read the certificate before gets it: %v", err)
	}
	if got := s.verdict(file); got != openbadge.VerdictRevoked {
		t.Errorf("what is out is %s", got)
	}
	s.open()
	if got := s.verdict(file); got != openbadge.VerdictRevoked {
		t.Errorf("after a start, what is out is %s", got)
	}
}

// TestStatusListIsRenewed reads the list on two days.
func TestStatusListIsRenewed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if _, err := s.badges.StatusList(t.Context(), 1, 1); !fault.Is(err, fault.NotFound) {
		t.Errorf("a list without credentials: %v", err)
	}
	s.file(s.issue("ada"), "json")
	first, err := s.badges.StatusList(t.Context(), 1, 1)
	s.check(err)
	same, err := s.badges.StatusList(t.Context(), 1, 1)
	s.check(err)
	s.now = s.now.AddDate(0, 0, 1)
	next, err := s.badges.StatusList(t.Context(), 1, 1)
	s.check(err)
	if !bytes.Equal(first, same) || bytes.Equal(first, next) {
		t.Error("the list is not signed once a day")
	}
	if lists, err := s.badges.Lists(t.Context(), 1); err != nil || len(lists) != 1 || lists[0] != 1 {
		t.Errorf("the lists are %v (%v)", lists, err)
	}
}
