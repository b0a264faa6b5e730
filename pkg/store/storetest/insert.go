package storetest

import (
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

func insertStores(f *fixture) {
	d := f.draft()
	d.Name, d.Title, d.Details, d.Batch = "Zażółć <Gęślą> & \"Jaźń\"", "শংসাপত্র", "one\r\n\ttwo", "batch-1"
	row := f.newCertificate(f.a, d)
	done := f.insert(row)[0]
	want := row.Certificate
	want.ID = done.Certificate.ID
	if done.Duplicate || want.ID == 0 {
		f.Fatalf("duplicate %v, ID %d", done.Duplicate, want.ID)
	}
	f.wantSame(done.Certificate, want, "what was accepted")
	f.wantSame(f.read(want), want, "what was kept")

	events := f.events(want)
	if len(events) != 1 {
		f.Fatalf("%d events, want 1", len(events))
	}
	event := row.Effects.Events[0]
	event.Seq, event.Certificate = events[0].Seq, want.ID
	f.wantSame(events[0], event, "the event")

	jobs := f.claim(vault.JobSign, 10)
	if len(jobs) != 1 || jobs[0].Certificate != want.ID || jobs[0].Attempt != 1 || !jobs[0].Claimed {
		f.Errorf("jobs %+v, want one for certificate %d", jobs, want.ID)
	}
	if got := f.counts(f.a); got != (vault.Counts{Processing: 1}) {
		f.Errorf("counts %+v", got)
	}

	more := f.insertMany(f.a, 5, func(int, *vault.Draft) {})
	for i, c := range more {
		if c.ID <= want.ID || i > 0 && c.ID <= more[i-1].ID {
			f.Errorf("row %d has ID %d, not in order of creation", i, c.ID)
		}
	}
}

func insertFindsDuplicates(f *fixture) {
	d := f.draft()
	first := f.insertOne(f.a, d)
	again := d
	again.Email, again.Title, again.Name = " "+upperASCII(d.Email), d.Title+" ", "Another Name"
	fresh, twin := f.draft(), f.draft()
	twin.Email, twin.Name = fresh.Email, "The twin"
	otherDate := d
	otherDate.IssueDate = "2026-05-03"

	done := f.insert(f.newCertificate(f.a, again), f.newCertificate(f.a, fresh), f.newCertificate(f.a, twin),
		f.newCertificate(f.a, otherDate), f.newCertificate(f.b, d), f.newCertificate(f.a, fresh))
	for i, duplicate := range []bool{true, false, true, false, false, true} {
		if done[i].Duplicate != duplicate {
			f.Errorf("row %d: duplicate %v, want %v", i, done[i].Duplicate, duplicate)
		}
	}
	f.wantSame(done[0].Certificate, first, "the holder of a stored key")
	f.wantSame(done[2].Certificate, done[1].Certificate, "the holder of a twin's key")
	f.wantSame(done[5].Certificate, done[1].Certificate, "the holder of a second twin's key")
	if got := f.counts(f.a); got.Sum() != 3 {
		f.Errorf("%d certificates, want 3", got.Sum())
	}
	if got := f.queues()[vault.JobSign].Waiting; got != 4 {
		f.Errorf("%d jobs, want 4", got)
	}
	if got := len(f.events(first)); got != 1 {
		f.Errorf("%d events of the holder, want 1", got)
	}

	f.change(first, fail(f.tick()))
	failed := f.insert(f.newCertificate(f.a, d))[0]
	if !failed.Duplicate || failed.Certificate.Status != vault.Failed {
		f.Errorf("a failed certificate gave up its key: %+v", failed)
	}
	c := f.change(done[1].Certificate, approve(f.tick()))
	f.change(c, revoke(f.tick()))
	if revoked := f.insert(f.newCertificate(f.a, fresh))[0]; !revoked.Duplicate || revoked.Certificate.Status != vault.Revoked {
		f.Errorf("a revoked certificate gave up its key: %+v", revoked)
	}
}

func insertRefusesTakenIdentities(f *fixture) {
	first := f.insertOne(f.a, f.draft())
	identity := func(uuid, reference string) vault.Identity { return vault.Identity{UUID: uuid, Reference: reference} }
	fresh := f.newCertificate(f.a, f.draft()).Certificate.Identity
	other := f.newCertificate(f.a, f.draft()).Certificate.Identity
	shared := func(token string) vault.Identity {
		return vault.Identity{UUID: other.UUID, Reference: other.Reference, ShareToken: token}
	}
	tests := []struct {
		name       string
		one, other vault.Identity
		kind       fault.Kind
	}{
		{"a stored UUID", fresh, identity(first.UUID, other.Reference), fault.Conflict},
		{"a stored reference ID", fresh, identity(other.UUID, first.Reference), fault.Conflict},
		{"a UUID twice in one call", fresh, identity(fresh.UUID, other.Reference), fault.Conflict},
		{"a reference ID twice in one call", fresh, identity(other.UUID, fresh.Reference), fault.Conflict},
		{"a stored share token", fresh, shared(first.ShareToken), fault.Conflict},
		{"a share token twice in one call", fresh, shared(fresh.ShareToken), fault.Conflict},
		{"a UUID that is none", fresh, identity("x", other.Reference), fault.Invalid},
		{"no reference ID", fresh, identity(other.UUID, ""), fault.Invalid},
	}
	for _, tt := range tests {
		rows := []store.NewCertificate{f.newCertificate(f.a, f.draft()), f.newCertificate(f.b, f.draft())}
		rows[0].Certificate.Identity, rows[1].Certificate.Identity = tt.one, tt.other
		done, err := f.store.Insert(f.Context(), rows)
		f.wantKind(err, tt.kind, tt.name)
		if len(done) != 0 {
			f.Errorf("%s: outcomes of a refused call: %+v", tt.name, done)
		}
		if a, b := f.counts(f.a), f.counts(f.b); a.Sum() != 1 || b.Sum() != 0 {
			f.Errorf("%s: %d and %d certificates, want 1 and 0", tt.name, a.Sum(), b.Sum())
		}
		_, err = f.store.Certificate(f.Context(), f.a, fresh.UUID)
		f.wantKind(err, fault.NotFound, tt.name+": the row beside it")
		if got := f.queues()[vault.JobSign]; got != (store.QueueLength{Waiting: 1}) {
			f.Errorf("%s: jobs %+v, want one", tt.name, got)
		}
	}
	f.finds(store.Filter{Institution: f.a}, first)
	f.finds(store.Filter{Institution: f.a, Search: "person"}, first)
	f.wantSame(f.read(first), first, "the holder of the identity")

	d := f.draft()
	d.Email, d.Title, d.IssueDate = first.Email, first.Title, first.IssueDate
	row := f.newCertificate(f.a, d)
	row.Certificate.Identity = first.Identity
	if !f.insert(row)[0].Duplicate {
		f.Error("a duplicate with its holder's identity is none")
	}
}

// insertSharedAddresses keeps people whose keys have a person in them: by name, and by
// external ID with the name as an alias as long as nobody else has it.
func insertSharedAddresses(f *fixture) {
	base := f.draft()
	person := func(name, id string) vault.Draft {
		d := base
		d.Name, d.ExternalID = name, id
		d.Person = vault.PersonOf(d.Content)
		return d
	}
	plain := f.insertOne(f.a, base)
	done := f.insert(f.newCertificate(f.a, person("Ewa", "")), f.newCertificate(f.a, person("Maria", "1")),
		f.newCertificate(f.a, person("Maria", "2")), f.newCertificate(f.a, person("maria", "")))
	for i, duplicate := range []bool{false, false, false, true} {
		if done[i].Duplicate != duplicate {
			f.Errorf("person %d: duplicate %v", i, done[i].Duplicate)
		}
	}
	ewa, first, second := done[0].Certificate, done[1].Certificate, done[2].Certificate
	holders := func(want ...*vault.Certificate) {
		f.Helper()
		keys := []vault.Key{base.Key(), person("EWA", "").Key(), person("x", "1").Key(), person("x", "2").Key(), person("Maria", "").Key()}
		got, err := f.store.KeyHolders(f.Context(), f.a, keys)
		f.check(err)
		f.wantSame(got, want, "holders")
	}
	holders(&plain, &ewa, &first, &second, &first)

	// Erasing one frees its own keys only.
	for _, c := range []vault.Certificate{first, second, ewa, plain} {
		f.change(c, approve(f.tick()))
	}
	plain, ewa, second = f.read(plain), f.read(ewa), f.read(second)
	_, err := f.store.Erase(f.Context(), f.a, base.Email, func(c vault.Certificate) bool { return c.ID == first.ID }, f.tick())
	f.check(err)
	holders(&plain, &ewa, nil, &second, nil)
	if again := f.insert(f.newCertificate(f.a, person("Maria", "")))[0]; again.Duplicate {
		f.Error("the name of an erased person is taken")
	}
}

func insertFreezesDates(f *fixture) {
	d := f.draft()
	d.Undated = true
	key := d.FreezeKey()
	frozen := func(institution uint32, want ...vault.Date) {
		f.Helper()
		got, err := f.store.FrozenDates(f.Context(), institution, []vault.Key{key, {1}})
		f.check(err)
		f.wantSame(got, want, "the frozen dates")
	}
	frozen(f.a, "", "")
	f.insertOne(f.a, d)
	frozen(f.a, "2026-05-02", "")
	frozen(f.b, "", "")

	dated := f.draft()
	f.insertOne(f.a, dated)
	got, err := f.store.FrozenDates(f.Context(), f.a, []vault.Key{dated.FreezeKey()})
	f.check(err)
	f.wantSame(got, []vault.Date{""}, "the date of a row that was dated")

	d.IssueDate = "2026-05-03"
	f.insert(f.newCertificate(f.a, d))
	frozen(f.a, "2026-05-02", "")

	empty, err := f.store.FrozenDates(f.Context(), f.a, nil)
	if err != nil || len(empty) != 0 {
		f.Errorf("of no keys: %v, %v", empty, err)
	}
}

func insertNothing(f *fixture) {
	if done := f.insert(); len(done) != 0 {
		f.Errorf("outcomes %v", done)
	}
	if outcomes := f.complete(); len(outcomes) != 0 {
		f.Errorf("outcomes %v", outcomes)
	}
	found, err := f.store.ByID(f.Context())
	if err != nil || len(found) != 0 {
		f.Errorf("found %v, %v", found, err)
	}
}

func upperASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - 32
		}
	}
	return string(b)
}
