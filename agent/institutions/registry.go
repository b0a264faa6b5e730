// Package institutions keeps the institutions of a home, each with its signing key
// and settings.
package institutions

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"io"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/pdf/qr"
	"github.com/vecctl/vecctl/pkg/signer"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Store are what is needed of the store.
type Store interface {
	Institutions(ctx context.Context) ([]vault.Institution, error)
	AddInstitution(ctx context.Context, i vault.Institution) (vault.Institution, error)
	ChangeInstitution(ctx context.Context, i vault.Institution) error
	CurrentInstitution(ctx context.Context) (vault.Institution, error)
	UseInstitution(ctx context.Context, id uint32) error
	RemoveInstitution(ctx context.Context, id uint32) error
	Counts(ctx context.Context, institution uint32) (vault.Counts, error)
}

// Options are what institutions need.
type Options struct {
	Store    Store
	KeyStore home.Dir // keeps the signing keys
	Signing  SigningOptions
	// CheckSettings refuses settings; Keep keeps those that are not of an institution.
	CheckSettings, SaveSettings func(adminclient.Settings) error
	Changed                     func() // tells that the staff's view has changed
	Now                         func() time.Time
	Random                      io.Reader
}

// Registry are the institutions of a home. They are for concurrent use.
type Registry struct {
	Options
	configuring sync.Mutex // who changes the state holds it
	state       atomic.Pointer[state]
	logKeys     logKeys
	inspector   *pdf.Stamper // signs nothing
}

// Directory is what others read of a home's institutions. A Registry is one.
type Directory interface {
	// Primary returns the institution whose look the public pages have where no
	// certificate says whose they are.
	Primary() vault.Institution
	// ByID finds one of the institutions.
	ByID(id uint32) (vault.Institution, bool)
	// IDs returns those of all institutions, in no order.
	IDs() []uint32
	// BaseURL is what links begin with; it changes with the settings.
	BaseURL() string
	// Links returns the public addresses of certificates below the base URL.
	Links() vault.Links
}

var _ Directory = (*Registry)(nil)

// state is what settings decide, as one value: who works with it sees all of a
// change or nothing of it.
type state struct {
	primary vault.Institution
	baseURL string
	links   vault.Links       // below baseURL
	tenants map[uint32]tenant // of all institutions
}

// tenant is an institution with what it seals documents with.
type tenant struct {
	institution vault.Institution
	stamper     *pdf.Stamper // nil: the key cannot be used
	key         *signer.Key  // the stamper's, where it lies elsewhere; nil for a key file
	keyError    error        // why it cannot be used
}

// certificate is that of the signing key; nil where the key cannot be used.
func (t tenant) certificate() *x509.Certificate {
	if t.stamper == nil {
		return nil
	}
	return t.stamper.Certificate()
}

// with returns the state with another seat; the old one keeps its own.
func (s state) with(one tenant) state {
	s.tenants = maps.Clone(s.tenants)
	if s.tenants == nil {
		s.tenants = map[uint32]tenant{}
	}
	s.tenants[one.institution.ID] = one
	return s
}

// withBaseURL returns the state with another base URL.
func (s state) withBaseURL(baseURL string) state {
	s.baseURL, s.links = baseURL, LinksBelow(baseURL)
	return s
}

// LinksBelow returns the public addresses of certificates below a base URL.
func LinksBelow(baseURL string) vault.Links {
	ascii, err := qr.Link(baseURL)
	if err != nil { // the settings take no such base URL
		ascii = baseURL
	}
	return vault.NewLinks(baseURL, ascii)
}

// Primary implements Directory.
func (s *Registry) Primary() vault.Institution { return s.state.Load().primary }

// ByID finds one of the institutions.
func (s *Registry) ByID(id uint32) (vault.Institution, bool) {
	one, ok := s.state.Load().tenants[id]
	return one.institution, ok
}

// IDs are those of all institutions, in no order.
func (s *Registry) IDs() []uint32 { return slices.Collect(maps.Keys(s.state.Load().tenants)) }

// BaseURL is what QR codes and links begin with.
func (s *Registry) BaseURL() string { return s.state.Load().baseURL }

// HomeID tells homes apart; it stays the same when a home is moved or restored.
func (s *Registry) HomeID() string {
	first, _ := s.ByID(1)
	sum := sha256.Sum256([]byte(strconv.FormatInt(first.CreatedAt.UnixNano(), 10)))
	const length = 4
	return hex.EncodeToString(sum[:length])
}

// Links returns the public addresses of certificates below the base URL.
func (s *Registry) Links() vault.Links { return s.state.Load().links }

// Stamper is what an institution signs documents with. The error says why there is none: the
// key was lost, for one. A key that was put back is found.
func (s *Registry) Stamper(institution uint32) (*pdf.Stamper, error) {
	one, ok := s.state.Load().tenants[institution]
	if !ok {
		return nil, fault.New(fault.NotFound, "there is no such institution")
	}
	if one.keyError != nil {
		one = s.reloadKey(institution)
	}
	return one.stamper, one.keyError
}

// reloadKey looks again for a signing key that could not be used.
func (s *Registry) reloadKey(institution uint32) tenant {
	if !s.configuring.TryLock() {
		return s.state.Load().tenants[institution] // somebody changes it now
	}
	defer s.configuring.Unlock()
	next := *s.state.Load()
	one := next.tenants[institution]
	if one.keyError == nil {
		return one
	}
	signer, err := s.KeyStore.Signer(institution)
	if err != nil {
		return one
	}
	one.stamper, one.keyError = s.newStamper(signer), nil
	next = next.with(one)
	s.state.Store(&next)
	return one
}

// Inspector looks at documents as the stampers of all institutions do. It signs nothing.
func (s *Registry) Inspector() *pdf.Stamper { return s.inspector }
