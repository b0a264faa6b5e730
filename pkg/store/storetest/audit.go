package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// auditTests are what stores promise about the audit trail.
func auditTests() []test {
	return []test{
		{"audit entries come with the first change", auditedChange},
		{"audit entries of what was refused", auditedRefusal},
		{"audit entries of what changes nothing", recordedAction},
		{"audit entries of every kind of change", auditedNouns},
		{"audit entries of one action at once", auditedOnce},
		{"audit entries of many at once", auditedByMany},
		{"audit entries say what they are about", auditedSubject},
		{"audit entries after a crash", auditedBeforeReopening},
	}
}

// during returns a context in which staff do something.
func (f *fixture) during(request string) context.Context {
	f.Helper()
	return audit.NewContext(f.Context(), &audit.PendingAction{
		Action: audit.Action{Actor: "staff", Request: request, RemoteAddr: "local"}, At: f.tick()})
}

// auditTrail reads the whole trail, a few entries at a time, and verifies it.
func (f *fixture) auditTrail() (requests []string) {
	f.Helper()
	var last audit.Entry
	for {
		found, err := f.store.AuditEntries(f.Context(), last.Seq, 7)
		f.check(err)
		if len(found) > 7 {
			f.Fatalf("%d entries instead of 7", len(found))
		}
		if len(found) == 0 {
			head, err := f.store.AuditHead(f.Context())
			f.check(err)
			f.wantSame(head, last, "the head of the trail")
			f.wantLatest(requests)
			return requests
		}
		for _, e := range found {
			f.check(e.VerifyAfter(last))
			if e.Seq != last.Seq+1 {
				f.Fatalf("entry %d follows entry %d", e.Seq, last.Seq)
			}
			last, requests = e, append(requests, e.Request)
		}
	}
}

// wantLatest reads the whole trail backwards, a few entries at a time.
func (f *fixture) wantLatest(requests []string) {
	f.Helper()
	var backwards []string
	for before := uint64(0); ; {
		found, err := f.store.LatestAuditEntries(f.Context(), before, 5)
		f.check(err)
		if len(found) == 0 {
			break
		}
		for _, e := range found {
			backwards, before = append(backwards, e.Request), e.Seq
		}
	}
	slices.Reverse(backwards)
	f.wantSame(backwards, requests, "the trail read backwards")
}

func auditedChange(f *fixture) {
	f.wantSame(f.auditTrail(), []string(nil), "the trail of a new store")
	c := f.insertOne(f.a, f.draft())
	f.wantSame(f.auditTrail(), []string(nil), "the trail after the vault acted by itself")
	ctx := f.during("POST /revoke")
	at := f.now
	for _, change := range []store.Change{approve(f.tick()), revoke(f.tick())} {
		_, err := f.store.Change(ctx, f.a, c.UUID, change)
		f.check(err)
	}
	if audit.FromContext(ctx).Unrecorded() {
		f.Error("the action is not marked as recorded")
	}
	f.check(f.store.RecordAction(ctx)) // is there already
	f.wantSame(f.auditTrail(), []string{"POST /revoke"}, "the trail after two changes of one action")
	found, err := f.store.AuditEntries(f.Context(), 0, 10)
	f.check(err)
	if e := found[0]; e.Actor != "staff" || e.RemoteAddr != "local" || !e.At.Equal(at) {
		f.Errorf("%+v", e)
	}
	none, err := f.store.AuditEntries(f.Context(), 1, 10)
	f.check(err)
	if len(none) != 0 {
		f.Errorf("%d entries after the last", len(none))
	}
}

func auditedRefusal(f *fixture) {
	c := f.insertOne(f.a, f.draft())
	ctx := f.during("POST /retry")
	_, err := f.store.Change(ctx, f.a, c.UUID, retry(f.now))
	f.wantKind(err, fault.Illegal, "retrying what has not failed")
	_, err = f.store.Change(ctx, f.a, "9e3b101f-c264-4f97-945f-20dfa7163768", retry(f.now))
	f.wantKind(err, fault.NotFound, "a certificate that does not exist")
	_, err = f.store.List(ctx, store.Filter{Institution: f.a}, 1, 10)
	f.check(err)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := f.store.RecordAction(ended); !errors.Is(err, context.Canceled) {
		f.Errorf("recording in a context that has ended: %v", err)
	}
	f.wantSame(f.auditTrail(), []string(nil), "the trail after refusals and reads")
	if !audit.FromContext(ctx).Unrecorded() {
		f.Fatal("the action is marked as recorded")
	}
	_, err = f.store.Change(ctx, f.a, c.UUID, approve(f.tick()))
	f.check(err)
	f.wantSame(f.auditTrail(), []string{"POST /retry"}, "the trail after the first change")
}

func recordedAction(f *fixture) {
	f.check(f.store.RecordAction(f.Context())) // there is no action
	ctx := f.during("POST /backup")
	for range 2 {
		f.check(f.store.RecordAction(ctx))
	}
	f.wantSame(f.auditTrail(), []string{"POST /backup"}, "the trail")
}

// auditedNouns makes one change of every kind under an action of its own.
func auditedNouns(f *fixture) {
	c := f.insertOne(f.a, f.draft())
	b, err := f.store.OpenBatch(f.Context(), vault.Batch{ID: "b", Institution: f.a, Name: "b", CreatedAt: f.now})
	f.check(err)
	rows, err := f.store.Rows("others")
	f.check(err)
	var want []string
	for _, one := range []struct {
		request string
		do      func(context.Context) error
	}{
		{"insert", func(ctx context.Context) error {
			_, err := f.store.Insert(ctx, []store.NewCertificate{f.newCertificate(f.a, f.draft())})
			return err
		}},
		{"change", func(ctx context.Context) error {
			_, err := f.store.Change(ctx, f.a, c.UUID, approve(f.tick()))
			return err
		}},
		{"erase", func(ctx context.Context) error {
			_, err := f.store.Erase(ctx, f.a, c.Email, nil, f.tick())
			return err
		}},
		{"institution", func(ctx context.Context) error {
			_, err := f.store.AddInstitution(ctx, vault.Institution{Name: "C", TimeZone: "UTC", CreatedAt: f.now})
			return err
		}},
		{"batch", func(ctx context.Context) error {
			_, err := f.store.ChangeBatch(ctx, f.a, b.ID, func(b vault.Batch) (vault.Batch, error) { return b.Pause(f.now) }, fail(f.now))
			return err
		}},
		{"token", func(ctx context.Context) error {
			t, _ := f.newToken(f.a, "one")
			return f.store.AddToken(ctx, t)
		}},
		{"mail", func(ctx context.Context) error {
			return f.store.QueueMail(ctx, vault.Mail{Institution: f.a, To: "x@example.com", State: vault.MailWaiting, CreatedAt: f.now})
		}},
		{"correction", func(ctx context.Context) error {
			_, err := f.store.AddCorrection(ctx, vault.CorrectionRequest{Institution: f.a, Certificate: c.UUID, At: f.now})
			return err
		}},
		{"rows", func(ctx context.Context) error {
			return rows.Update(ctx, func(w store.RowWriter) error { w.Put("others", "k", []byte("v")); return nil })
		}},
	} {
		if err := one.do(f.during(one.request)); err != nil {
			f.Fatalf("%s: %v", one.request, err)
		}
		want = append(want, one.request)
		f.wantSame(f.auditTrail(), want, "the trail after: "+one.request)
	}
}

// auditedOnce makes many changes of one action at the same time.
func auditedOnce(f *fixture) {
	ctx := f.during("POST /bulk")
	rows := make([]store.NewCertificate, 40)
	for i := range rows {
		rows[i] = f.newCertificate(f.a, f.draft())
	}
	var work sync.WaitGroup
	for _, row := range rows {
		work.Go(func() {
			if _, err := f.store.Insert(ctx, []store.NewCertificate{row}); err != nil {
				f.Error(err)
			}
		})
	}
	work.Wait()
	f.wantSame(f.auditTrail(), []string{"POST /bulk"}, "the trail of one action")
	if n := f.counts(f.a).Sum(); n != len(rows) {
		f.Errorf("%d certificates", n)
	}
}

// auditedByMany makes changes of many actions at the same time: the entries are one chain.
func auditedByMany(f *fixture) {
	const many = 50
	var actions []context.Context
	for i := range many {
		actions = append(actions, f.during(fmt.Sprintf("POST /%d", i)))
	}
	var work sync.WaitGroup
	for i, ctx := range actions {
		work.Go(func() {
			for n := range 2 {
				_, err := f.store.OpenBatch(ctx, vault.Batch{ID: fmt.Sprintf("b%d-%d", i, n), Institution: f.a, Name: "n", CreatedAt: f.now})
				if err = errors.Join(err, f.store.RecordAction(ctx)); err != nil {
					f.Error(err)
				}
			}
		})
	}
	work.Wait()
	seen := map[string]bool{}
	for _, request := range f.auditTrail() {
		if seen[request] {
			f.Errorf("%s has two entries", request)
		}
		seen[request] = true
	}
	if len(seen) != many {
		f.Errorf("%d actions have entries", len(seen))
	}
}

func auditedBeforeReopening(f *fixture) {
	f.check(f.store.RecordAction(f.during("one")))
	f.reopen()
	f.check(f.store.RecordAction(f.during("two")))
	f.reopen()
	f.wantSame(f.auditTrail(), []string{"one", "two"}, "the trail")
}

// pseudonyms are those of a test: whose they are can be read in them.
type pseudonyms struct{}

func (pseudonyms) Pseudonym(institution uint32, email string) (string, error) {
	return fmt.Sprintf("%d/%s", institution, email), nil
}

// auditedSubject makes changes of one, of many and of no certificates.
func auditedSubject(f *fixture) {
	other, err := f.store.AddInstitution(f.Context(), vault.Institution{Name: "Other", Slug: "other", TimeZone: "UTC", CreatedAt: f.now})
	f.check(err)
	about := func(do func(context.Context) error) audit.Subject {
		f.Helper()
		ctx := f.during("POST")
		p := audit.FromContext(ctx)
		p.People = pseudonyms{}
		f.check(do(ctx))
		found, err := f.store.AuditEntries(f.Context(), uint64(len(f.auditTrail())-1), 1)
		f.check(err)
		return found[0].Subject
	}
	draft := f.draft()
	draft.Email = "Ania@example.org"
	one := f.newCertificate(other.ID, draft)
	got := about(func(ctx context.Context) error {
		_, err := f.store.Insert(ctx, []store.NewCertificate{one})
		return err
	})
	want := audit.Subject{Institution: "other", Object: "certificate " + one.Certificate.Reference, Person: fmt.Sprintf("%d/ania@example.org", other.ID)}
	f.wantSame(got, want, "the subject of a new certificate")
	got = about(func(ctx context.Context) error {
		_, err := f.store.Change(ctx, other.ID, one.Certificate.UUID, approve(f.tick()))
		return err
	})
	f.wantSame(got, want, "the subject of a changed certificate")
	got = about(func(ctx context.Context) error {
		_, err := f.store.Erase(ctx, other.ID, "ania@example.org", nil, f.tick())
		return err
	})
	f.wantSame(got, want, "the subject of an erasure")

	rows, batch := []store.NewCertificate{}, "the-batch"
	for range 12 {
		row := f.newCertificate(other.ID, f.draft())
		rows = append(rows, row)
	}
	got = about(func(ctx context.Context) error { _, err := f.store.Insert(ctx, rows); return err })
	if got.Person != "" || strings.Count(got.Object, "certificate VEC-IC-") != 10 || !strings.HasSuffix(got.Object, " and 2 more") {
		f.Errorf("the subject of 12 certificates is %+v", got)
	}
	got = about(func(ctx context.Context) error {
		_, err := f.store.OpenBatch(ctx, vault.Batch{ID: batch, Institution: other.ID, Name: batch, CreatedAt: f.now})
		return err
	})
	f.wantSame(got, audit.Subject{Institution: "other", Object: "batch " + batch}, "the subject of a batch")
	got = about(func(ctx context.Context) error {
		audit.FromContext(ctx).Subject = audit.Subject{Institution: "named", Object: "home"}
		return f.store.RecordAction(ctx)
	})
	f.wantSame(got, audit.Subject{Institution: "named", Object: "home"}, "the subject that the action has")
}
