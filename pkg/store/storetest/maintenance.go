package storetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// maintenanceTests are what stores promise about themselves as a whole.
func maintenanceTests() []test {
	return []test{
		{"a snapshot is of one moment", snapshotOfOneMoment},
		{"a snapshot that is interrupted", snapshotInterrupted},
		{"compacting keeps everything", compactKeeps},
		{"opened again, everything is there", reopened},
		{"a store that works has not failed", notFailed},
		{"a sound store has no damage", verified},
	}
}

func snapshotOfOneMoment(f *fixture) {
	var want []string
	for _, c := range f.insertMany(f.a, 3, func(int, *vault.Draft) {}) {
		want = append(want, c.File.SHA256)
	}
	twice := f.insertOne(f.b, f.draft())
	upload := apiaccess.Upload{ID: "9e3b101f-c264-4f97-945f-20dfa7163768", Institution: f.a,
		File: vault.File{SHA256: twice.File.SHA256, Size: 8}, CreatedAt: f.now}
	f.check(f.store.AddUpload(f.Context(), upload, nil))
	evidence := strings.Repeat("e", 64)
	f.check(f.store.AddUnconfirmed(f.Context(), vault.UnconfirmedApplication{Hash: "h", Institution: f.a,
		ApplicationDraft: vault.ApplicationDraft{Evidence: &vault.File{SHA256: evidence, Size: 1}}, CreatedAt: f.now}, vault.Mail{Institution: f.a, To: "x@example.com"}))
	want = append(want, twice.File.SHA256, evidence)
	slices.Sort(want)
	err := f.store.Snapshot(f.Context(), func(s store.Snapshot) error {
		later := f.insertOne(f.a, f.draft())
		f.wantSame(f.read(later), later, "what was written during a snapshot")
		f.wantSame(s.Blobs, want, "the blobs that a snapshot names")
		var out bytes.Buffer
		n, err := s.WriteTo(&out)
		if n != s.Size || int64(out.Len()) != s.Size {
			f.Errorf("%d bytes were written, %d arrived, the size is %d", n, out.Len(), s.Size)
		}
		return err
	})
	if fault.Is(err, fault.Illegal) {
		f.Skip("this store is no file:", err)
	}
	f.check(err)
	if f.store.Size() < 0 {
		f.Errorf("the store takes %d bytes", f.store.Size())
	}
}

func snapshotInterrupted(f *fixture) {
	broken := errors.New("broken")
	err := f.store.Snapshot(f.Context(), func(store.Snapshot) error { return broken })
	if fault.Is(err, fault.Illegal) {
		f.Skip("this store is no file:", err)
	}
	if !errors.Is(err, broken) {
		f.Errorf("the function's error became %v", err)
	}
	ctx, cancel := context.WithCancel(f.Context())
	cancel()
	err = f.store.Snapshot(ctx, func(store.Snapshot) error { f.Error("was called"); return nil })
	if !errors.Is(err, context.Canceled) {
		f.Error(err)
	}
}

func compactKeeps(f *fixture) {
	all := f.insertMany(f.a, 50, func(int, *vault.Draft) {})
	f.change(all[7], fail(f.tick()))
	f.check(f.store.RecordAction(f.during("POST /compact")))
	_, err := f.store.Erase(f.Context(), f.a, all[7].Email, nil, f.tick())
	f.check(err)
	all[7] = f.read(all[7])
	s := f.store
	f.store = nil
	f.check(s.Compact())
	f.store = f.openIn(f.dir)
	for _, c := range all {
		f.wantSame(f.read(c), c, "a certificate after compacting")
	}
	f.wantSame(f.auditTrail(), []string{"POST /compact"}, "the audit trail")
	f.insertOne(f.a, f.draft())
}

// reopened looks for everything that a run of the vault left.
func reopened(f *fixture) {
	e := f.endpoint(f.a, vault.EventCreated)
	all := f.insertMany(f.a, 3, func(_ int, d *vault.Draft) { d.Undated, d.Batch = true, "b" })
	b, err := f.store.OpenBatch(f.Context(), vault.Batch{ID: "b", Institution: f.a, Name: "spring", Digest: "digest", CreatedAt: f.now})
	f.check(err)
	approved := f.change(all[0], approve(f.tick()))
	token, _ := f.token(f.a, "one")
	f.check(f.store.UseInstitution(f.Context(), f.b))
	f.check(f.store.AddMagicLink(f.Context(), vault.MagicLink{Hash: "link", Email: approved.Email, CreatedAt: f.now}))
	events, counts, queues, due := f.events(approved), f.counts(f.a), f.queues(), f.nextDeliveries(e, 10)
	f.reopen()
	f.wantSame(f.read(approved), approved, "a certificate")
	f.finds(store.Filter{Institution: f.a}, all...)
	f.finds(store.Filter{Institution: f.a, Search: all[1].Email}, all[1])
	f.wantSame(f.events(approved), events, "its events")
	f.wantSame(f.counts(f.a), counts, "the counts")
	f.wantSame(f.queues(), queues, "the queues")
	f.wantSame(f.nextDeliveries(e, 10), due, "the deliveries")
	found, err := f.store.FindBatch(f.Context(), f.a, "digest")
	f.check(err)
	if found.Name != b.Name || found.Counts.Sum() != len(all) {
		f.Errorf("the batch is %+v", found)
	}
	tail, err := f.store.Tail(f.Context(), approved.ID)
	f.check(err)
	if string(tail) != "tail of "+approved.UUID {
		f.Errorf("the tail is %q", tail)
	}
	got, err := f.store.TokenByHash(f.Context(), token.Hash)
	f.check(err)
	f.wantSame(got, token, "a token")
	current, err := f.store.CurrentInstitution(f.Context())
	f.check(err)
	if current.ID != f.b {
		f.Errorf("the current institution is %d", current.ID)
	}
	again := f.insert(f.newCertificate(f.a, vault.Draft{Content: all[1].Content,
		Undated: true, Batch: "b", Trigger: vault.BulkUpload, File: all[1].File}))[0]
	if !again.Duplicate || again.Certificate.ID != all[1].ID {
		f.Errorf("the same row again: %+v", again)
	}
}

func notFailed(f *fixture) {
	ctx, stop := context.WithCancel(f.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.store.WaitFailure(ctx) }()
	f.insertOne(f.a, f.draft())
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		f.Errorf("the store says that it failed: %v", err)
	}
}

func verified(f *fixture) {
	f.insertMany(f.a, 3, func(int, *vault.Draft) {})
	i := &counter{next: sound{f}}
	n, err := f.store.Verify(f.Context(), i)
	f.check(err)
	if n < 3 || i.needed < 3 {
		f.Errorf("only %d records and %d contents were read", n, i.needed)
	}
}

// counter counts what it passes on.
type counter struct {
	next   store.Inspector
	needed int
}

func (c *counter) Damaged(d store.Damage) { c.next.Damaged(d) }

func (c *counter) Needs(sum, uuid string) {
	c.needed++
	c.next.Needs(sum, uuid)
}

// sound wants no damage, and names of contents.
type sound struct{ *fixture }

func (s sound) Damaged(d store.Damage) { s.Errorf("damage: %+v", d) }

func (s sound) Needs(sum, uuid string) {
	if len(sum) != 64 || uuid == "" {
		s.Errorf("the content %q of %q is needed", sum, uuid)
	}
}
