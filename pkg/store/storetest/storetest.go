// Package storetest is the suite that every store must pass: it holds a store to
// the doc comments of package store.
package storetest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

type test struct {
	name string
	run  func(*fixture)
}

// Run runs the suite. The function opens the store that belongs to a folder, and makes it
// when there is none: opened again after it was closed, the store has what was committed.
func Run(t *testing.T, open func(dir string) (store.Store, error)) {
	t.Helper()
	tests := slices.Concat(logTests(), institutionTests(), webhookTests(), leaseTests(), mailTests(), aboutAccounts(), aboutApplications(), auditTests(), rowTests(), maintenanceTests(), interruptionTests(), []test{
		{"insert keeps certificates with their effects", insertStores},
		{"insert finds duplicates", insertFindsDuplicates},
		{"insert tells people of one address apart", insertSharedAddresses},
		{"insert refuses identities that are taken", insertRefusesTakenIdentities},
		{"insert freezes dates for good", insertFreezesDates},
		{"insert of nothing", insertNothing},
		{"change commits a transition with its effects", changeCommits},
		{"change that is refused changes nothing", changeRefused},
		{"change moves counts and indexes", changeMoves},
		{"lookups", lookups},
		{"lookups see one institution", lookupsAreIsolated},
		{"lookups by reference and share token", sharing},
		{"lookups by the verified PDF", verifiedLookups},
		{"lookups by a verified PDF that was given a time stamp", laterTimestamps},
		{"updates behind a verified PDF", preserved},
		{"lists see one institution", listsAreIsolated},
		{"blobs that are referenced", referencedBlobs},
		{"filters alone and combined", filters},
		{"filters that find nothing", filtersFindNothing},
		{"pages", pages},
		{"failures by cause", failuresByCause},
		{"pages below a certificate", pagesBelow},
		{"search", search},
		{"search among many", searchAmongMany},
		{"claim takes what is due, oldest first", claimOrder},
		{"claim takes of institutions in turns", claimRoundRobin},
		{"claim leases", claimLeases},
		{"a clock that was ahead keeps nothing waiting", clockSetBack},
		{"nothing waits behind what was put off after the clock was set back", claimAfterSetBack},
		{"claim takes a suspect alone", claimSuspects},
		{"complete ends a job with its change", completeEnds},
		{"complete refuses a lost lease", completeFences},
		{"complete with a retry and a release", completeWithRetry},
		{"complete refuses some and does the rest", completeSome},
		{"requeue orphaned jobs", requeueOrphaned},
		{"queues", queues},
		{"batches", batches},
		{"batches with one name", batchNames},
		{"batches see one institution", batchesAreIsolated},
		{"batches by outcome", batchesByOutcome},
		{"paused batches", pausedBatches},
		{"cancelled batches", cancelledBatches},
		{"events in order", eventsInOrder},
		{"tokens", tokens},
		{"insert atomic keeps all", atomicInsertStores},
		{"insert atomic refuses all", atomicInsertRefuses},
		{"uploads", uploadsAreKept},
		{"uploads and responses expire", uploadsExpire},
		{"stored responses", responsesAreKept},
		{"random operations", randomOperations},
		{"many at once", manyAtOnce},
	})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(newFixture(t, open))
		})
	}
}

// institutionTests are what stores promise about institutions, and about what is erased.
func institutionTests() []test {
	return []test{
		{"institutions", institutions},
		{"the current institution", currentInstitution},
		{"received events are erased", erasedEvents},
		{"a known address", knownAddress},
		{"wiping keeps everything", wiped},
		{"an institution is removed", removedInstitution},
		{"an institution with certificates stays", institutionWithCertificates},
	}
}

// mailTests are what stores promise about mails.
func mailTests() []test {
	return []test{
		{"mails are queued with what causes them", mailsAreQueued},
		{"mails end with their jobs", mailsSettle},
		{"mails are cancelled", mailsAreCancelled},
		{"mails come back and are repeated", mailsComeBack},
		{"old mails are removed", oldMails},
		{"reissue keeps both", reissueKeepsBoth},
		{"erasing a recipient", erasing},
	}
}

// fixture is a store with two institutions, and what tests do with it.
type fixture struct {
	*testing.T
	store  store.Store
	open   func(dir string) (store.Store, error)
	dir    string
	random *rand.ChaCha8
	now    time.Time
	drawn  int
	a, b   uint32 // the institutions
}

func newFixture(t *testing.T, open func(dir string) (store.Store, error)) *fixture {
	t.Helper()
	f := &fixture{T: t, open: open, dir: t.TempDir(), random: rand.NewChaCha8([32]byte{7}), now: time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC)}
	f.store = f.openIn(f.dir)
	t.Cleanup(func() {
		if f.store != nil {
			f.check(f.store.Close())
		}
	})
	f.a, f.b = f.institution("A"), f.institution("B")
	return f
}

func (f *fixture) openIn(dir string) store.Store {
	f.Helper()
	s, err := f.open(dir)
	f.check(err)
	return s
}

// reopen closes the store and opens it again.
func (f *fixture) reopen() {
	f.Helper()
	err := f.store.Close()
	f.store = nil
	f.check(err)
	f.store = f.openIn(f.dir)
}

func (f *fixture) institution(name string) uint32 {
	f.Helper()
	i, err := f.store.AddInstitution(f.Context(), vault.Institution{Name: name, TimeZone: "UTC", CreatedAt: f.now})
	f.check(err)
	return i.ID
}

// tick moves the clock and returns the new time.
func (f *fixture) tick() time.Time {
	f.now = f.now.Add(time.Millisecond)
	return f.now
}

func (f *fixture) check(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// wantKind wants an error of a kind.
func (f *fixture) wantKind(err error, kind fault.Kind, doing string) {
	f.Helper()
	if !fault.Is(err, kind) {
		f.Errorf("%s: error %v, want one of kind %s", doing, err, kind)
	}
}

// wantSame wants two values that are written the same.
func (f *fixture) wantSame(got, want any, what string) {
	f.Helper()
	if g, w := f.written(got), f.written(want); g != w {
		f.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func (f *fixture) written(v any) string {
	f.Helper()
	b, err := json.Marshal(v)
	f.check(err)
	return string(b)
}

// draft makes a draft unlike all before.
func (f *fixture) draft() vault.Draft {
	f.drawn++
	return vault.Draft{
		Content: vault.Content{Title: "Diploma", Name: fmt.Sprintf("Person %d", f.drawn), Email: fmt.Sprintf("p%d@example.com", f.drawn),
			IssueDate: "2026-05-02"}, Trigger: vault.BulkUpload,
		File: vault.File{Name: "d.pdf", Format: "pdf", Size: 9, SHA256: fmt.Sprintf("%064x", f.drawn), HashState: []byte{1, 2}},
	}
}

func (f *fixture) newCertificate(institution uint32, d vault.Draft) store.NewCertificate {
	f.Helper()
	id, err := vault.NewIdentity(f.random, f.tick(), 2026)
	f.check(err)
	c, fx := vault.Accept(d, institution, id, f.now)
	row := store.NewCertificate{Certificate: c, Effects: fx}
	if d.Undated {
		key := d.FreezeKey()
		row.Freeze = &key
	}
	return row
}

func (f *fixture) insert(rows ...store.NewCertificate) []store.InsertResult {
	f.Helper()
	done, err := f.store.Insert(f.Context(), rows)
	f.check(err)
	if len(done) != len(rows) {
		f.Fatalf("%d outcomes of %d rows", len(done), len(rows))
	}
	return done
}

// insertOne inserts one draft that is no duplicate.
func (f *fixture) insertOne(institution uint32, d vault.Draft) vault.Certificate {
	f.Helper()
	done := f.insert(f.newCertificate(institution, d))[0]
	if done.Duplicate {
		f.Fatalf("%s is a duplicate", d.Email)
	}
	return done.Certificate
}

// insertMany inserts n drafts of one institution, edited, in one call.
func (f *fixture) insertMany(institution uint32, n int, edit func(i int, d *vault.Draft)) []vault.Certificate {
	f.Helper()
	rows := make([]store.NewCertificate, n)
	for i := range rows {
		d := f.draft()
		edit(i, &d)
		rows[i] = f.newCertificate(institution, d)
	}
	kept := make([]vault.Certificate, n)
	for i, done := range f.insert(rows...) {
		if done.Duplicate {
			f.Fatalf("row %d is a duplicate", i)
		}
		kept[i] = done.Certificate
	}
	return kept
}

func (f *fixture) change(c vault.Certificate, change store.Change) vault.Certificate {
	f.Helper()
	got, err := f.store.Change(f.Context(), c.Institution, c.UUID, change)
	f.check(err)
	return got
}

// claim claims jobs of certificates or mails for worker.
func (f *fixture) claim(kind vault.JobKind, n int) []vault.Job {
	f.Helper()
	claimed := f.claimFor(worker, store.Lane{Kind: kind}, n)
	jobs := make([]vault.Job, len(claimed))
	for i, j := range claimed {
		jobs[i] = j.Job
	}
	return jobs
}

// complete ends jobs and returns the outcome of each.
func (f *fixture) complete(all ...store.JobResult) []error {
	f.Helper()
	outcomes, err := f.store.Complete(f.Context(), all)
	f.check(err)
	if len(outcomes) != len(all) {
		f.Fatalf("%d outcomes of %d job results", len(outcomes), len(all))
	}
	return outcomes
}

func (f *fixture) read(c vault.Certificate) vault.Certificate {
	f.Helper()
	got, err := f.store.Certificate(f.Context(), c.Institution, c.UUID)
	f.check(err)
	return got
}

func (f *fixture) counts(institution uint32) vault.Counts {
	f.Helper()
	c, err := f.store.Counts(f.Context(), institution)
	f.check(err)
	return c
}

func (f *fixture) events(c vault.Certificate) []vault.Event {
	f.Helper()
	all, err := f.store.Events(f.Context(), c.ID)
	f.check(err)
	return all
}

func (f *fixture) queues() map[vault.JobKind]store.QueueLength {
	f.Helper()
	q, err := f.store.Queues(f.Context(), f.now)
	f.check(err)
	return q
}

func (f *fixture) list(filter store.Filter, page, perPage int) store.Page {
	f.Helper()
	p, err := f.store.List(f.Context(), filter, page, perPage)
	f.check(err)
	return p
}

// finds reports whether a filter selects exactly these certificates, whichever
// way it is paged.
func (f *fixture) finds(filter store.Filter, want ...vault.Certificate) {
	f.Helper()
	names := make([]string, len(want))
	for i, c := range want {
		names[len(want)-1-i] = c.Name
	}
	for _, perPage := range []int{max(len(want), 1), 2} {
		var got []string
		for page := 1; page <= len(want)/perPage+2; page++ {
			p := f.list(filter, page, perPage)
			if p.Total != len(want) {
				f.Errorf("%+v, page %d of %d each: total %d, want %d", filter, page, perPage, p.Total, len(want))
			}
			for _, c := range p.Certificates {
				got = append(got, c.Name)
			}
		}
		if strings.Join(got, ", ") != strings.Join(names, ", ") {
			f.Errorf("%+v by %d finds\n [%s], want\n [%s]", filter, perPage, strings.Join(got, ", "), strings.Join(names, ", "))
		}
	}
}

// The transitions that tests use.

func approve(now time.Time) store.Change {
	return func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		v := vault.Verified{Document: vault.Document{SHA256: c.File.SHA256, Size: c.File.Size}, TailSize: 4, SHA256: strings.Repeat("f", 64)}
		return c.Approve(v, []byte("tail of "+c.UUID), now)
	}
}

func fail(now time.Time) store.Change {
	return func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Fail(vault.Failure{Code: "damaged", Reason: "no pages"}, now)
	}
}

func retry(now time.Time) store.Change {
	return func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Retry(vault.ByRetry, now)
	}
}

func revoke(now time.Time) store.Change {
	return func(c vault.Certificate) (vault.Certificate, vault.Effects, error) { return c.Revoke("in error", now) }
}
