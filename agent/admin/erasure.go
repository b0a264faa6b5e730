package admin

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// ErasureStore are what is needed of the store.
type ErasureStore interface {
	List(ctx context.Context, f store.Filter, page, perPage int) (store.Page, error)
	Erase(ctx context.Context, institution uint32, email string, now time.Time) (store.ErasureResult, error)
	DeleteCorrections(ctx context.Context, institution uint32, certificate string) error
	BlobReferenced(ctx context.Context, sum string) (bool, error)
	AccountByEmail(ctx context.Context, email string) (vault.Account, error)
	EraseAccount(ctx context.Context, email string) error
}

// DocumentRemover are the home's documents by their hashes.
type DocumentRemover interface {
	Remove(ctx context.Context, sum string, referenced blob.Referenced) (bool, error)
}

// Eraser erases for the institution whose staff is served.
type Eraser struct {
	Store        ErasureStore
	Documents    DocumentRemover
	Institution  func() uint32
	Institutions func() []uint32 // all of the home's
	// EraseResults removes what was written out of an institution's certificates, and counts it.
	EraseResults func(institution uint32, gone []vault.Certificate) (int, error)
	// InProgress reports whether a batch is still being issued from the drop folder. An
	// interrupted one is begun again, and would issue anew what was erased.
	InProgress func(ctx context.Context, institution uint32, batch string) (bool, error)
	MailFile   func(id uint64) string // where a mail lies that was written into the home
	Changed    func()                 // tells that something was changed
	Now        func() time.Time
}

// EraseRecipient destroys the personal data and the files of everything that the
// institution issued to an address. It may be repeated: what an interruption left
// is destroyed then.
func (e *Eraser) EraseRecipient(ctx context.Context, email string) (adminclient.Erasure, error) {
	email = vault.Clean(email)
	if !vault.ValidEmail(email) {
		return adminclient.Erasure{}, fault.Newf(fault.Invalid, "%q is not an e-mail address", email)
	}
	who := e.Institution()
	// What has begun is finished.
	ctx = context.WithoutCancel(ctx)
	before, err := e.issuedTo(ctx, who, email)
	if err != nil {
		return adminclient.Erasure{}, err
	}
	if err := e.check(ctx, before); err != nil {
		return adminclient.Erasure{}, err
	}
	// Files first: once the store has forgotten them, nobody knows their names.
	report := adminclient.Erasure{Certificates: []string{}, Left: []string{
		"files that were submitted from outside the home, and copies that were downloaded or written elsewhere with --out",
		"backups that were made before; mails that have arrived",
		"manifests and documents in the home's drop, incoming and failed folders",
	}}
	if report.Files, err = e.EraseResults(who, before); err != nil {
		return report, err
	}
	done, err := e.Store.Erase(ctx, who, email, e.Now())
	if err != nil {
		return report, err
	}
	// Again, since a batch that read them before may have written them after.
	again, err := e.EraseResults(who, before)
	report.Files += again
	if err != nil {
		return report, err
	}
	for _, c := range done.Certificates {
		report.Certificates = append(report.Certificates, c.Reference)
	}
	for _, c := range done.Certificates {
		if err := e.Store.DeleteCorrections(ctx, who, c.UUID); err != nil {
			return report, err
		}
	}
	report.Mails = len(done.Mails)
	n, err := e.eraseFiles(ctx, done)
	report.Files += n
	if err != nil {
		return report, err
	}
	report.Account, err = e.eraseAccount(ctx, email)
	e.Changed()
	return report, err
}

// check refuses what cannot be erased at the moment.
func (e *Eraser) check(ctx context.Context, all []vault.Certificate) error {
	for _, c := range all {
		if _, _, err := c.Erase(e.Now()); err != nil {
			return err
		}
		if c.Batch == "" {
			continue
		}
		going, err := e.InProgress(ctx, c.Institution, c.Batch)
		if err != nil {
			return err
		}
		if going {
			return fault.Newf(fault.Illegal, "the batch of certificate %s is still being issued from the drop folder; erase it when that is done", c.Reference)
		}
	}
	return nil
}

// issuedTo lists all that an institution issued to an address.
func (e *Eraser) issuedTo(ctx context.Context, institution uint32, email string) ([]vault.Certificate, error) {
	const group = 1000
	var all []vault.Certificate
	for n := 1; ; n++ {
		page, err := e.Store.List(ctx, store.Filter{Institution: institution, Email: email}, n, group)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Certificates...)
		if len(page.Certificates) < group {
			return all, nil
		}
	}
}

// eraseFiles removes documents that nothing needs any more, and mails.
func (e *Eraser) eraseFiles(ctx context.Context, done store.ErasureResult) (int, error) {
	removed := 0
	var sums []string
	for _, c := range done.Certificates {
		sums = append(sums, c.Documents()...)
	}
	for _, w := range done.Unconfirmed {
		if w.Evidence != nil {
			sums = append(sums, w.Evidence.SHA256)
		}
	}
	for _, sum := range sums {
		gone, err := e.Documents.Remove(ctx, sum, e.Store.BlobReferenced)
		if err != nil {
			return removed, fsutil.DiskError(err, "removing a document")
		}
		if gone {
			removed++
		}
	}
	for _, id := range done.Mails {
		gone, err := fsutil.RemoveFile(e.MailFile(id))
		if err != nil {
			return removed, err
		}
		if gone {
			removed++
		}
	}
	return removed, nil
}

// eraseAccount forgets the account of an address, unless another institution of
// the home has issued something to it.
func (e *Eraser) eraseAccount(ctx context.Context, email string) (bool, error) {
	_, err := e.Store.AccountByEmail(ctx, email)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, id := range e.Institutions() {
		page, err := e.Store.List(ctx, store.Filter{Institution: id, Email: email}, 1, 1)
		if err != nil || page.Total > 0 {
			return false, err
		}
	}
	return true, e.Store.EraseAccount(ctx, email)
}
