package storetest

import (
	"errors"
	"math"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

func changeCommits(f *fixture) {
	c := f.insertOne(f.a, f.draft())
	_, err := f.store.Tail(f.Context(), c.ID)
	f.wantKind(err, fault.NotFound, "the tail before approval")

	at := f.tick()
	want, _, err := approve(at)(c)
	f.check(err)
	f.wantSame(f.change(c, approve(at)), want, "the result")
	f.wantSame(f.read(c), want, "what was kept")
	tail, err := f.store.Tail(f.Context(), c.ID)
	if err != nil || string(tail) != "tail of "+c.UUID {
		f.Errorf("tail %q, %v", tail, err)
	}
	revoked := f.change(c, revoke(f.tick()))
	if got := f.read(c); got.Status != vault.Revoked || got.Revocation == nil || got.Revocation.Reason != revoked.Revocation.Reason {
		f.Errorf("revoked as %+v", got)
	}
	if again, err := f.store.Tail(f.Context(), c.ID); err != nil || string(again) != string(tail) {
		f.Errorf("after the revocation: tail %q, %v", again, err)
	}

	events := f.events(c)
	if len(events) != 3 || events[2].Type != vault.EventRevoked || events[0].Type != vault.EventCreated || events[1].Type != vault.EventApproved ||
		events[0].Seq >= events[1].Seq || events[1].Certificate != c.ID {
		f.Errorf("events %+v", events)
	}
	jobs := f.claim(vault.JobMail, 10)
	if len(jobs) != 1 || jobs[0].Certificate != c.ID {
		f.Errorf("jobs %+v, want one notification", jobs)
	}
	if none := f.events(vault.Certificate{ID: math.MaxUint64}); len(none) != 0 {
		f.Errorf("events of no certificate: %+v", none)
	}
	_, err = f.store.Tail(f.Context(), math.MaxUint64)
	f.wantKind(err, fault.NotFound, "the tail of no certificate")
}

func changeRefused(f *fixture) {
	c := f.insertOne(f.a, f.draft())
	oops := errors.New("not today")
	tests := []struct {
		name        string
		institution uint32
		which       string
		change      store.Change
		is          func(error) bool
	}{
		{"by the transition", f.a, c.UUID, revoke(f.tick()), kind(fault.Illegal)},
		{"by any error", f.a, c.UUID, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			c.Status = vault.Approved
			return c, vault.Effects{Jobs: []vault.Job{{Kind: vault.JobMail}}, Tail: []byte("x")}, oops
		}, func(err error) bool { return errors.Is(err, oops) }},
		{"in another institution", f.b, c.UUID, approve(f.tick()), kind(fault.NotFound)},
		{"without a certificate", f.a, strings.Repeat("0", 36), approve(f.tick()), kind(fault.NotFound)},
	}
	for _, tt := range tests {
		got, err := f.store.Change(f.Context(), tt.institution, tt.which, tt.change)
		if !tt.is(err) {
			f.Errorf("%s: error %v", tt.name, err)
		}
		if got.ID != 0 {
			f.Errorf("%s: a refused change has a result: %+v", tt.name, got)
		}
		f.wantSame(f.read(c), c, tt.name)
		if n := len(f.events(c)); n != 1 {
			f.Errorf("%s: %d events, want 1", tt.name, n)
		}
		if q := f.queues(); q[vault.JobMail] != (store.QueueLength{}) {
			f.Errorf("%s: queues %+v", tt.name, q)
		}
	}
	if got := f.counts(f.a); got != (vault.Counts{Processing: 1}) {
		f.Errorf("counts %+v", got)
	}
}

func kind(k fault.Kind) func(error) bool { return func(err error) bool { return fault.Is(err, k) } }

func changeMoves(f *fixture) {
	all := f.insertMany(f.a, 4, func(_ int, d *vault.Draft) { d.Batch = "m" })
	f.insertOne(f.b, f.draft())
	want := func(counts vault.Counts, byStatus map[vault.Status][]vault.Certificate) {
		f.Helper()
		if got := f.counts(f.a); got != counts {
			f.Errorf("counts %+v, want %+v", got, counts)
		}
		for _, s := range vault.Statuses() {
			f.finds(store.Filter{Institution: f.a, Status: s}, byStatus[s]...)
			f.finds(store.Filter{Institution: f.a, Status: s, Batch: "m"}, byStatus[s]...)
		}
	}
	f.change(all[0], approve(f.tick()))
	f.change(all[1], fail(f.tick()))
	f.change(all[2], approve(f.tick()))
	f.change(all[2], revoke(f.tick()))
	want(vault.Counts{Processing: 1, Approved: 1, Failed: 1, Revoked: 1}, map[vault.Status][]vault.Certificate{
		vault.Approved: {all[0]}, vault.Failed: {all[1]}, vault.Revoked: {all[2]}, vault.Processing: {all[3]}})
	f.change(all[1], retry(f.tick()))
	want(vault.Counts{Processing: 2, Approved: 1, Revoked: 1}, map[vault.Status][]vault.Certificate{
		vault.Approved: {all[0]}, vault.Revoked: {all[2]}, vault.Processing: {all[1], all[3]}})
	f.change(all[0], func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Supersede(all[3].UUID, f.tick())
	})
	if got := f.read(all[0]); got.Status != vault.Approved || got.SupersededBy != all[3].UUID {
		f.Errorf("superseded as %+v", got)
	}
	f.finds(store.Filter{Institution: f.a}, all...)
	if got := f.counts(f.b); got != (vault.Counts{Processing: 1}) {
		f.Errorf("the other institution's counts are %+v", got)
	}
}

func referencedBlobs(f *fixture) {
	d := f.draft()
	c := f.insertOne(f.a, d)
	page := strings.Repeat("9", 64)
	wants := map[string]bool{d.File.SHA256: true, page: false, strings.Repeat("8", 64): false, d.File.SHA256[:63]: false, "": false}
	ask := func() {
		f.Helper()
		for sum, want := range wants {
			if got, err := f.store.BlobReferenced(f.Context(), sum); err != nil || got != want {
				f.Errorf("%q is referenced: %v, %v; want %v", sum, got, err, want)
			}
		}
	}
	ask()
	f.change(c, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Approve(vault.Verified{Document: vault.Document{SHA256: page}}, []byte("t"), f.tick())
	})
	wants[page] = true
	ask()
	f.change(c, revoke(f.tick()))
	ask()
}
