package storetest

import (
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// upload keeps an uploaded file.
func (f *fixture) upload(institution uint32) apiaccess.Upload {
	f.Helper()
	u, err := apiaccess.NewUpload(f.random, institution, f.draft().File, f.tick())
	f.check(err)
	f.check(f.store.AddUpload(f.Context(), u, nil))
	return u
}

func (f *fixture) uploads(institution uint32, ids ...string) []*apiaccess.Upload {
	f.Helper()
	found, err := f.store.Uploads(f.Context(), institution, ids)
	f.check(err)
	return found
}

// row makes a row of a whole of an uploaded file.
func (f *fixture) row(u apiaccess.Upload) store.AtomicRow {
	f.Helper()
	d := f.draft()
	d.File = u.File
	return store.AtomicRow{NewCertificate: f.newCertificate(u.Institution, d), Upload: u.ID}
}

func (f *fixture) newBatch(institution uint32) vault.Batch {
	f.Helper()
	id, err := vault.NewUUID(f.random, f.tick())
	f.check(err)
	return vault.Batch{ID: id, Institution: institution, Name: "batch", Trigger: vault.BulkUpload, CreatedAt: f.now}
}

func responseTo(key string, f *fixture) apiaccess.StoredResponse {
	return apiaccess.StoredResponse{IdempotencyKey: apiaccess.IdempotencyKey{Institution: f.a, Caller: "caller", Key: key},
		Fingerprint: "print", Status: 201, Body: []byte(`{"n":1}`), CreatedAt: f.now}
}

func atomicInsertStores(f *fixture) {
	u, b := f.upload(f.a), f.newBatch(f.a)
	first, second := f.row(u), store.AtomicRow{NewCertificate: f.newCertificate(f.a, f.draft())}
	first.Certificate.Batch, second.Certificate.Batch, b.Total = b.ID, b.ID, 2
	reply := responseTo("key", f)
	made, refused, err := f.store.InsertAtomic(f.Context(), store.AtomicBatch{
		Batch: &b, Rows: []store.AtomicRow{first, second},
		Response: func(made []vault.Certificate) (apiaccess.StoredResponse, error) {
			reply.Body = []byte(made[1].UUID)
			return reply, nil
		},
	})
	f.check(err)
	if len(made) != 2 || len(refused) != 0 {
		f.Fatalf("made %d, refused %d", len(made), len(refused))
	}
	f.wantSame(f.read(made[0]), made[0], "the first certificate")
	kept, err := f.store.Batch(f.Context(), f.a, b.ID)
	f.check(err)
	if kept.Counts.Processing != 2 || kept.Total != 2 {
		f.Errorf("the batch is %+v", kept)
	}
	if got := f.uploads(f.a, u.ID); got[0] != nil {
		f.Error("the upload is not used up")
	}
	if used, err := f.store.BlobReferenced(f.Context(), u.File.SHA256); err != nil || !used {
		f.Errorf("the certificate's document is not referenced: %v", err)
	}
	got, err := f.store.StoredResponse(f.Context(), reply.IdempotencyKey)
	f.check(err)
	f.wantSame(got, reply, "the answer")
	if q := f.queues()[vault.JobSign]; q.Waiting != 2 {
		f.Errorf("%d jobs, want 2", q.Waiting)
	}
}

func atomicInsertRefuses(f *fixture) {
	d := f.draft()
	f.insertOne(f.a, d)
	u, foreign, twice := f.upload(f.a), f.upload(f.b), f.upload(f.a)
	held := f.row(u)
	held.NewCertificate = f.newCertificate(f.a, d)
	twin := f.row(f.upload(f.a))
	again := f.row(f.upload(f.a))
	again.Certificate.Email, again.Certificate.Title = twin.Certificate.Email, twin.Certificate.Title
	stranger := f.row(u)
	stranger.Upload = foreign.ID
	unknown := f.row(u)
	unknown.Upload = "no UUID"
	one, other := f.row(twice), f.row(twice)
	other.Upload = strings.ToUpper(other.Upload)
	b, reply := f.newBatch(f.a), responseTo("key", f)
	before := f.counts(f.a)

	made, refused, err := f.store.InsertAtomic(f.Context(), store.AtomicBatch{
		Batch: &b, Rows: []store.AtomicRow{held, twin, again, stranger, unknown, one, other},
		Response: func([]vault.Certificate) (apiaccess.StoredResponse, error) { return reply, nil },
	})
	f.check(err)
	want := []store.Conflict{{Row: 0, Duplicate: true}, {Row: 2, Duplicate: true}, {Row: 3}, {Row: 4}, {Row: 6}}
	if len(made) != 0 || !slices.Equal(refused, want) {
		f.Errorf("made %d, refused %+v, want %+v", len(made), refused, want)
	}
	if got := f.counts(f.a); got != before {
		f.Errorf("counts went from %+v to %+v", before, got)
	}
	if got := f.uploads(f.a, u.ID, twice.ID); got[0] == nil || got[1] == nil {
		f.Error("an upload was used up by a request that was refused")
	}
	_, err = f.store.Batch(f.Context(), f.a, b.ID)
	f.wantKind(err, fault.NotFound, "the batch of a refused request")
	_, err = f.store.StoredResponse(f.Context(), reply.IdempotencyKey)
	f.wantKind(err, fault.NotFound, "the answer of a refused request")
}

func uploadsAreKept(f *fixture) {
	u := f.upload(f.a)
	found := f.uploads(f.a, "none", u.ID, strings.ToUpper(u.ID))
	if found[0] != nil || found[1] == nil || found[2] == nil {
		f.Fatalf("found %+v", found)
	}
	f.wantSame(found[1], u, "the upload")
	if got := f.uploads(f.b, u.ID); got[0] != nil {
		f.Error("another institution sees the upload")
	}
	if used, err := f.store.BlobReferenced(f.Context(), u.File.SHA256); err != nil || !used {
		f.Errorf("the upload's blob is not referenced: %v", err)
	}
	f.wantKind(f.store.AddUpload(f.Context(), u, nil), fault.Conflict, "the same upload again")
}

func uploadsExpire(f *fixture) {
	old, reply := f.upload(f.a), responseTo("old", f)
	second, err := apiaccess.NewUpload(f.random, f.a, f.draft().File, f.now)
	f.check(err)
	f.check(f.store.AddUpload(f.Context(), second, &reply))
	f.now = f.now.Add(apiaccess.UploadTTL)
	fresh := f.upload(f.a)
	n, err := f.store.DeleteExpired(f.Context(), f.now)
	f.check(err)
	if got := f.uploads(f.a, old.ID, second.ID, fresh.ID); n == 0 || got[0] != nil || got[1] != nil || got[2] == nil {
		f.Errorf("%d forgotten, left %+v", n, got)
	}
	if used, err := f.store.BlobReferenced(f.Context(), old.File.SHA256); err != nil || used {
		f.Errorf("a forgotten upload's blob is referenced still: %v", err)
	}
	_, err = f.store.StoredResponse(f.Context(), reply.IdempotencyKey)
	f.wantKind(err, fault.NotFound, "a forgotten answer")
}

func responsesAreKept(f *fixture) {
	reply := responseTo("key", f)
	u, err := apiaccess.NewUpload(f.random, f.a, f.draft().File, f.now)
	f.check(err)
	f.check(f.store.AddUpload(f.Context(), u, &reply))
	got, err := f.store.StoredResponse(f.Context(), reply.IdempotencyKey)
	f.check(err)
	f.wantSame(got, reply, "the answer")
	for _, other := range []apiaccess.IdempotencyKey{
		{Institution: f.b, Caller: "caller", Key: "key"}, {Institution: f.a, Caller: "other", Key: "key"}, {Institution: f.a, Caller: "caller", Key: "ke"},
	} {
		_, err := f.store.StoredResponse(f.Context(), other)
		f.wantKind(err, fault.NotFound, "another's answer")
	}
}

func currentInstitution(f *fixture) {
	current := func() uint32 {
		i, err := f.store.CurrentInstitution(f.Context())
		f.check(err)
		return i.ID
	}
	if got := current(); got != f.a {
		f.Errorf("the current institution is %d, want the first, %d", got, f.a)
	}
	f.check(f.store.UseInstitution(f.Context(), f.b))
	f.wantKind(f.store.UseInstitution(f.Context(), 99), fault.NotFound, "an institution that is none")
	if got := current(); got != f.b {
		f.Errorf("the current institution is %d, want %d", got, f.b)
	}
}

func removedInstitution(f *fixture) {
	added, err := f.store.AddInstitution(f.Context(), vault.Institution{Name: "Third", TimeZone: "UTC", Slug: "third", CreatedAt: f.now})
	f.check(err)
	token, _ := f.token(added.ID, "t")
	f.check(f.store.UseInstitution(f.Context(), added.ID))
	f.wantKind(f.store.RemoveInstitution(f.Context(), 99), fault.NotFound, "an institution that is none")
	f.upload(added.ID)
	f.wantKind(f.store.RemoveInstitution(f.Context(), added.ID), fault.Illegal, "an institution with an upload")
	_, err = f.store.DeleteExpired(f.Context(), f.now.AddDate(1, 0, 0))
	f.check(err)
	f.check(f.store.RemoveInstitution(f.Context(), added.ID))
	_, err = f.store.TokenByHash(f.Context(), token.Hash)
	f.wantKind(err, fault.NotFound, "the token of an institution that was removed")
	if now, err := f.store.CurrentInstitution(f.Context()); err != nil || now.ID != f.a {
		f.Errorf("the primary institution is %d after the one before was removed: %v", now.ID, err)
	}
	next, err := f.store.AddInstitution(f.Context(), vault.Institution{Name: "Fourth", TimeZone: "UTC", CreatedAt: f.now})
	f.check(err)
	if next.ID != added.ID+1 {
		f.Errorf("the ID %d of an institution that was removed is given again: %d", added.ID, next.ID)
	}
}

func institutionWithCertificates(f *fixture) {
	f.insertOne(f.a, f.draft())
	f.wantKind(f.store.RemoveInstitution(f.Context(), f.a), fault.Illegal, "an institution with a certificate")
}
