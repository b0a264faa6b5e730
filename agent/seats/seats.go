// Package seats keeps the home's institutions, each with what it seals documents
// with, and what its staff decide about it.
package seats

import (
	"context"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Records are what is needed of the store.
type Records interface {
	Institutions(ctx context.Context) ([]vault.Institution, error)
	AddInstitution(ctx context.Context, i vault.Institution) (vault.Institution, error)
	ChangeInstitution(ctx context.Context, i vault.Institution) error
	CurrentInstitution(ctx context.Context) (vault.Institution, error)
	UseInstitution(ctx context.Context, id uint32) error
	Counts(ctx context.Context, institution uint32) (vault.Counts, error)
}

// Signers keeps the institutions' signing keys.
type Signers interface {
	HasSigner(institution uint32) (bool, error)
	// LostSigner is the error for a key that is missing although it has signed.
	LostSigner(institution uint32) error
	Signer(institution uint32) (*pdf.Signer, error)
	// NewSigner makes a key and puts it nowhere; MakeSigner puts it in the place of
	// any that is there; ReplaceSigner keeps the one before beside it.
	NewSigner(random io.Reader, name string, now time.Time) (*pdf.Signer, error)
	MakeSigner(random io.Reader, institution uint32, name string, now time.Time) (*pdf.Signer, error)
	ReplaceSigner(institution uint32, signer *pdf.Signer, now time.Time) error
}

// Options are what seats need.
type Options struct {
	Records Records
	Signers Signers
	Signing Signing
	// Check refuses settings; Keep keeps those that are not of an institution.
	Check, Keep func(staff.Settings) error
	News        func() // tells that the staff's view has changed
	Now         func() time.Time
	Random      io.Reader
}

// Seats are the institutions of a home. They are for concurrent use.
type Seats struct {
	Options
	configuring sync.Mutex // who changes the state holds it
	state       atomic.Pointer[state]
}

// state is what settings decide, as one value: who works with it sees all of a
// change or nothing of it.
type state struct {
	institution vault.Institution // the current one
	baseURL     string
	seats       map[uint32]seat // of all institutions
}

// seat is an institution with what it seals documents with.
type seat struct {
	institution vault.Institution
	seal        *pdf.Stamper
}

// with returns the state with another seat; the old one keeps its own.
func (s state) with(one seat) state {
	s.seats = maps.Clone(s.seats)
	if s.seats == nil {
		s.seats = map[uint32]seat{}
	}
	s.seats[one.institution.ID] = one
	return s
}

// Current is the institution whose staff is served.
func (s *Seats) Current() vault.Institution { return s.state.Load().institution }

// ByID finds one of the institutions.
func (s *Seats) ByID(id uint32) (vault.Institution, bool) {
	one, ok := s.state.Load().seats[id]
	return one.institution, ok
}

// IDs are those of all institutions, in no order.
func (s *Seats) IDs() []uint32 { return slices.Collect(maps.Keys(s.state.Load().seats)) }

// BaseURL is what QR codes and links begin with.
func (s *Seats) BaseURL() string { return s.state.Load().baseURL }

// Seal is what an institution seals documents with; nil where there is no such one.
func (s *Seats) Seal(institution uint32) *pdf.Stamper { return s.state.Load().seats[institution].seal }

// CurrentSeal is the current institution's.
func (s *Seats) CurrentSeal() *pdf.Stamper {
	now := s.state.Load()
	return now.seats[now.institution.ID].seal
}
