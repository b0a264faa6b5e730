package storetest

import (
	"fmt"
	"math"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

func lookups(f *fixture) {
	all := f.insertMany(f.a, 3, func(int, *vault.Draft) {})
	c := all[1]
	for _, name := range []string{c.UUID, strings.ToUpper(c.UUID), c.Reference, strings.ToLower(c.Reference), "vEc-iC" + c.Reference[6:]} {
		got, err := f.store.Certificate(f.Context(), f.a, name)
		f.check(err)
		f.wantSame(got, c, name)
	}
	for _, name := range []string{"", " ", c.UUID[:35], c.UUID + "0", c.Reference[:23], c.Reference + "0", "urn:uuid:" + c.UUID,
		"{" + c.UUID + "}", strings.ReplaceAll(c.UUID, "-", ""), c.Email, "VEC-IC-20260000000000000", "a\x00b", "\xff"} {
		_, err := f.store.Certificate(f.Context(), f.a, name)
		f.wantKind(err, fault.NotFound, name)
	}

	found, err := f.store.ByID(f.Context(), all[2].ID, all[0].ID, all[2].ID)
	f.check(err)
	f.wantSame(found, []vault.Certificate{all[2], all[0], all[2]}, "by ID")
	for _, id := range []uint64{0, all[2].ID + 1, math.MaxUint64} {
		if _, err := f.store.ByID(f.Context(), all[0].ID, id); err == nil {
			f.Errorf("ID %d is found", id)
		}
	}

	holders, err := f.store.KeyHolders(f.Context(), f.a, []vault.Key{all[2].Key(), {}, all[0].Key()})
	f.check(err)
	f.wantSame(holders, []*vault.Certificate{&all[2], nil, &all[0]}, "holders")
}

// sharing finds certificates by what stands in the addresses of their pages.
func sharing(f *fixture) {
	mine, theirs := f.insertOne(f.a, f.draft()), f.insertOne(f.b, f.draft())
	for _, c := range []vault.Certificate{mine, theirs} {
		got, err := f.store.ByShareToken(f.Context(), c.ShareToken)
		f.check(err)
		f.wantSame(got, c, "by token")
		for _, reference := range []string{c.Reference, strings.ToLower(c.Reference)} {
			got, err = f.store.ByReference(f.Context(), reference)
			f.check(err)
			f.wantSame(got, c, reference)
		}
	}
	for _, name := range []string{"", mine.UUID, mine.ShareToken[:31], mine.ShareToken + "a", strings.ToUpper(mine.ShareToken)} {
		_, err := f.store.ByShareToken(f.Context(), name)
		f.wantKind(err, fault.NotFound, name)
		_, err = f.store.ByReference(f.Context(), name)
		f.wantKind(err, fault.NotFound, name)
	}
	reshared := f.change(mine, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.ReplaceShareToken("another", f.tick())
	})
	_, err := f.store.ByShareToken(f.Context(), mine.ShareToken)
	f.wantKind(err, fault.NotFound, "the old token")
	before := f.store.Version(mine.Reference)
	if again := f.store.Version(strings.ToLower(mine.Reference)); again != before {
		f.Errorf("version %d in small letters, %d in capitals", again, before)
	}
	f.change(reshared, approve(f.tick()))
	if f.store.Version(mine.Reference) == before {
		f.Error("a changed certificate has the same version")
	}
	reshared = f.read(reshared)
	got, err := f.store.ByShareToken(f.Context(), "another")
	f.check(err)
	f.wantSame(got, reshared, "the new token")
	_, err = f.store.Change(f.Context(), f.a, mine.UUID, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.ReplaceShareToken(theirs.ShareToken, f.tick())
	})
	f.wantKind(err, fault.Conflict, "another's token")
}

// verifiedLookups finds certificates by the hash of their verified PDFs.
func verifiedLookups(f *fixture) {
	sum := func(n int) string { return fmt.Sprintf("%064x", 7000+n) }
	approved := func(c vault.Certificate, n int) vault.Certificate {
		return f.change(c, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			v := vault.Verified{Document: vault.Document{SHA256: c.File.SHA256, Size: c.File.Size}, TailSize: 4, SHA256: sum(n)}
			return c.Approve(v, []byte("tail"), f.tick())
		})
	}
	d := f.draft()
	mine, theirs, waits := approved(f.insertOne(f.a, d), 1), approved(f.insertOne(f.b, f.draft()), 2), f.insertOne(f.a, f.draft())
	other := sum(1)[:63] + "0" // begins as a known one does
	got, err := f.store.ByVerifiedSHA256(f.Context(), sum(2), waits.File.SHA256, sum(1), sum(3), other, "", "x", sum(1)[:40], strings.ToUpper(strings.Repeat("ab", 32)))
	f.check(err)
	f.wantSame(got, []*vault.Certificate{&theirs, nil, &mine, nil, nil, nil, nil, nil, nil}, "by the verified PDF")
	revoked := f.change(mine, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Revoke("a mistake", f.tick())
	})
	got, err = f.store.ByVerifiedSHA256(f.Context(), sum(1))
	f.check(err)
	f.wantSame(got, []*vault.Certificate{&revoked}, "revoked")
	_, err = f.store.Erase(f.Context(), f.a, d.Email, nil, f.tick())
	f.check(err)
	got, err = f.store.ByVerifiedSHA256(f.Context(), sum(1), sum(2))
	f.check(err)
	f.wantSame(got, []*vault.Certificate{nil, &theirs}, "erased")
}

// laterTimestamps finds a certificate by the file that it was issued with and by the one with the
// time stamp that was added later.
func laterTimestamps(f *fixture) {
	first, then := strings.Repeat("ab", 32), strings.Repeat("cd", 32)
	d := f.draft()
	c := f.change(f.insertOne(f.a, d), func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		v := vault.Verified{Document: vault.Document{SHA256: c.File.SHA256, Size: c.File.Size}, TailSize: 4, SHA256: first, TimestampOwed: true}
		return c.Approve(v, []byte("tail"), f.tick())
	})
	f.wantSame(f.queues()[vault.JobTimestamp], store.QueueLength{Waiting: 1}, "the time stamp that is owed")
	job := f.claim(vault.JobTimestamp, 1)[0]
	f.check(f.complete(store.JobResult{Job: job, Change: func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.AddTimestamp(then, []byte("TAIL"), f.tick().AddDate(1, 0, 0), f.tick())
	}})[0])
	c = f.read(c)
	got, err := f.store.ByVerifiedSHA256(f.Context(), first, then)
	f.check(err)
	f.wantSame(got, []*vault.Certificate{&c, &c}, "by the files before and after")
	tail, err := f.store.Tail(f.Context(), c.ID)
	f.check(err)
	f.wantSame(string(tail), "TAIL", "the tail")
	if _, owed := f.queues()[vault.JobTimestamp]; owed {
		f.Error("the time stamp is still owed")
	}
	_, err = f.store.Erase(f.Context(), f.a, d.Email, nil, f.tick())
	f.check(err)
	got, err = f.store.ByVerifiedSHA256(f.Context(), first, then)
	f.check(err)
	f.wantSame(got, []*vault.Certificate{nil, nil}, "erased")
}

// preserved adds two updates behind a verified PDF: each file is found, and the update that was
// made for another file is refused.
func preserved(f *fixture) {
	first, then, last := strings.Repeat("ab", 32), strings.Repeat("cd", 32), strings.Repeat("ef", 32)
	d := f.draft()
	c := f.change(f.insertOne(f.a, d), func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		v := vault.Verified{Document: vault.Document{SHA256: c.File.SHA256, Size: c.File.Size}, TailSize: 4, SHA256: first, LevelOwed: vault.SealLT}
		return c.Approve(v, []byte("tail"), f.tick())
	})
	padding := strings.Repeat("0", 200)
	for i, p := range []vault.Preserved{
		{Before: first, SHA256: then, Update: []byte("\none" + padding), Level: vault.SealLT},
		{Before: then, SHA256: last, Update: []byte("\ntwo"), Level: vault.SealLTA, Until: f.tick().AddDate(1, 0, 0)},
	} {
		if i > 0 {
			f.change(c, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
				return c.OweLevel(vault.SealLTA, f.tick())
			})
		}
		f.wantSame(f.queues()[vault.JobPreserve], store.QueueLength{Waiting: 1}, "what is owed")
		job := f.claim(vault.JobPreserve, 1)[0]
		wrong := p
		wrong.Before = strings.Repeat("0", 64)
		f.wantKind(f.complete(store.JobResult{Job: job, Change: func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.Preserve(wrong, f.tick())
		}})[0], fault.Conflict, "made for another file")
		f.check(f.complete(store.JobResult{Job: job, Change: func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.Preserve(p, f.tick())
		}})[0])
	}
	c = f.read(c)
	f.wantSame(c.Verified.TailSize, int64(4+204+4), "the length of all that follows the document")
	got, err := f.store.ByVerifiedSHA256(f.Context(), first, then, last)
	f.check(err)
	f.wantSame(got, []*vault.Certificate{&c, &c, &c}, "by each file")
	tail, err := f.store.Tail(f.Context(), c.ID)
	f.check(err)
	f.wantSame(string(tail), "tail\none"+padding+"\ntwo", "the tail")
	_, err = f.store.Erase(f.Context(), f.a, d.Email, nil, f.tick())
	f.check(err)
	_, err = f.store.Tail(f.Context(), c.ID)
	f.wantKind(err, fault.NotFound, "erased")
}

// lookupsAreIsolated keeps the same drafts for two institutions and looks at
// each from the other.
func lookupsAreIsolated(f *fixture) {
	d := f.draft()
	d.Undated = true
	mine, theirs := f.insertOne(f.a, d), f.insertOne(f.b, d)
	for _, name := range []string{theirs.UUID, theirs.Reference} {
		_, err := f.store.Certificate(f.Context(), f.a, name)
		f.wantKind(err, fault.NotFound, "from the other institution")
		_, err = f.store.Change(f.Context(), f.a, name, approve(f.tick()))
		f.wantKind(err, fault.NotFound, "changing the other institution's")
		_, err = f.store.Certificate(f.Context(), 99, name)
		f.wantKind(err, fault.NotFound, "from no institution")
	}
	f.wantSame(f.read(theirs), theirs, "theirs")
	for institution, want := range map[uint32]vault.Certificate{f.a: mine, f.b: theirs} {
		holders, err := f.store.KeyHolders(f.Context(), institution, []vault.Key{d.Key()})
		f.check(err)
		f.wantSame(holders, []*vault.Certificate{&want}, "holders")
	}
	holders, err := f.store.KeyHolders(f.Context(), 99, []vault.Key{d.Key()})
	f.check(err)
	f.wantSame(holders, []*vault.Certificate{nil}, "holders in no institution")
}

// listsAreIsolated asks by every filter that fits both institutions, for pages
// that would show that the other's were counted.
func listsAreIsolated(f *fixture) {
	var mine, theirs []vault.Certificate
	for i := range 6 {
		d := f.draft()
		d.Batch, d.Email, d.Title = "shared", "same@example.com", "Diploma "+string(rune('A'+i))
		mine = append(mine, f.insertOne(f.a, d))
		if i < 5 {
			theirs = append(theirs, f.insertOne(f.b, d))
		}
	}
	filters := []store.Filter{
		{}, {Batch: "shared"}, {Email: "same@example.com"}, {Status: vault.Processing}, {Search: "diploma"}, {Search: "p"},
		{From: "2026-05-02"}, {To: "2026-05-02"}, {Batch: "shared", Status: vault.Processing}, {Batch: "shared", Search: "di"},
	}
	for _, filter := range filters {
		filter.Institution = f.a
		f.finds(filter, mine...)
		filter.Institution = f.b
		f.finds(filter, theirs...)
		filter.Institution = 99
		f.finds(filter)
	}
	if a, b, none := f.counts(f.a), f.counts(f.b), f.counts(99); a.Sum() != 6 || b.Sum() != 5 || none.Sum() != 0 {
		f.Errorf("counts %+v, %+v and %+v", a, b, none)
	}
	if _, err := f.store.Batch(f.Context(), f.a, "shared"); err == nil {
		f.Error("a batch that nobody opened is found")
	}
}
