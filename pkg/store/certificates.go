package store

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// NewCertificate is a certificate that is to be kept, with its effects.
type NewCertificate struct {
	Certificate vault.Certificate
	Effects     vault.Effects
	// Freeze, when set, is the key under which the issue date of an undated
	// manifest row is kept for good.
	Freeze *vault.Key
}

// InsertResult is what became of a NewCertificate.
type InsertResult struct {
	// Certificate is the one that was kept, with its ID, or, when Duplicate is
	// true, the one that holds the same key.
	Certificate vault.Certificate
	Duplicate   bool
}

// Change is a transition of package vault with its arguments filled in. It must only
// compute: a store may run it inside a transaction, and more than once.
type Change func(vault.Certificate) (vault.Certificate, vault.Effects, error)

// AtomicBatch is a request that is kept as a whole or not at all.
type AtomicBatch struct {
	Batch *vault.Batch // made with it; nil for none
	Rows  []AtomicRow
	// Response, when set, makes the response that is kept in the same transaction. It
	// must only compute.
	Response func([]vault.Certificate) (apiaccess.StoredResponse, error)
}

// AtomicRow is one certificate of an AtomicBatch.
type AtomicRow struct {
	NewCertificate
	// Upload, when set, is the ID of the uploaded file that the certificate is made
	// of; it is used up.
	Upload string
}

// Conflict says why a row of an AtomicBatch keeps all of it from being kept.
type Conflict struct {
	Row       int
	Duplicate bool // the key is held, or an earlier row has it; else the upload is gone
}

// ErasureResult is what was erased, as it was before.
type ErasureResult struct {
	Certificates []vault.Certificate
	Unconfirmed  []vault.UnconfirmedApplication // applications whose address was not proven
	Mails        []uint64
}

// Filter selects certificates; empty fields do not restrict, and all that are
// set must hold.
type Filter struct {
	Institution uint32
	Status      vault.Status
	Source      vault.Source
	Open        bool   // applications that wait for a decision
	Email       string // compared folded, whole
	Search      string // substring, compared folded, of vault.Certificate.SearchText
	Batch       string
	Failure     string     // the code of why it failed
	From, To    vault.Date // issue date, inclusive
	// EndsFrom and EndsTo are about the last day of validity, inclusive. With one of them, no
	// certificate without an end is selected.
	EndsFrom, EndsTo vault.Date
	Below            uint64 // the ID of a certificate: only those that were made before it
}

// FailureCount counts the certificates that failed for one cause.
type FailureCount struct {
	Code   string
	Count  int
	Latest vault.Certificate // the newest of them
}

// Page is one page of a list, newest first.
type Page struct {
	Certificates []vault.Certificate
	Total        int // over all pages
}

// Certificates are the operations on certificates.
//
// A certificate is found by its UUID or its reference ID, inside an institution. An
// identity (UUID, reference ID, share token) belongs to one certificate of the whole
// store; a uniqueness key (vault.Certificate.Key) to one of an institution. Drawn
// identities that are taken are an error of kind Conflict, and the caller draws again
// (vault.RetryOnCollision).
type Certificates interface {
	// Insert keeps certificates, each with its effects, all in one transaction.
	// A key that is held already makes its row a duplicate and changes nothing;
	// that includes keys of earlier rows of the same call. A batch that was cancelled
	// takes no more: Illegal for the whole call. An identity that is taken is a
	// Conflict for the whole call. A row whose effects have a log entry is kept with its
	// place in that log.
	Insert(ctx context.Context, rows []NewCertificate) ([]InsertResult, error)
	// InsertAtomic keeps a batch and all of its certificates, uses up their uploads
	// and keeps the response, all in one transaction. Where a key is held or an
	// upload is gone, nothing is changed, and the rows at fault are returned. An
	// identity that is taken is a Conflict.
	InsertAtomic(ctx context.Context, w AtomicBatch) ([]vault.Certificate, []Conflict, error)
	// Reissue keeps what a transition makes of one certificate: itself, marked as
	// replaced, and its successor. The successor may have the uniqueness key of a
	// certificate that it replaces; that key stays with the older one. A key that
	// any other holds is Invalid, an identity that is taken a Conflict.
	Reissue(ctx context.Context, institution uint32, name string,
		reissue func(vault.Certificate) (vault.Reissue, error)) (vault.Reissue, error)
	// Erase removes the personal data of everything that an institution issued to an
	// address, compared folded (vault.Certificate.Erase), and of the mails to it, all
	// in one transaction. Where one certificate cannot be erased, nothing is. With only,
	// which must just compute, it removes that of the certificates that only selects,
	// and of the mails about them: others share the address.
	Erase(ctx context.Context, institution uint32, email string, only func(vault.Certificate) bool, now time.Time) (ErasureResult, error)
	// KnowsAddress reports whether Erase would find anything of an address at an
	// institution besides certificates: a mail to it, or an application that waits for its
	// proof.
	KnowsAddress(ctx context.Context, institution uint32, email string) (bool, error)
	// Change applies a transition to one certificate. An error of the transition
	// is returned as it is and nothing is changed.
	Change(ctx context.Context, institution uint32, name string, change Change) (vault.Certificate, error)
	// Certificate finds one by UUID or reference ID; NotFound when the institution
	// has none.
	Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error)
	// ByReference finds one by its reference ID in any institution; NotFound when
	// there is none.
	ByReference(ctx context.Context, reference string) (vault.Certificate, error)
	// Version returns a number that changes with each change of the certificate with a
	// reference ID, before the caller that made the change gets its answer. What was
	// read after a call of Version is current as long as the number stays the same.
	// It costs no read of the store.
	Version(reference string) uint64
	// ByShareToken finds one by the token of its view-and-share page; NotFound when no
	// certificate has it now.
	ByShareToken(ctx context.Context, token string) (vault.Certificate, error)
	// ByVerifiedSHA256 finds the certificates whose verified PDFs have these SHA-256, in
	// lower-case hexadecimal, in any institution. The result has an entry for each, nil
	// where there is none. An erased certificate has none.
	ByVerifiedSHA256(ctx context.Context, sums ...string) ([]*vault.Certificate, error)
	// ByID finds certificates by the store's own numbers; one that does not exist
	// is an error.
	ByID(ctx context.Context, ids ...uint64) ([]vault.Certificate, error)
	// KeyHolders finds the certificates that hold keys, or that have them as aliases
	// (vault.Certificate.KeyAliases) where no certificate holds them; the result has an entry for
	// each key, nil where no certificate holds it.
	KeyHolders(ctx context.Context, institution uint32, keys []vault.Key) ([]*vault.Certificate, error)
	// FrozenDates returns the issue dates kept for undated rows, "" where there is none.
	FrozenDates(ctx context.Context, institution uint32, keys []vault.Key) ([]vault.Date, error)
	// List returns page number page (from 1) of the certificates that a filter
	// selects. It stops when ctx ends.
	List(ctx context.Context, f Filter, page, perPage int) (Page, error)
	// Tail returns the last bytes of an approved certificate's verified PDF, with all that
	// vault.Effects.Update added behind them; NotFound when it has none.
	Tail(ctx context.Context, id uint64) ([]byte, error)
	// Counts counts an institution's certificates by state.
	Counts(ctx context.Context, institution uint32) (vault.Counts, error)
	// Failures counts an institution's failed certificates by vault.Certificate.FailureCode,
	// in the order of the codes; batch restricts it to one.
	Failures(ctx context.Context, institution uint32, batch string) ([]FailureCount, error)
	// BlobReferenced reports whether any certificate, upload or waiting application
	// needs a blob.
	BlobReferenced(ctx context.Context, sum string) (bool, error)
}
