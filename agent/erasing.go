package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vecctl/vecctl/agent/outcome"
	"github.com/vecctl/vecctl/agent/post"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// EraseRecipient destroys the personal data and the files of everything that the
// institution issued to an address. It may be repeated: what an interruption left
// is destroyed then.
func (a *Agent) EraseRecipient(ctx context.Context, email string) (client.Erasure, error) {
	email = vault.Clean(email)
	if !vault.ValidEmail(email) {
		return client.Erasure{}, fault.Newf(fault.Invalid, "%q is not an e-mail address", email)
	}
	who := a.Institution()
	// What has begun is finished.
	ctx = context.WithoutCancel(ctx)
	before, err := a.issuedTo(ctx, who.ID, email)
	if err != nil {
		return client.Erasure{}, err
	}
	for _, c := range before {
		if _, _, err := c.Erase(a.Now()); err != nil {
			return client.Erasure{}, err
		}
	}
	// Files first: once the store has forgotten them, nobody knows their names.
	report := client.Erasure{Certificates: []string{}, Left: []string{
		"what was handed in outside the home, and copies that were downloaded or written elsewhere with --out",
		"backups that were made before; mails that have arrived",
		"manifests and documents in the home's drop, incoming and failed folders",
	}}
	if report.Files, err = a.eraseOutcomes(before); err != nil {
		return report, err
	}
	done, err := a.store.Erase(ctx, who.ID, email, a.Now())
	if err != nil {
		return report, err
	}
	for _, c := range done.Certificates {
		report.Certificates = append(report.Certificates, c.Reference)
	}
	for _, c := range done.Certificates {
		if err := a.store.DropCorrections(ctx, who.ID, c.UUID); err != nil {
			return report, err
		}
	}
	report.Mails = len(done.Mails)
	n, err := a.eraseFiles(ctx, done)
	report.Files += n
	if err != nil {
		return report, err
	}
	report.Account, err = a.eraseAccount(ctx, email)
	a.feed.News()
	return report, err
}

// issuedTo lists all that an institution issued to an address.
func (a *Agent) issuedTo(ctx context.Context, institution uint32, email string) ([]vault.Certificate, error) {
	const group = 1000
	var all []vault.Certificate
	for n := 1; ; n++ {
		page, err := a.store.List(ctx, store.Filter{Institution: institution, Email: email}, n, group)
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
func (a *Agent) eraseFiles(ctx context.Context, done store.Erased) (int, error) {
	removed := 0
	needed := func(sum string) (bool, error) { return a.store.Referenced(ctx, sum) }
	for _, c := range done.Certificates {
		sums := []string{c.File.SHA256}
		if c.Verified != nil && c.Verified.Document.SHA256 != c.File.SHA256 {
			sums = append(sums, c.Verified.Document.SHA256)
		}
		for _, sum := range sums {
			gone, err := a.blobs.Remove(sum, needed)
			if err != nil {
				return removed, blob.DiskError(err, "removing a document")
			}
			if gone {
				removed++
			}
		}
	}
	for _, id := range done.Mails {
		gone, err := removeFile(filepath.Join(a.Home.Mail(), post.SpoolFile(id)))
		if err != nil {
			return removed, err
		}
		removed += gone
	}
	return removed, nil
}

// removeFile removes a file that may be gone already, and counts it.
func removeFile(path string) (int, error) {
	switch err := os.Remove(path); {
	case err == nil:
		return 1, nil
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	default:
		return 0, blob.DiskError(err, "removing a file")
	}
}

// eraseOutcomes removes verified PDFs from the home's folders of outcomes, and
// names and addresses from the reports there.
func (a *Agent) eraseOutcomes(gone []vault.Certificate) (int, error) {
	removed := 0
	references := map[string]bool{}
	for _, c := range gone {
		references[c.Reference] = true
	}
	folders, err := os.ReadDir(a.Home.Verified())
	if err != nil {
		return 0, blob.DiskError(err, "looking into the folder of outcomes")
	}
	for _, f := range folders {
		if !f.IsDir() || len(gone) == 0 {
			continue
		}
		folder := filepath.Join(a.Home.Verified(), f.Name())
		for _, c := range gone {
			n, err := removeFile(filepath.Join(folder, outcome.FileName(c)))
			if err != nil {
				return removed, err
			}
			removed += n
		}
		n, err := outcome.EraseRows(folder, references)
		if err != nil {
			return removed, fmt.Errorf("erasing lines of a report: %w", err)
		}
		removed += n
	}
	return removed, nil
}

// eraseAccount forgets the account of an address, unless another institution of
// the home has issued something to it.
func (a *Agent) eraseAccount(ctx context.Context, email string) (bool, error) {
	_, err := a.store.AccountByEmail(ctx, email)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for id := range a.state.Load().seats {
		page, err := a.store.List(ctx, store.Filter{Institution: id, Email: email}, 1, 1)
		if err != nil || page.Total > 0 {
			return false, err
		}
	}
	return true, a.store.EraseAccount(ctx, email)
}
