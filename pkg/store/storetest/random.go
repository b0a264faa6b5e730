package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// steps is the number of random operations of one run.
const steps = 3000

// walker is a run of random operations on a store and on the model.
type walker struct {
	*fixture
	*rand.Rand
	model   *model
	claimed []vault.Job // some of them lost or settled meanwhile
}

// randomOperations compares a store with the model over a seeded random walk.
func randomOperations(f *fixture) {
	w := &walker{fixture: f, Rand: rand.New(rand.NewPCG(1, 2)), model: newModel()}
	operations := []struct {
		weight int
		run    func()
	}{
		{12, w.insertSome}, {10, w.changeOne}, {10, w.claimSome}, {12, w.completeSome}, {1, w.releaseAll}, {6, w.passTime},
		{20, w.compareList}, {8, w.compareJobs}, {10, w.compareOne}, {8, w.compareCounts}, {3, w.compareFrozen}, {5, w.submitOne},
	}
	sum := 0
	for _, o := range operations {
		sum += o.weight
	}
	for step := range steps {
		n := w.IntN(sum)
		for _, o := range operations {
			if n -= o.weight; n < 0 {
				o.run()
				break
			}
		}
		if f.Failed() {
			f.Fatalf("at step %d", step)
		}
	}
	if c := f.counts(f.a); c.Sum() < 100 || c.Approved == 0 || c.Failed == 0 || c.Revoked == 0 ||
		c.Pending == 0 || c.InReview == 0 || c.Rejected == 0 {
		f.Errorf("the walk went nowhere: %+v", c)
	}
}

func pick[T any](w *walker, from ...T) T { return from[w.IntN(len(from))] }

func (w *walker) randomDraft() vault.Draft {
	d := w.draft()
	d.Email = fmt.Sprintf(pick(w, "p%d@example.com", "P%d@Example.COM", "ż%d@example.pl"), w.IntN(12))
	d.Title = pick(w, "Diploma", "Diplôme", "Магистр", "শংসাপত্র") + pick(w, "", " I", " II")
	d.Name = pick(w, "Łukasz", "Ada", "Işıl", "محمد", "王小明") + " " + pick(w, "Żółw", "Lovelace", "İnan", "小")
	d.IssueDate = vault.Date(fmt.Sprintf("2026-05-%02d", 1+w.IntN(6)))
	d.Batch = pick(w, "", "batch-1", "batch-2", "batch-3")
	d.Undated = w.IntN(3) == 0
	d.File.SHA256 = fmt.Sprintf("%064x", w.IntN(40))
	return d
}

func (w *walker) insertSome() {
	rows := make([]store.NewCertificate, 1+w.IntN(6))
	for i := range rows {
		rows[i] = w.newCertificate(pick(w, w.a, w.a, w.b), w.randomDraft())
		if n := len(w.model.certificates); n > 0 && w.IntN(60) == 0 {
			rows[i].Certificate.UUID = w.model.certificates[w.IntN(n)].UUID
		}
		if i > 0 && w.IntN(60) == 0 {
			rows[i].Certificate.Reference = rows[i-1].Certificate.Reference
		}
	}
	want, ok := w.model.insert(rows)
	got, err := w.store.Insert(w.Context(), rows)
	if !ok {
		w.wantKind(err, fault.Conflict, "accepting an identity that is taken")
		return
	}
	w.check(err)
	// The store numbers as it likes as long as the numbers grow; the model needs
	// them to be those of its own slice.
	w.wantSame(got, want, "accepted")
}

func (w *walker) randomChange() store.Change {
	at := w.tick()
	day := vault.Date(fmt.Sprintf("2026-05-%02d", 1+w.IntN(6)))
	return pick(w, approve(at), approve(at.Add(time.Microsecond)), fail(at), retry(at), revoke(at),
		inReview(at), approveApplication(at, day), approveApplication(at.Add(time.Microsecond), day), reject(at),
		func(c vault.Certificate) (vault.Certificate, vault.Effects, error) { return c.Supersede("another", at) })
}

func (w *walker) one() (vault.Certificate, bool) {
	n := len(w.model.certificates)
	if n == 0 {
		return vault.Certificate{}, false
	}
	return w.model.certificates[w.IntN(n)], true
}

func (w *walker) changeOne() {
	c, ok := w.one()
	if !ok {
		return
	}
	name := pick(w, c.UUID, strings.ToUpper(c.UUID), c.Reference, strings.ToLower(c.Reference))
	change := w.randomChange()
	if w.IntN(10) == 0 {
		_, err := w.store.Change(w.Context(), w.a+w.b-c.Institution, name, change)
		w.wantKind(err, fault.NotFound, "changing another institution's")
		return
	}
	want := w.model.change(c.ID, change)
	got, err := w.store.Change(w.Context(), c.Institution, name, change)
	if want != nil {
		w.wantKind(err, fault.KindOf(want), "a transition that is refused")
		return
	}
	w.check(err)
	w.wantSame(got, w.model.certificates[c.ID-1], "changed")
}

func (w *walker) claimSome() {
	kind, n := pick(w, vault.JobSign, vault.JobSign, vault.JobMail), 1+w.IntN(8)
	got := w.claim(kind, n)
	w.model.claim(w.fixture, kind, n, got)
	w.claimed = append(w.claimed, got...)
}

func (w *walker) completeSome() {
	if len(w.claimed) == 0 {
		return
	}
	all := make([]store.JobResult, 1+w.IntN(5))
	for i := range all {
		s := store.JobResult{Job: w.claimed[max(len(w.claimed)-1-w.IntN(12), 0)]}
		switch w.IntN(6) {
		case 0:
			s.Job, s.Retry = s.Job.Postponed("busy", w.tick(), time.Second), true
		case 1:
			s.Job, s.Release = s.Job.Postponed("stopping", w.tick(), 0), true
		case 2:
		default:
			s.Change = w.randomChange()
		}
		all[i] = s
	}
	outcomes := w.complete(all...)
	for i, s := range all {
		held, err := w.model.complete(s)
		switch {
		case !held:
			w.wantKind(outcomes[i], fault.Conflict, "a lost lease")
		case err != nil:
			w.wantKind(outcomes[i], fault.KindOf(err), "a transition that is refused")
		case outcomes[i] != nil:
			w.Errorf("settlement %d is refused: %v", i, outcomes[i])
		}
	}
}

func (w *walker) releaseAll() {
	want := w.model.requeueOrphaned(w.tick())
	if got, err := w.store.RequeueOrphaned(w.Context(), nil, w.now); err != nil || got != want {
		w.Errorf("released %d, %v; want %d", got, err, want)
	}
}

func (w *walker) passTime() {
	w.now = w.now.Add(pick(w, time.Millisecond, time.Second, time.Minute, 6*time.Minute))
}

func (w *walker) compareList() {
	f := store.Filter{Institution: pick(w, w.a, w.a, w.b)}
	if w.IntN(3) == 0 {
		f.Status = pick(w, vault.Statuses()...)
	}
	if w.IntN(3) == 0 {
		f.Source = pick(w, vault.FromCustomer, vault.FromVault)
	}
	f.Open = w.IntN(6) == 0
	if w.IntN(5) == 0 {
		f.Email = fmt.Sprintf(" P%d@example.com", w.IntN(14))
	}
	if w.IntN(3) == 0 {
		f.Batch = pick(w, "batch-1", "batch-2", "batch-3", "batch-4")
	}
	if w.IntN(3) == 0 {
		f.Search = pick(w, "l", "z", "zo", "isil", "diplome ii", "DIPL", "магистр", "王小", "小", "example", "1@ex", "محم", "ada lo", "2026", "xyz", "শংসা")
	}
	if w.IntN(6) == 0 {
		f.Failure = pick(w, "damaged", "encrypted")
	}
	if n := len(w.model.certificates); n > 0 && w.IntN(6) == 0 {
		f.Below = 1 + w.Uint64N(uint64(n)+1)
	}
	if w.IntN(4) == 0 {
		f.From = vault.Date(fmt.Sprintf("2026-05-%02d", w.IntN(8)))
	}
	if w.IntN(4) == 0 {
		f.To = vault.Date(fmt.Sprintf("2026-05-%02d", w.IntN(8)))
	}
	page, perPage := 1+w.IntN(4), pick(w, 1, 5, 15, 100)
	got := w.list(f, page, perPage)
	want := w.model.list(f, page, perPage)
	if got.Total != want.Total || len(got.Certificates) != len(want.Certificates) {
		w.Errorf("%+v, page %d of %d each: %d of %d, want %d of %d", f, page, perPage,
			len(got.Certificates), got.Total, len(want.Certificates), want.Total)
		return
	}
	for i := range want.Certificates {
		w.wantSame(got.Certificates[i], want.Certificates[i], fmt.Sprintf("%+v, page %d of %d each", f, page, perPage))
	}
}

func (w *walker) compareJobs() {
	w.wantSame(w.queues(), w.model.queues(w.now), "queues")
	for _, kind := range []vault.JobKind{vault.JobSign, vault.JobMail} {
		if got, want := w.nextRun(kind), w.model.nextRun(kind); !got.Equal(want) {
			w.Errorf("the next %s is due at %s, want %s", kind, got, want)
		}
	}
}

func (w *walker) compareOne() {
	c, ok := w.one()
	if !ok {
		return
	}
	w.wantSame(w.read(c), c, "the certificate")
	got, want := w.events(c), slices.Clone(w.model.events[c.ID])
	for i := range min(len(got), len(want)) {
		if i > 0 && got[i].Seq <= got[i-1].Seq {
			w.Errorf("event %d has number %d after %d", i, got[i].Seq, got[i-1].Seq)
		}
		want[i].Seq = got[i].Seq
	}
	w.wantSame(got, want, "events")
	tail, err := w.store.Tail(w.Context(), c.ID)
	if want, ok := w.model.tails[c.ID]; ok != (err == nil) || string(tail) != want {
		w.Errorf("tail %q, %v; want %q", tail, err, want)
	}
	holders, err := w.store.KeyHolders(w.Context(), c.Institution, []vault.Key{c.Key()})
	w.check(err)
	w.wantSame(holders, []*vault.Certificate{w.model.holder(c.Institution, c.Key())}, "holders")
}

func (w *walker) compareCounts() {
	for _, institution := range []uint32{w.a, w.b} {
		want := w.model.counts(func(c vault.Certificate) bool { return c.Institution == institution })
		if got := w.counts(institution); got != want {
			w.Errorf("counts %+v, want %+v", got, want)
		}
	}
}

func (w *walker) compareFrozen() {
	d := w.randomDraft()
	key := d.FreezeKey()
	for k := range w.model.frozen {
		key = k.key
		break
	}
	for _, institution := range []uint32{w.a, w.b} {
		got, err := w.store.FrozenDates(w.Context(), institution, []vault.Key{key})
		w.check(err)
		w.wantSame(got, []vault.Date{w.model.frozen[frozenRow{institution, key}]}, "the frozen date")
	}
}
