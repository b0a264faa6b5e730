package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/dropfolder/staging"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/agent/mailer"
	"github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// EraseRecipient destroys the personal data and the files of everything that the
// institution issued to an address; where several people share it, of one of them, by
// name or external ID. It may be repeated: what an interruption left
// is destroyed then. A dry run destroys nothing and says what would be.
func (s *Service) EraseRecipient(ctx context.Context, email, person string, dryRun bool) (adminclient.Erasure, error) {
	email = vault.Clean(email)
	if !vault.ValidEmail(email) {
		return adminclient.Erasure{}, fault.Newf(fault.Invalid, "%q is not an e-mail address", email)
	}
	who := s.institutionID(ctx)
	// What has begun is finished.
	ctx = context.WithoutCancel(ctx)
	if err := s.nameRecipient(ctx, who, email); err != nil {
		return adminclient.Erasure{}, err
	}
	before, err := s.issuedTo(ctx, who, email)
	if err != nil {
		return adminclient.Erasure{}, err
	}
	before, only, err := selectPerson(before, email, person)
	if person != "" && fault.Is(err, fault.NotFound) {
		var kept bool
		if kept, err = s.refusedNames(ctx, who, email, person, err); kept {
			before, only = nil, func(vault.Certificate) bool { return false }
		}
	}
	if err != nil {
		return adminclient.Erasure{}, err
	}
	if err := s.checkKnown(ctx, who, email, person, before); err != nil {
		return adminclient.Erasure{}, err
	}
	if err := s.checkErasable(ctx, before); err != nil {
		return adminclient.Erasure{}, err
	}
	report := adminclient.Erasure{Certificates: []string{}, Destroyed: []string{}, DryRun: dryRun}
	if _, err := s.institutions.Stamper(who); err != nil && !dryRun {
		return report, err // nothing would sign the protocol
	}
	if dryRun {
		err = s.planErasure(who, email, person, before, only != nil, &report)
		return report, err
	}
	if err := s.eraseAll(ctx, who, email, person, before, only, &report); err != nil {
		return report, err
	}
	if only == nil {
		if report.Account, err = s.eraseAccount(ctx, email); err != nil {
			return report, err
		}
	}
	err = s.overwriteDeleted(ctx, &report)
	s.events.PublishChange()
	if err != nil {
		return report, err
	}
	report.Protocol, err = s.erasureProtocol(ctx, email, report)
	return report, err
}

// erasureProtocol writes down what an erasure did, for the file, and signs it. Names of files
// may have the person's name, so they are counted.
func (s *Service) erasureProtocol(ctx context.Context, email string, done adminclient.Erasure) (*adminclient.SignedProtocol, error) {
	at := s.institutions.Acting(ctx)
	person, err := s.erasures.Pseudonym(at.ID, email)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(adminclient.ErasureProtocol{
		Kind: adminclient.ErasureProtocolKind, Institution: at.Slug, Name: at.Name, Home: s.institutions.HomeID(), Person: person, ErasedAt: s.now().UTC(),
		Certificates: done.Certificates, Mails: done.Mails, Files: done.Files, Received: done.Received, Account: done.Account, OtherFiles: len(done.Destroyed), Left: done.Left,
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the protocol of an erasure: %w", err)
	}
	stamper, err := s.institutions.Stamper(at.ID)
	if err != nil {
		return nil, err
	}
	signature, err := stamper.SignDetached(text)
	if err != nil {
		return nil, fmt.Errorf("signing the protocol of an erasure: %w", err)
	}
	return &adminclient.SignedProtocol{Text: text, Signature: signature}, nil
}

// leftByErasure is what an erasure does not reach.
func leftByErasure() []string {
	return []string{
		"files that were submitted from outside the home, and copies that were downloaded or written elsewhere with --out",
		"backups that were made before, until they are removed; mails that have arrived; verified PDFs that were handed out",
		"certificates on remote vaults; log files, which have no names of people, except where a disk failed on a dropped file that is called after one",
	}
}

// refusedNames reports whether rows that were refused, or refused files, name somebody; where
// none does, it returns the error that it is given.
func (s *Service) refusedNames(ctx context.Context, who uint32, email, person string, none error) (bool, error) {
	if known, err := s.batches.HasRejected(ctx, who, email, person); known || err != nil {
		return known, err
	}
	files, err := s.eraseRefused(who, email, person, nil, true)
	if err == nil && len(files) == 0 {
		err = none
	}
	return err == nil, err
}

// checkKnown refuses an address that nothing was issued to, and names the institutions of
// the home that know it. One that was erased before may be erased again.
func (s *Service) checkKnown(ctx context.Context, who uint32, email, person string, issued []vault.Certificate) error {
	if len(issued) > 0 {
		return nil
	}
	if _, before, err := s.erasures.Find(who, email); before || err != nil {
		return err
	}
	if known, err := s.store.KnowsAddress(ctx, who, email); known || err != nil {
		return err
	}
	none := fault.Newf(fault.NotFound, "nothing was issued to %s and nothing is kept of the address; check its spelling", email)
	if known, err := s.refusedNames(ctx, who, email, person, none); known || !fault.Is(err, fault.NotFound) {
		return err
	}
	others, err := s.issuersTo(ctx, email)
	if err != nil {
		return err
	}
	if len(others) > 0 {
		return fault.Newf(fault.NotFound, "%s has issued nothing to %s; these have: %s; name one with --institution", s.institutions.Acting(ctx).Name, email, strings.Join(others, ", "))
	}
	return none
}

// issuersTo returns the institutions of the home that have issued something to an address.
func (s *Service) issuersTo(ctx context.Context, email string) (slugs []string, err error) {
	for _, one := range s.institutions.All() {
		page, err := s.store.List(ctx, store.Filter{Institution: one.ID, Email: email}, 1, 1)
		if err != nil {
			return nil, err
		}
		if page.Total > 0 {
			slugs = append(slugs, one.Slug)
		}
	}
	return slugs, nil
}

// leftOfSharedAddress is what the erasure of one of several people at an address does not reach
// besides: it is found by the address, and may be about the others.
func leftOfSharedAddress() []string {
	return []string{
		"refused files that have the address and not the name; look through the folder of refused files by hand",
		"events that were received about the address",
	}
}

// planErasure says what an erasure would destroy; shared, where others have the address too.
func (s *Service) planErasure(who uint32, email, person string, before []vault.Certificate, shared bool, report *adminclient.Erasure) error {
	for _, c := range before {
		report.Certificates = append(report.Certificates, c.Reference)
	}
	copies, err := s.home.SchemaCopies()
	if err != nil {
		return err
	}
	report.Left = leftByErasure()
	if shared {
		report.Left = append(report.Left, leftOfSharedAddress()...)
	}
	refused, err := s.eraseRefused(who, email, person, before, true)
	report.Destroyed = append(append(report.Destroyed, refused...), copies...)
	return err
}

// eraseAll destroys what is about certificates of an address. Files go first: once the
// store has forgotten them, nobody knows their names.
func (s *Service) eraseAll(ctx context.Context, who uint32, email, person string, before []vault.Certificate, only func(vault.Certificate) bool, report *adminclient.Erasure) error {
	report.Left = leftByErasure()
	var err error
	if report.Files, err = s.eraseResults(who, before, email, person); err != nil {
		return err
	}
	if only != nil {
		report.Left = append(report.Left, leftOfSharedAddress()...)
	}
	if report.Destroyed, err = s.eraseRefused(who, email, person, before, false); err != nil {
		return err
	}
	report.Files += len(report.Destroyed)
	// From here on the deleted is overwritten, at the next start if not now.
	if err := fsutil.ReplaceFile(s.home.ErasurePending(), nil); err != nil {
		return err
	}
	if only == nil {
		if err := s.erasures.Add(who, email, s.now()); err != nil {
			return err
		}
	}
	done, err := s.store.Erase(ctx, who, email, only, s.now())
	if err != nil {
		return err
	}
	// Again, since a batch that read them before may have written them after.
	again, err := s.eraseResults(who, before, email, person)
	report.Files += again
	if err != nil {
		return err
	}
	for _, c := range done.Certificates {
		report.Certificates = append(report.Certificates, c.Reference)
		if err := s.badges.Forget(ctx, c.Reference); err != nil {
			return err
		}
		if err := s.store.DeleteCorrections(ctx, who, c.UUID); err != nil {
			return err
		}
	}
	if err := s.batches.EraseRejected(ctx, who, email, person); err != nil {
		return err
	}
	report.Mails = len(done.Mails)
	n, err := s.eraseFiles(ctx, done)
	report.Files += n
	if err != nil || only != nil {
		return err
	}
	report.Received, err = s.store.EraseInboundEvents(ctx, email)
	return err
}

// eraseRefused destroys what lies of a person among refused files, and returns what that
// was. What waits in the drop folder is somebody's to issue or to take away.
func (s *Service) eraseRefused(who uint32, email, person string, before []vault.Certificate, dryRun bool) ([]string, error) {
	search := refusedSearch{Erased: results.Erased{Email: vault.FoldEmail(email), Person: person}, dryRun: dryRun}
	if person != "" {
		search.names = append(search.names, person)
	}
	for _, c := range before {
		search.names = append(search.names, c.Name)
	}
	others := map[string]bool{}
	for _, id := range s.institutions.IDs() {
		if folder := s.home.FailedFolder(id); id != who && folder != s.home.Failed() {
			others[folder] = true
		}
	}
	err := search.searchRefused(s.home.FailedFolder(who), others)
	return search.found, err
}

// wipePatience is how long an erasure waits for those who read the database, such as a
// backup.
const wipePatience = 2 * time.Minute

// overwriteDeleted removes copies of the database from before upgrades, and overwrites what
// was deleted in the database.
func (s *Service) overwriteDeleted(ctx context.Context, report *adminclient.Erasure) error {
	copies, err := s.home.SchemaCopies()
	if err != nil {
		return err
	}
	for _, path := range copies {
		if _, err := fsutil.RemoveFile(path); err != nil {
			return err
		}
	}
	report.Destroyed = append(report.Destroyed, copies...)
	ctx, stop := context.WithTimeout(ctx, wipePatience)
	defer stop()
	switch err := s.store.Wipe(ctx); {
	case errors.Is(err, context.DeadlineExceeded):
		report.Left = append(report.Left, "room in the database that a backup under way still reads; it is overwritten when the agent starts again")
		return nil
	case err != nil:
		return err
	}
	_, err = fsutil.RemoveFile(s.home.ErasurePending())
	return err
}

// ReapplyErasures erases again everyone whom the list of erasures has and the home knows: a
// backup that was restored may be older than their erasure. It returns how many people that
// were at how many institutions.
func (s *Service) ReapplyErasures(ctx context.Context) (int, error) {
	s.reapplying.Lock()
	defer s.reapplying.Unlock()
	n := 0
	for _, at := range s.institutions.All() {
		emails, err := s.erasedAddresses(ctx, at.ID)
		if err != nil {
			return n, err
		}
		for _, email := range emails {
			own := institutions.NewContext(context.WithoutCancel(ctx), at.ID)
			issued, err := s.issuedTo(own, at.ID, email)
			if err == nil {
				err = s.checkErasable(own, issued)
			}
			report := adminclient.Erasure{Certificates: []string{}, Destroyed: []string{}}
			if err == nil {
				err = s.eraseAll(own, at.ID, email, "", issued, nil, &report)
			}
			if err == nil {
				_, err = s.eraseAccount(own, email)
			}
			if err != nil {
				return n, err
			}
			n++
		}
	}
	var report adminclient.Erasure
	if err := s.overwriteDeleted(ctx, &report); err != nil {
		return n, err
	}
	_, err := fsutil.RemoveFile(s.home.ErasuresToReapply())
	return n, err
}

// erasedAddresses returns the addresses of an institution's certificates and mails whose people
// were erased, folded.
func (s *Service) erasedAddresses(ctx context.Context, institution uint32) ([]string, error) {
	found := map[string]bool{}
	look := func(email string) error {
		folded := vault.FoldEmail(email)
		if folded == "" || found[folded] {
			return nil
		}
		_, erased, err := s.erasures.Find(institution, folded)
		if erased {
			found[folded] = true
		}
		return err
	}
	err := s.eachCertificate(ctx, store.Filter{Institution: institution}, func(c vault.Certificate) error { return look(c.Email) })
	if err != nil {
		return nil, err
	}
	err = s.eachMail(ctx, institution, func(m vault.Mail) error { return look(m.To) })
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// eachCertificate calls do for the certificates of a filter, the newest first, until it
// returns an error.
func (s *Service) eachCertificate(ctx context.Context, f store.Filter, do func(vault.Certificate) error) error {
	for {
		page, err := s.store.List(ctx, f, 1, exportPage)
		if err != nil {
			return err
		}
		for _, c := range page.Certificates {
			if err := do(c); err != nil {
				return err
			}
			f.Below = c.ID
		}
		if len(page.Certificates) < exportPage {
			return nil
		}
	}
}

// eachMail calls do for the mails of an institution, the newest first, until it returns an
// error.
func (s *Service) eachMail(ctx context.Context, institution uint32, do func(vault.Mail) error) error {
	filter := store.MailFilter{Institution: institution}
	for {
		found, err := s.store.ListMails(ctx, filter, exportPage)
		if err != nil {
			return err
		}
		for _, m := range found {
			if err := do(m); err != nil {
				return err
			}
			filter.Below = m.ID
		}
		if len(found) < exportPage {
			return nil
		}
	}
}

// FinishErasure overwrites what an interrupted erasure left in the database, and erases again
// whom a restored backup has brought back.
func (s *Service) FinishErasure(ctx context.Context) error {
	switch pending, err := s.ErasuresArePending(); {
	case err != nil:
		return err
	case pending:
		_, err := s.ReapplyErasures(ctx)
		return err
	}
	switch pending, err := isThere(s.home.ErasurePending()); {
	case err != nil:
		return err
	case !pending:
		return nil
	}
	if err := s.store.Wipe(ctx); err != nil {
		return err
	}
	_, err := fsutil.RemoveFile(s.home.ErasurePending())
	return err
}

// ErasuresArePending reports whether a restored backup may have people who were erased.
func (s *Service) ErasuresArePending() (bool, error) { return isThere(s.home.ErasuresToReapply()) }

// isThere reports whether a file is there.
func isThere(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, fsutil.DiskError(err, "looking for what is still to be erased")
}

// ReadmitRecipient lets something be issued again to an address that was erased.
func (s *Service) ReadmitRecipient(ctx context.Context, email string) error {
	who := s.institutionID(ctx)
	if err := s.erasures.Readmit(who, email); err != nil {
		return err
	}
	return s.nameRecipient(ctx, who, email)
}

// nameRecipient says in the audit trail whom the action of a context is about.
func (s *Service) nameRecipient(ctx context.Context, institution uint32, email string) (err error) {
	if p := audit.FromContext(ctx); p.Unrecorded() {
		p.Person, err = s.erasures.Pseudonym(institution, email)
	}
	return err
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
	var all []vault.Certificate
	err := s.eachCertificate(ctx, store.Filter{Institution: institution, Email: email}, func(c vault.Certificate) error {
		all = append(all, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
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
func (s *Service) eraseResults(institution uint32, gone []vault.Certificate, email, person string) (int, error) {
	growing, err := staging.ResultFolders(s.home.Incoming())
	if err != nil {
		return 0, err
	}
	removed, erased := 0, results.Erased{Certificates: gone, Email: vault.FoldEmail(email), Person: person}
	for _, folder := range growing {
		n, err := erased.In(folder)
		removed += n
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, err
		}
	}
	n, err := erased.All(s.home.ResultsFolder(institution))
	return removed + n, err
}
