package admin

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/agent/dropfolder/staging"
	"github.com/vecctl/vecctl/agent/mailer"
	"github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// EraseRecipient destroys the personal data and the files of everything that the
// institution issued to an address; where several people share it, of one of them, by
// name or external ID. It may be repeated: what an interruption left
// is destroyed then.
func (s *Service) EraseRecipient(ctx context.Context, email, person string) (adminclient.Erasure, error) {
	email = vault.Clean(email)
	if !vault.ValidEmail(email) {
		return adminclient.Erasure{}, fault.Newf(fault.Invalid, "%q is not an e-mail address", email)
	}
	who := s.institutionID(ctx)
	// What has begun is finished.
	ctx = context.WithoutCancel(ctx)
	before, err := s.issuedTo(ctx, who, email)
	if err != nil {
		return adminclient.Erasure{}, err
	}
	before, only, err := selectPerson(before, email, person)
	if err != nil {
		return adminclient.Erasure{}, err
	}
	if err := s.checkErasable(ctx, before); err != nil {
		return adminclient.Erasure{}, err
	}
	// Files first: once the store has forgotten them, nobody knows their names.
	report := adminclient.Erasure{Certificates: []string{}, Left: []string{
		"files that were submitted from outside the home, and copies that were downloaded or written elsewhere with --out",
		"backups that were made before; mails that have arrived",
		"manifests and documents in the home's drop, incoming and failed folders",
	}}
	if report.Files, err = s.eraseResults(who, before); err != nil {
		return report, err
	}
	done, err := s.store.Erase(ctx, who, email, only, s.now())
	if err != nil {
		return report, err
	}
	// Again, since a batch that read them before may have written them after.
	again, err := s.eraseResults(who, before)
	report.Files += again
	if err != nil {
		return report, err
	}
	for _, c := range done.Certificates {
		report.Certificates = append(report.Certificates, c.Reference)
	}
	for _, c := range done.Certificates {
		if err := s.store.DeleteCorrections(ctx, who, c.UUID); err != nil {
			return report, err
		}
	}
	if err := s.batches.EraseRejected(ctx, who, email, person); err != nil {
		return report, err
	}
	report.Mails = len(done.Mails)
	n, err := s.eraseFiles(ctx, done)
	report.Files += n
	if err != nil {
		return report, err
	}
	if only == nil {
		report.Account, err = s.eraseAccount(ctx, email)
	}
	s.events.PublishChange()
	return report, err
}

// selectPerson returns those of an address's certificates that are to be erased, and what
// selects them; nil for all. Where people share the address, it must be said who is meant.
func selectPerson(all []vault.Certificate, email, person string) ([]vault.Certificate, func(vault.Certificate) bool, error) {
	if person == "" {
		if !slices.ContainsFunc(all, func(c vault.Certificate) bool { return c.Person != "" }) {
			return all, nil, nil
		}
		var people []string
		for _, c := range all {
			if c.Name != "" && !slices.Contains(people, c.Name) {
				people = append(people, c.Name)
			}
		}
		if slices.Sort(people); len(people) > 1 {
			return nil, nil, fault.Newf(fault.Invalid, "several people share the address %s (%s); name the one to erase with --person", email, strings.Join(people, ", "))
		}
		return all, nil, nil
	}
	meant := map[string]bool{}
	for before := -1; before < len(meant); {
		before = len(meant)
		for _, c := range all {
			// What was corrected is the same person's, whatever the name was.
			if c.ErasedAt == nil && (c.IsFor(person) || meant[c.Supersedes] || meant[c.SupersededBy]) {
				meant[c.UUID] = true
			}
		}
	}
	if len(meant) == 0 {
		return nil, nil, fault.Newf(fault.NotFound, "nothing was issued to %q at the address %s", person, email)
	}
	only := func(c vault.Certificate) bool { return meant[c.UUID] }
	return slices.DeleteFunc(slices.Clone(all), func(c vault.Certificate) bool { return !only(c) }), only, nil
}

// checkErasable refuses what cannot be erased at the moment.
func (s *Service) checkErasable(ctx context.Context, all []vault.Certificate) error {
	for _, c := range all {
		if _, _, err := c.Erase(s.now()); err != nil {
			return err
		}
		if c.Batch == "" {
			continue
		}
		going, err := s.dropInProgress(ctx, c.Institution, c.Batch)
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
func (s *Service) issuedTo(ctx context.Context, institution uint32, email string) ([]vault.Certificate, error) {
	const group = 1000
	var all []vault.Certificate
	for n := 1; ; n++ {
		page, err := s.store.List(ctx, store.Filter{Institution: institution, Email: email}, n, group)
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
func (s *Service) eraseFiles(ctx context.Context, done store.ErasureResult) (int, error) {
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
		gone, err := s.blobs.Remove(ctx, sum, s.store.BlobReferenced)
		if err != nil {
			return removed, fsutil.DiskError(err, "removing a document")
		}
		if gone {
			removed++
		}
	}
	for _, id := range done.Mails {
		gone, err := fsutil.RemoveFile(filepath.Join(s.home.Mail(), mailer.SpoolFile(id)))
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
func (s *Service) eraseAccount(ctx context.Context, email string) (bool, error) {
	_, err := s.store.AccountByEmail(ctx, email)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, id := range s.institutions.IDs() {
		page, err := s.store.List(ctx, store.Filter{Institution: id, Email: email}, 1, 1)
		if err != nil || page.Total > 0 {
			return false, err
		}
	}
	return true, s.store.EraseAccount(ctx, email)
}

// dropInProgress reports whether a batch is still being issued from the drop folder. An
// interrupted one starts again, and would issue anew what was erased.
func (s *Service) dropInProgress(ctx context.Context, institution uint32, batch string) (bool, error) {
	b, err := s.store.Batch(ctx, institution, batch)
	if err != nil || b.Digest == "" {
		return false, err
	}
	return staging.InProgress(s.home.Incoming(), b.Digest)
}

// eraseResults removes the files that were written for certificates of an institution,
// and counts them. It begins with dropped batches: what is moved meanwhile is then
// found where it went.
func (s *Service) eraseResults(institution uint32, gone []vault.Certificate) (int, error) {
	growing, err := staging.ResultFolders(s.home.Incoming())
	if err != nil {
		return 0, err
	}
	removed := 0
	for _, folder := range growing {
		n, err := results.EraseIn(folder, gone)
		removed += n
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, err
		}
	}
	n, err := results.EraseAll(s.home.ResultsFolder(institution), gone)
	return removed + n, err
}
