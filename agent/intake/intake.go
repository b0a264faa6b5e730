// Package intake takes everything that comes into the vault: it checks rows and
// documents, stores them, and accepts certificates; it also caches the templates.
package intake

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Store is what is needed of the store.
type Store interface {
	Insert(ctx context.Context, rows []store.NewCertificate) ([]store.InsertResult, error)
	KeyHolders(ctx context.Context, institution uint32, keys []vault.Key) ([]*vault.Certificate, error)
	Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error)
	FrozenDates(ctx context.Context, institution uint32, keys []vault.Key) ([]vault.Date, error)
	ByVerifiedSHA256(ctx context.Context, sums ...string) ([]*vault.Certificate, error)
	ByReference(ctx context.Context, reference string) (vault.Certificate, error)
}

// Intake accepts certificates.
type Intake struct {
	Store Store
	Blobs blob.Store // nil when only checks are made (CheckRequest.DryRun)
	// Templates are those that documents can be made of.
	Templates template.Dir
	Disk      Disk // nil where there is always room
	Now       func() time.Time
	Random    io.Reader
	// Institutions have the stampers, whose settings decide which documents can be
	// stamped; nil: pdf.Inspect decides.
	Institutions *institutions.Registry
	// Erasures says who was erased and is not to be brought back unasked; nil where nobody
	// was.
	Erasures *home.ErasureLedger
	// SharedAddresses holds for institutions that do not say themselves whether people
	// may share addresses.
	SharedAddresses bool

	hasher blob.Hasher
}

// Disk is the disk of the home.
type Disk interface {
	// Accepting returns nil while there is room for more, else the reason.
	Accepting() error
}

// Accepting returns nil while new documents are taken, else the reason.
func (in *Intake) Accepting() error {
	if in.Disk == nil {
		return nil
	}
	return in.Disk.Accepting()
}

// acceptGroup is how many certificates are flushed and accepted together.
const acceptGroup = 256

// Accept makes certificates of candidates that can be issued, in their order,
// and notes on each the certificate that it became or that holds its key. After
// each group, which is then durable, accepted is told of the group. When ctx
// ends, the group in hand is finished and no further one begun.
func (in *Intake) Accept(ctx context.Context, who vault.Institution, candidates []*RowResult, accepted func([]*RowResult)) error {
	for len(candidates) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(len(candidates), acceptGroup)
		if err := in.acceptGroup(context.WithoutCancel(ctx), who, candidates[:n]); err != nil {
			return err
		}
		accepted(candidates[:n])
		candidates = candidates[n:]
	}
	return nil
}

func (in *Intake) acceptGroup(ctx context.Context, who vault.Institution, group []*RowResult) error {
	staged := make([]*blob.Staged, len(group))
	for i, c := range group {
		staged[i] = c.staged
	}
	if err := in.Blobs.Commit(ctx, staged...); err != nil {
		return fmt.Errorf("storing documents: %w", err)
	}
	var results []store.InsertResult
	err := vault.RetryOnCollision(func() error {
		rows, err := in.newCertificates(who, group)
		if err == nil {
			results, err = in.Store.Insert(ctx, rows)
		}
		if err == nil {
			err = in.retryForOthers(ctx, who, group, results)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("accepting certificates: %w", err)
	}
	for i, r := range results {
		group[i].Certificate, group[i].New = &r.Certificate, !r.Duplicate
	}
	return nil
}

func (in *Intake) newCertificates(who vault.Institution, group []*RowResult) ([]store.NewCertificate, error) {
	now := in.Now()
	rows := make([]store.NewCertificate, len(group))
	for i, c := range group {
		id, err := vault.NewIdentity(in.Random, now, who.Year(now))
		if err != nil {
			return nil, err
		}
		certificate, effects := vault.Accept(c.Draft, who.ID, id, now)
		rows[i] = store.NewCertificate{Certificate: certificate, Effects: effects}
		if c.Draft.Undated {
			key := c.Draft.FreezeKey()
			rows[i].Freeze = &key
		}
	}
	return rows, nil
}
