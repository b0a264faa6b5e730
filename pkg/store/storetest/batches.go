package storetest

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

func (f *fixture) batch(institution uint32, name, digest string) vault.Batch {
	f.Helper()
	id, err := vault.NewUUID(f.random, f.tick())
	f.check(err)
	return vault.Batch{ID: id, Institution: institution, Name: name, Digest: digest, Trigger: vault.BulkUpload, Total: 3, CreatedAt: f.now}
}

func (f *fixture) openBatch(b vault.Batch) vault.Batch {
	f.Helper()
	got, err := f.store.OpenBatch(f.Context(), b)
	f.check(err)
	return got
}

func (f *fixture) wantBatch(got, want vault.Batch, what string) {
	f.Helper()
	f.wantSame(got, want, what)
	if got.Counts != want.Counts {
		f.Errorf("%s: counts %+v, want %+v", what, got.Counts, want.Counts)
	}
}

func batches(f *fixture) {
	spring := f.batch(f.a, "2026-05-02-spring", strings.Repeat("a", 64))
	f.wantBatch(f.openBatch(spring), spring, "a new batch")
	autumn := f.batch(f.a, "2026-05-02-autumn", strings.Repeat("b", 64))
	f.openBatch(autumn)
	drop := f.batch(f.a, "2026-05-02-drop", "")
	f.openBatch(drop)

	c := f.insertMany(f.a, 3, func(_ int, d *vault.Draft) { d.Batch = spring.ID })
	f.insertMany(f.a, 2, func(_ int, d *vault.Draft) { d.Batch = autumn.ID })
	f.insertOne(f.a, f.draft())
	f.change(c[0], approve(f.tick()))
	f.change(c[1], fail(f.tick()))
	spring.Counts = vault.Counts{Processing: 1, Approved: 1, Failed: 1}
	autumn.Counts = vault.Counts{Processing: 2}

	repeat := f.batch(f.a, "2026-05-03-spring", spring.Digest)
	f.wantBatch(f.openBatch(repeat), spring, "the same digest on the next day")
	_, err := f.store.Batch(f.Context(), f.a, repeat.ID)
	f.wantKind(err, fault.NotFound, "the batch that was not opened")
	found, err := f.store.FindBatch(f.Context(), f.a, spring.Digest)
	f.check(err)
	f.wantBatch(found, spring, "by digest")
	found, err = f.store.Batch(f.Context(), f.a, autumn.ID)
	f.check(err)
	f.wantBatch(found, autumn, "by ID")
	for _, digest := range []string{"", spring.Digest[:63], spring.Digest + "a", strings.Repeat("c", 64)} {
		_, err := f.store.FindBatch(f.Context(), f.a, digest)
		f.wantKind(err, fault.NotFound, "digest "+digest)
	}
	for _, id := range []string{"", "x", spring.ID[:35]} {
		_, err := f.store.Batch(f.Context(), f.a, id)
		f.wantKind(err, fault.NotFound, "ID "+id)
	}
	f.wantBatches(f.a, drop, autumn, spring)
}

// wantBatches wants these, newest first, however they are paged.
func (f *fixture) wantBatches(institution uint32, want ...vault.Batch) {
	f.Helper()
	for _, perPage := range []int{1, 2, 100} {
		n := 0
		for page := 1; page <= len(want)/perPage+2; page++ {
			got, total, err := f.store.Batches(f.Context(), institution, page, perPage)
			f.check(err)
			if total != len(want) {
				f.Errorf("page %d of %d each: total %d, want %d", page, perPage, total, len(want))
			}
			for _, b := range got {
				if n < len(want) {
					f.wantBatch(b, want[n], fmt.Sprintf("page %d of %d each", page, perPage))
				}
				n++
			}
		}
		if n != len(want) {
			f.Errorf("by %d: %d batches, want %d", perPage, n, len(want))
		}
	}
	if got, total, err := f.store.Batches(f.Context(), institution, math.MaxInt, 15); err != nil || len(got) != 0 || total != len(want) {
		f.Errorf("on the last page there can be: %d of %d, %v", len(got), total, err)
	}
}

func batchNames(f *fixture) {
	for i, want := range []string{"spring", "spring-2", "spring-3"} {
		got := f.openBatch(f.batch(f.a, "spring", fmt.Sprintf("digest %d", i)))
		if got.Name != want {
			f.Errorf("batch %d is called %s, want %s", i, got.Name, want)
		}
		again, err := f.store.Batch(f.Context(), f.a, got.ID)
		f.check(err)
		f.wantBatch(again, got, "read again")
	}
	if got := f.openBatch(f.batch(f.a, "spring-2", "")); got.Name != "spring-2-2" {
		f.Errorf("called %s", got.Name)
	}
	if got := f.openBatch(f.batch(f.b, "spring", "digest 0")); got.Name != "spring" || got.Institution != f.b {
		f.Errorf("in the other institution: %+v", got)
	}
}

func batchesAreIsolated(f *fixture) {
	mine := f.openBatch(f.batch(f.a, "spring", "digest"))
	theirs := f.openBatch(f.batch(f.b, "autumn", "digest"))
	// A certificate that names another institution's batch is not counted there.
	d := f.draft()
	d.Batch = mine.ID
	f.insertOne(f.b, d)
	f.wantBatches(f.a, mine)
	f.wantBatches(f.b, theirs)
	f.wantBatches(99)
	for _, id := range []string{theirs.ID, ""} {
		_, err := f.store.Batch(f.Context(), f.a, id)
		f.wantKind(err, fault.NotFound, "the other institution's batch")
	}
	found, err := f.store.FindBatch(f.Context(), f.a, "digest")
	f.check(err)
	f.wantBatch(found, mine, "by digest")
	_, err = f.store.FindBatch(f.Context(), 99, "digest")
	f.wantKind(err, fault.NotFound, "in no institution")

	taken := f.batch(f.b, "other", "other digest")
	taken.ID = theirs.ID
	_, err = f.store.OpenBatch(f.Context(), taken)
	f.wantKind(err, fault.Conflict, "an ID that is taken")
	f.wantBatches(f.b, theirs)
}

func institutions(f *fixture) {
	all := func() []vault.Institution {
		f.Helper()
		got, err := f.store.Institutions(f.Context())
		f.check(err)
		return got
	}
	if got := all(); len(got) != 2 || got[0].ID != 1 || got[1].ID != 2 || got[0].Name != "A" || got[1].Name != "B" {
		f.Fatalf("institutions %+v", got)
	}
	before := f.written(all())
	_, err := f.store.AddInstitution(f.Context(), vault.Institution{Name: "", TimeZone: "UTC"})
	f.wantKind(err, fault.Invalid, "one without a name")
	f.wantKind(f.store.ChangeInstitution(f.Context(), vault.Institution{ID: 1, Name: "A", TimeZone: "Mars/X"}), fault.Invalid, "a bad zone")
	for _, id := range []uint32{0, 3, math.MaxUint32} {
		f.wantKind(f.store.ChangeInstitution(f.Context(), vault.Institution{ID: id, Name: "A", TimeZone: "UTC"}), fault.NotFound, "an unknown one")
	}
	if after := f.written(all()); after != before {
		f.Errorf("institutions %s, before %s", after, before)
	}
	b := all()[1]
	b.Name, b.TimeZone, b.Sender = "Uniwersytet Łódzki", "Europe/Warsaw", "registrar@example.edu.pl"
	f.check(f.store.ChangeInstitution(f.Context(), b))
	f.wantSame(all()[1], b, "the changed one")
	if id := f.institution("C"); id != 3 {
		f.Errorf("the next one has ID %d", id)
	}
	if got := all(); got[0].Name != "A" || got[2].Name != "C" {
		f.Errorf("institutions %+v", got)
	}
}

// batchesByOutcome lists batches by what came of them, through all that can change it.
func batchesByOutcome(f *fixture) {
	var all []vault.Batch
	var kept [][]vault.Certificate
	for i := range 5 {
		b := f.openBatch(f.batch(f.a, fmt.Sprintf("batch %d", i), fmt.Sprintf("digest %d", i)))
		all = append(all, b)
		kept = append(kept, f.insertMany(f.a, 2, func(_ int, d *vault.Draft) { d.Batch = b.ID }))
	}
	f.openBatch(f.batch(f.b, "theirs", "digest 0"))
	check := f.wantOutcomes
	check("at first")
	approved := approve(f.tick())
	kept[0][0] = f.change(kept[0][0], approved)
	check("one is approved")
	f.change(kept[0][1], approve(f.tick()))
	check("a batch is completed")
	f.change(kept[1][0], fail(f.tick()))
	failed := f.change(kept[1][1], fail(f.tick()))
	check("a batch failed")
	f.change(f.change(failed, retry(f.tick())), approve(f.tick()))
	check("a retry came right")
	_, err := f.changeBatch(all[2].ID, f.pause)
	f.check(err)
	check("one is paused")
	_, err = f.changeBatch(all[3].ID, f.cancel)
	f.check(err)
	check("one is cancelled")
	_, err = f.changeBatch(all[2].ID, vault.Batch.Resume)
	f.check(err)
	f.openBatch(all[3])
	check("resumed and reopened")
	f.openBatch(f.batch(f.a, "late", "digest late"))
	check("one is new")
	f.reopen()
	check("in another process")
}

// wantOutcomes compares the lists by outcome with the list of all.
func (f *fixture) wantOutcomes(when string) {
	f.Helper()
	listed, _, err := f.store.Batches(f.Context(), f.a, 1, 100)
	f.check(err)
	for _, some := range [][]vault.BatchState{nil, {vault.BatchProcessing}, {vault.BatchPaused}, {vault.BatchCancelled}, {vault.BatchCompleted}, {vault.BatchPartly}, {vault.BatchFailed},
		{vault.BatchCompleted, vault.BatchPartly, vault.BatchFailed}, {vault.BatchProcessing, vault.BatchPaused}, {vault.BatchDone}} {
		var want []vault.Batch
		for _, b := range listed {
			if slices.Contains(some, b.Outcome()) {
				want = append(want, b)
			}
		}
		for _, perPage := range []int{1, 2, 100} {
			n := 0
			for page := 1; page <= len(want)/perPage+2; page++ {
				got, total, err := f.store.BatchesIn(f.Context(), f.a, some, page, perPage)
				f.check(err)
				if total != len(want) {
					f.Errorf("%s, %v: total %d, want %d", when, some, total, len(want))
				}
				for _, b := range got {
					if n < len(want) {
						f.wantBatch(b, want[n], fmt.Sprintf("%s, %v", when, some))
					}
					n++
				}
			}
			if n != len(want) {
				f.Errorf("%s, %v by %d: %d batches, want %d", when, some, perPage, n, len(want))
			}
		}
	}
}
