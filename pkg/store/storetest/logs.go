package storetest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

func logTests() []test {
	return []test{
		{"approved certificates enter their institution's log", logGrows},
		{"each key has a log of its own", logPerKey},
		{"certificates that are inserted with an entry enter the log", logInserted},
		{"what is refused is in no log", logRefuses},
		{"a job that is completed twice enters the log once", logTwice},
		{"an erased person's entry stays, its salt does not", logForgets},
		{"statements enter the log without a job", logAppends},
		{"issued certificates enter the log later", logEntersIssued},
		{"revocations and supersessions are listed", logRevocations},
		{"cosignatures of a log", logCosigned},
	}
}

// logEntry is a certificate that enters the log with a key.
type logEntry struct {
	key  ed25519.PrivateKey
	data [32]byte
	at   time.Time
}

func newLogEntry(key byte, c vault.Certificate) logEntry {
	return logEntry{ed25519.NewKeyFromSeed(append(make([]byte, 31), key)), sha256.Sum256([]byte(c.UUID)), c.ApprovedAt}
}

// LogKey implements vault.LogEntry.
func (e logEntry) LogKey() string { return fmt.Sprintf("%x", e.key.Public()) }

// Entry implements vault.LogEntry.
func (e logEntry) Entry() []byte { return e.data[:] }

// At implements vault.LogEntry.
func (e logEntry) At() time.Time { return e.at }

// SignCheckpoint implements vault.LogEntry.
func (e logEntry) SignCheckpoint(size int64, root [32]byte) ([]byte, error) {
	text := append(binary.BigEndian.AppendUint64(nil, uint64(size)), root[:]...)
	return append(text, ed25519.Sign(e.key, text)...), nil
}

// Complete implements vault.LogEntry. The tail says what a test wants to see.
func (e logEntry) Complete(c vault.Certificate, p vault.LogProof) (vault.Certificate, []byte, error) {
	c.Log = &vault.LogPlace{Log: vault.LogID(e.LogKey()), Index: p.Index, Salt: []byte("salt")}
	tail := fmt.Appendf(nil, "%d %x %x", p.Index, p.Hashes, p.Checkpoint)
	verified := *c.Verified
	verified.SHA256 = fmt.Sprintf("%x", sha256.Sum256(tail))
	c.Verified = &verified
	return c, tail, nil
}

// logInserted inserts certificates that were issued before; a duplicate enters no log.
func logInserted(f *fixture) {
	f.insertOne(f.a, f.draft())
	first, outcomes := approveClaimed(f, 1)
	f.check(outcomes[0])
	second := f.newCertificate(f.a, f.draft())
	rows := []store.NewCertificate{f.adopted(second), f.adopted(second), f.adopted(f.newCertificate(f.a, f.draft()))}
	rows[1].Certificate.Identity = f.newCertificate(f.a, f.draft()).Certificate.Identity
	made, err := f.store.Insert(f.Context(), rows)
	f.check(err)
	if made[0].Duplicate || !made[1].Duplicate || made[2].Duplicate || made[2].Certificate.Status != vault.Approved {
		f.Errorf("%+v", made)
	}
	checkLog(f, f.a, []uint64{first[0], made[0].Certificate.ID, made[2].Certificate.ID})
}

// adopted makes a certificate one that was issued before.
func (f *fixture) adopted(row store.NewCertificate) store.NewCertificate {
	c := row.Certificate
	d := vault.Draft{Content: c.Content, File: c.File}
	row.Certificate, row.Effects = vault.Adopt(d, c.Institution, c.Identity, vault.Verified{}, nil, f.tick(), f.now)
	row.Effects.Log = newLogEntry(1, row.Certificate)
	return row
}

// approveInto approves a certificate into the log with a key; those of the second institution
// into that with the next key.
func approveInto(f *fixture, key byte) store.Change {
	at := f.tick()
	return func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		c, fx, err := approve(at)(c)
		if fx.Log = newLogEntry(key, c); c.Institution == f.b {
			fx.Log = newLogEntry(key+1, c)
		}
		return c, fx, err
	}
}

// approveClaimed approves all that waits, in one call, and returns the outcomes.
func approveClaimed(f *fixture, key byte) (ids []uint64, outcomes []error) {
	f.Helper()
	f.now = f.now.Add(vault.RetryPolicyOf(vault.JobSign).Lease)
	var results []store.JobResult
	for _, j := range f.claim(vault.JobSign, 100) {
		results = append(results, store.JobResult{Job: j, Change: approveInto(f, key)})
		ids = append(ids, j.Certificate)
	}
	outcomes, err := f.store.Complete(f.Context(), results)
	f.check(err)
	return ids, outcomes
}

// logHead returns what the log with a key is; the zero value where there is none.
func (f *fixture) logHead(institution uint32, key byte) vault.LogHead {
	f.Helper()
	heads, err := f.store.LogHeads(f.Context(), institution)
	f.check(err)
	for _, head := range heads {
		if head.Key == logKey(key) {
			return head
		}
	}
	return vault.LogHead{}
}

func logKey(key byte) string { return newLogEntry(key, vault.Certificate{}).LogKey() }

// checkLog compares a log with what its certificates say: every entry in its place, every
// proof leading to the signed root.
func checkLog(f *fixture, institution uint32, want []uint64) {
	f.Helper()
	head := f.logHead(institution, 1)
	entries, err := f.store.LogEntries(f.Context(), logKey(1), 0, len(want)+10)
	f.check(err)
	if head.Size != int64(len(want)) || len(entries) != len(want) {
		f.Fatalf("the log has size %d and %d entries, want %d", head.Size, len(entries), len(want))
	}
	r := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found, err := f.store.LogHashes(f.Context(), logKey(1), indexes)
		hashes := make([]tlog.Hash, len(found))
		for i, h := range found {
			hashes[i] = h
		}
		return hashes, err
	})
	root, err := tlog.TreeHash(head.Size, r)
	f.check(err)
	if string(head.Checkpoint[8:40]) != string(root[:]) || binary.BigEndian.Uint64(head.Checkpoint) != uint64(head.Size) {
		f.Errorf("the checkpoint is not that of the tree")
	}
	certificates, err := f.store.ByID(f.Context(), want...)
	f.check(err)
	for i, c := range certificates {
		e := newLogEntry(1, c)
		if c.Log == nil || c.Log.Index != int64(i) || string(entries[i]) != string(e.Entry()) {
			f.Fatalf("certificate %d has the place %+v, want %d", c.ID, c.Log, i)
		}
		tail, err := f.store.Tail(f.Context(), c.ID)
		f.check(err)
		f.wantSame(c.Verified.SHA256, fmt.Sprintf("%x", sha256.Sum256(tail)), "the hash of the verified PDF")
		proof, err := tlog.ProveRecord(head.Size, int64(i), r)
		f.check(err)
		f.check(tlog.CheckRecord(proof, head.Size, root, int64(i), tlog.RecordHash(entries[i])))
	}
}

func logGrows(f *fixture) {
	f.wantSame(f.logHead(f.a, 1), vault.LogHead{}, "the log before anything is approved")
	_, err := f.store.LogHashes(f.Context(), logKey(1), []int64{0})
	f.wantKind(err, fault.NotFound, "a hash of an empty log")
	var all []uint64
	for _, n := range []int{3, 1, 7} {
		f.insertMany(f.a, n, func(int, *vault.Draft) {})
		f.insertMany(f.b, 1, func(int, *vault.Draft) {})
		ids, outcomes := approveClaimed(f, 1)
		for i, err := range outcomes {
			f.check(err)
			if c := f.byID(ids[i]); c.Institution == f.a {
				all = append(all, ids[i])
			}
		}
	}
	checkLog(f, f.a, all)
	f.wantSame(f.logHead(f.b, 2).Size, int64(3), "the size of the other institution's log")
	f.reopen()
	checkLog(f, f.a, all)
	some, err := f.store.LogEntries(f.Context(), logKey(1), 4, 2)
	f.check(err)
	if len(some) != 2 || string(some[0]) != string(newLogEntry(1, f.byID(all[4])).Entry()) {
		f.Errorf("entries 4 and 5 are %x", some)
	}
}

func (f *fixture) byID(id uint64) vault.Certificate {
	f.Helper()
	found, err := f.store.ByID(f.Context(), id)
	f.check(err)
	return found[0]
}

func logPerKey(f *fixture) {
	first := f.insertOne(f.a, f.draft())
	_, outcomes := approveClaimed(f, 1)
	f.check(outcomes[0])
	before := f.logHead(f.a, 1)
	second := f.insertOne(f.a, f.draft())
	_, outcomes = approveClaimed(f, 3)
	f.check(outcomes[0])
	f.wantSame(f.logHead(f.a, 1), before, "the log of the first key")
	f.wantSame(f.logHead(f.a, 3).Size, int64(1), "the size of the log of the other key")
	f.wantSame(f.byID(second.ID).Log.Index, int64(0), "the place in the other log")
	heads, err := f.store.LogHeads(f.Context(), f.a)
	f.check(err)
	if len(heads) != 2 || heads[0].Key != logKey(1) || heads[1].Key != logKey(3) {
		f.Errorf("the logs are %+v", heads)
	}
	checkLog(f, f.a, []uint64{first.ID})
}

func logRefuses(f *fixture) {
	f.insertMany(f.a, 3, func(int, *vault.Draft) {})
	f.now = f.now.Add(vault.RetryPolicyOf(vault.JobSign).Lease)
	jobs := f.claim(vault.JobSign, 3)
	lost := jobs[0]
	lost.Attempt += 5
	outcomes, err := f.store.Complete(f.Context(), []store.JobResult{
		{Job: lost, Change: approveInto(f, 1)},
		{Job: jobs[1], Change: approveInto(f, 1)},
		{Job: jobs[2], Change: fail(f.tick())},
	})
	f.check(err)
	f.wantKind(outcomes[0], fault.Conflict, "a lost lease")
	f.check(outcomes[1])
	f.check(outcomes[2])
	checkLog(f, f.a, []uint64{jobs[1].Certificate})
	if c := f.byID(jobs[0].Certificate); c.Log != nil || c.Status != vault.Processing {
		f.Errorf("the certificate of the lost lease is %s at %+v", c.Status, c.Log)
	}
}

func logForgets(f *fixture) {
	c := f.insertOne(f.a, f.draft())
	_, outcomes := approveClaimed(f, 1)
	f.check(outcomes[0])
	before, err := f.store.LogEntries(f.Context(), logKey(1), 0, 10)
	f.check(err)
	_, err = f.store.Erase(f.Context(), f.a, c.Email, nil, f.tick())
	f.check(err)
	after, err := f.store.LogEntries(f.Context(), logKey(1), 0, 10)
	f.check(err)
	f.wantSame(after, before, "the log's entries")
	if got := f.byID(c.ID); got.Log == nil || got.Log.Index != 0 || got.Log.Salt != nil {
		f.Errorf("the erased certificate has the place %+v", got.Log)
	}
}

func logTwice(f *fixture) {
	c := f.insertOne(f.a, f.draft())
	f.now = f.now.Add(vault.RetryPolicyOf(vault.JobSign).Lease)
	job := f.claim(vault.JobSign, 1)[0]
	outcomes, err := f.store.Complete(f.Context(), []store.JobResult{{Job: job, Change: approveInto(f, 1)}, {Job: job, Change: approveInto(f, 1)}})
	f.check(err)
	f.check(outcomes[0])
	f.wantKind(outcomes[1], fault.Conflict, "the same job again")
	checkLog(f, f.a, []uint64{c.ID})
}

func logAppends(f *fixture) {
	_, outcomes := approveOne(f)
	f.check(outcomes[0])
	statement := func(text string) store.LogAddition {
		e := newLogEntry(1, vault.Certificate{ApprovedAt: f.tick()})
		e.data = sha256.Sum256([]byte(text))
		return store.LogAddition{Leaf: e, Statement: &vault.LogStatement{Kind: vault.StatesAudit, At: e.at, Count: 7, SHA256: text, Signed: "signed " + text}}
	}
	first, err := f.store.AppendLog(f.Context(), f.a, []store.LogAddition{statement("a"), statement("b")})
	f.check(err)
	f.wantSame(first, int64(1), "the index of the first statement")
	f.reopen()
	all, err := f.store.LogStatements(f.Context(), logKey(1))
	f.check(err)
	if len(all) != 2 || all[1].Index != 2 || all[1].SHA256 != "b" || all[0].Index != 1 || all[0].Count != 7 {
		f.Errorf("the statements are %+v", all)
	}
	entries, err := f.store.LogEntries(f.Context(), logKey(1), 0, 10)
	f.check(err)
	if want := sha256.Sum256([]byte("b")); len(entries) != 3 || string(entries[2]) != string(want[:]) {
		f.Errorf("the entries are %x", entries)
	}
	f.wantSame(f.logHead(f.a, 1).Size, int64(3), "the size of the log")
	_, err = f.store.AppendLog(f.Context(), f.a, nil)
	f.wantKind(err, fault.Invalid, "nothing to append")
	other := statement("c")
	other.Leaf = newLogEntry(2, vault.Certificate{})
	_, err = f.store.AppendLog(f.Context(), f.a, []store.LogAddition{statement("c"), other})
	f.wantKind(err, fault.Invalid, "entries of two logs")
	f.wantSame(f.logHead(f.a, 1).Size, int64(3), "the size after what was refused")
}

// approveOne approves a new certificate into the first log.
func approveOne(f *fixture) (vault.Certificate, []error) {
	f.Helper()
	c := f.insertOne(f.a, f.draft())
	_, outcomes := approveClaimed(f, 1)
	return f.byID(c.ID), outcomes
}

// lateEntry enters a certificate that was issued before the log began; its file stays.
type lateEntry struct{ logEntry }

// Complete implements vault.LogEntry.
func (e lateEntry) Complete(c vault.Certificate, p vault.LogProof) (vault.Certificate, []byte, error) {
	c, _, err := e.logEntry.Complete(c, p)
	return c, nil, err
}

func logEntersIssued(f *fixture) {
	before := f.insertOne(f.a, f.draft())
	f.now = f.now.Add(vault.RetryPolicyOf(vault.JobSign).Lease)
	outcomes, err := f.store.Complete(f.Context(), []store.JobResult{{Job: f.claim(vault.JobSign, 1)[0], Change: approve(f.tick())}})
	f.check(err)
	f.check(outcomes[0])
	logged, _ := approveOne(f)
	waiting := f.insertOne(f.a, f.draft())
	tail, err := f.store.Tail(f.Context(), before.ID)
	f.check(err)
	late := func(c vault.Certificate) store.LogAddition {
		return store.LogAddition{Leaf: lateEntry{newLogEntry(1, c)}, Certificate: c.UUID}
	}
	for what, refused := range map[string]vault.Certificate{"that is in the log": logged, "that is not issued": waiting} {
		_, err := f.store.AppendLog(f.Context(), f.a, []store.LogAddition{late(before), late(refused)})
		f.wantKind(err, fault.Illegal, "a certificate "+what)
	}
	_, err = f.store.AppendLog(f.Context(), f.a, []store.LogAddition{late(before), late(before)})
	f.wantKind(err, fault.Invalid, "a certificate twice")
	_, err = f.store.AppendLog(f.Context(), f.b, []store.LogAddition{late(before)})
	f.wantKind(err, fault.NotFound, "another institution's certificate")
	f.wantSame(f.logHead(f.a, 1).Size, int64(1), "the size after what was refused")
	_, err = f.store.AppendLog(f.Context(), f.a, []store.LogAddition{late(before)})
	f.check(err)
	if got := f.byID(before.ID); got.Log == nil || got.Log.Index != 1 {
		f.Errorf("the certificate has the place %+v", got.Log)
	}
	after, err := f.store.Tail(f.Context(), before.ID)
	f.check(err)
	f.wantSame(string(after), string(tail), "the verified PDF's tail")
	entries, err := f.store.LogEntries(f.Context(), logKey(1), 1, 1)
	f.check(err)
	f.wantSame(string(entries[0]), string(newLogEntry(1, before).Entry()), "the entry")
}

func logRevocations(f *fixture) {
	revoked, _ := approveOne(f)
	replaced, _ := approveOne(f)
	_, err := f.store.Change(f.Context(), f.a, revoked.UUID, revoke(f.tick()))
	f.check(err)
	made, err := f.reissue(replaced, "Right Name", "")
	f.check(err)
	approveClaimed(f, 1)
	_, err = f.store.Change(f.Context(), f.a, replaced.UUID, revoke(f.tick()))
	f.check(err)
	want := []vault.RevocationRecord{
		{Reference: revoked.Reference, Status: vault.ValidityRevoked},
		{Reference: replaced.Reference, Status: vault.ValiditySuperseded, Successor: made.Next.Reference},
		{Reference: replaced.Reference, Status: vault.ValidityRevoked},
	}
	check := func() {
		f.Helper()
		got, err := f.store.Revocations(f.Context(), f.a, 0, 10)
		f.check(err)
		for i := range got {
			if got[i].At.IsZero() {
				f.Errorf("line %d has no time", i)
			}
			got[i].At = time.Time{}
		}
		f.wantSame(got, want, "the list of revocations")
		n, err := f.store.RevocationCount(f.Context(), f.a)
		f.check(err)
		f.wantSame(n, uint64(3), "how long the list is")
	}
	check()
	_, err = f.store.Erase(f.Context(), f.a, revoked.Email, nil, f.tick())
	f.check(err)
	f.reopen()
	check()
	some, err := f.store.Revocations(f.Context(), f.a, 1, 1)
	f.check(err)
	f.wantSame(len(some), 1, "the lines of a part")
	f.wantSame(some[0].Reference, replaced.Reference, "the second line")
	n, err := f.store.RevocationCount(f.Context(), f.b)
	f.check(err)
	f.wantSame(n, uint64(0), "how long another institution's list is")
}

func logCosigned(f *fixture) {
	approveOne(f)
	cosign := func(size int64, text string, enough bool) error {
		return f.store.CosignLog(f.Context(), f.a, logKey(1), vault.CosignedCheckpoint{Size: size, Checkpoint: []byte(text)}, enough)
	}
	f.check(cosign(1, "one", false))
	if head := f.logHead(f.a, 1); string(head.Checkpoint) != "one" || head.Cosigned != nil {
		f.Errorf("with too few cosignatures the log is %+v", head)
	}
	f.check(cosign(1, "two", true))
	approveOne(f)
	f.check(cosign(1, "three", true)) // late
	head := f.logHead(f.a, 1)
	if head.Size != 2 || string(head.Checkpoint) == "three" || head.Cosigned == nil || string(head.Cosigned.Checkpoint) != "three" {
		f.Errorf("after late cosignatures the log is %+v", head)
	}
	f.check(cosign(2, "four", true))
	f.check(cosign(1, "five", true)) // of an older checkpoint
	if head := f.logHead(f.a, 1); string(head.Checkpoint) != "four" || head.Cosigned.Size != 2 || string(head.Cosigned.Checkpoint) != "four" {
		f.Errorf("after cosignatures of an older checkpoint the log is %+v", head)
	}
	f.wantKind(cosign(3, "six", true), fault.Invalid, "a size that the log never had")
	f.wantKind(f.store.CosignLog(f.Context(), f.b, logKey(1), vault.CosignedCheckpoint{Size: 1}, true), fault.NotFound, "another institution's log")
}
