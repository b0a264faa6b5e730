// Package bolt is the embedded store: one bbolt file, owned by one process.
//
//	meta                schema -> version, sum BUCKET -> sum of its entries
//	institutions        id4 -> institution
//	certificates        id8 -> certificate             (primary, in order of creation)
//	  tails             id8 -> the verified PDF's last bytes
//	  by_uuid           uuid16 -> id8
//	  by_reference      reference -> id8
//	  by_share          share token -> id8
//	  by_key            inst4 key32 -> id8             (uniqueness)
//	  by_blob           sum id8                        (who needs a blob)
//	  by_creation       inst4 0 segment4 -> set
//	  by_status         inst4 status 0 segment4 -> set
//	  by_email          inst4 folded e-mail 0 segment4 -> set
//	  by_batch          inst4 batch 0 segment4 -> set
//	  by_date           inst4 YYYY-MM-DD 0 segment4 -> set
//	  texts             id8 -> inst4 folded search text  (of the newest segment)
//	  columns           segment4 number1 -> the texts' lines of that number
//	  pieces            segment4 inst4 1 to 3 bytes -> set
//	  frozen            inst4 key32 -> date            (undated rows)
//	  counts            inst4 [batch] -> certificates by state
//	events              seq8 -> event
//	  events_by_cert    id8 seq8
//	jobs                id8 -> job
//	  due               kind 0 run_at8 id8
//	  held              id8                            (claimed jobs)
//	mails               id8 -> mail
//	  mails_by_cert     cert8 id8
//	  mails_returned    id8                            (refused or bounced, and not repeated)
//	batches             inst4 created8 batch -> batch
//	  batch_by_id       inst4 batch -> key in batches
//	  batch_by_digest   inst4 digest -> batch
//	  batch_names       inst4 name -> batch
//	tokens              token's UUID -> token
//	  by_hash           hash of its secret -> token's UUID
//	uploads             inst4 uuid16 -> uploaded file
//	  upload_blobs      sum inst4 uuid16
//	replies             inst4 caller 0 key -> kept answer
//	accounts            uuid16 -> account
//	  account_by_email  folded e-mail -> uuid16
//	  by_account        uuid16 id8                     (assigned certificates)
//	sign_ins            hash of its secret -> sign-in link
//	sessions            hash of its secret -> session
//	corrections         inst4 id8 -> wish for a correction
//	endpoints           inst4 uuid16 -> webhook endpoint
//	deliveries          inst4 id8 -> delivery
//	  delivery_bodies   inst4 id8 -> what is sent, byte for byte
//	  delivery_by_uuid  uuid16 -> inst4 id8
//	  delivery_by_end   uuid16 of the endpoint, id8
//	  delivery_due      uuid16 of the endpoint, run_at8 id8    (pending ones)
//	received            seq8 -> event that others told us
//	  received_by_name  identity -> seq8
//	  received_due      run_at8 seq8 task1
//	acts                seq8 -> entry of the audit trail
//
// Numbers in keys are big-endian, so that keys sort as the numbers do. All
// buckets lie at the top; the indentation shows what indexes what. Every record
// carries a checksum.
package bolt

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/file"
	"github.com/vecctl/vecctl/pkg/store/bolt/group"
	"github.com/vecctl/vecctl/pkg/store/bolt/index"
	"github.com/vecctl/vecctl/pkg/store/bolt/institution"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/set"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/store/bolt/upload"
	"github.com/vecctl/vecctl/pkg/vault"
)

// schema is the version of the bucket tree that this program writes.
const schema = 3

// The buckets; see the drawing above.
var (
	metaBucket    = []byte("meta")
	certificates  = []byte("certificates")
	tails         = []byte("tails")
	byUUID        = []byte("by_uuid")
	byReference   = []byte("by_reference")
	byShare       = []byte("by_share")
	byKey         = []byte("by_key")
	byBlob        = []byte("by_blob")
	frozen        = []byte("frozen")
	counts        = []byte("counts")
	events        = []byte("events")
	eventsByCert  = []byte("events_by_cert")
	jobs          = []byte("jobs")
	due           = []byte("due")
	held          = []byte("held")
	mails         = []byte("mails")
	mailsByCert   = []byte("mails_by_cert")
	mailsReturned = []byte("mails_returned")
	batches       = []byte("batches")
	batchByID     = []byte("batch_by_id")
	batchByDigest = []byte("batch_by_digest")
	batchNames    = []byte("batch_names")
	accounts      = []byte("accounts")
	accountByMail = []byte("account_by_email")
	byAccount     = []byte("by_account")
	signIns       = []byte("sign_ins")
	sessions      = []byte("sessions")
	corrections   = []byte("corrections")

	endpoints      = []byte("endpoints")
	deliveries     = []byte("deliveries")
	deliveryBodies = []byte("delivery_bodies")
	deliveryByUUID = []byte("delivery_by_uuid")
	deliveryByEnd  = []byte("delivery_by_end")
	deliveryDue    = []byte("delivery_due")
	received       = []byte("received")
	receivedByName = []byte("received_by_name")
	receivedDue    = []byte("received_due")
	acts           = []byte("acts")
)

func buckets() [][]byte {
	return slices.Concat(institution.Buckets(), upload.Buckets(), index.Buckets(), [][]byte{
		metaBucket, certificates, tails, byUUID, byReference, byKey,
		byBlob, frozen, counts, events, eventsByCert, jobs, due, held, batches,
		batchByID, batchByDigest, batchNames, byShare,
		accounts, accountByMail, byAccount, signIns, sessions, corrections,
		mails, mailsByCert, mailsReturned,
		endpoints, deliveries, deliveryBodies, deliveryByUUID, deliveryByEnd, deliveryDue,
		received, receivedByName, receivedDue, acts,
	})
}

// ascending tells whether new keys of a bucket come behind all others.
func ascending(bucket []byte) bool {
	switch string(bucket) {
	case "certificates", "texts", "columns", "pieces", "summaries", "events", "events_by_cert", "jobs", "mails", "acts":
		return true
	}
	return false
}

// What is kept in packages below.
type (
	institutions = institution.Register
	uploads      = upload.Register
)

// Store is the bbolt store. It implements store.Store.
type Store struct {
	*institutions
	*uploads
	index    index.Index
	file     *file.File
	queue    *group.Queue[*txn]
	versions versions
}

var _ store.Store = (*Store)(nil)

// Open opens or makes the file. It waits at most wait for another process to let
// go of it; then the error's kind is Locked.
func Open(path string, wait time.Duration) (*Store, error) {
	totals := map[string]uint64{}
	f, err := file.Open(path, wait, toSum(totals)...)
	if err != nil {
		return nil, err
	}
	s := &Store{file: f, versions: versions{seed: maphash.MakeSeed()}}
	s.queue = group.New(s.commit)
	view := func(fn func(*tree.Tx) error) error { return s.view(func(t *txn) error { return fn(t.Tx) }) }
	update := func(fn func(*tree.Tx) error) error { return s.queue.Do(func(t *txn) error { return fn(t.Tx) }) }
	s.institutions, s.uploads = institution.New(view, update), upload.New(view, update)
	if err := s.prepare(path, totals); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// prepare makes the buckets of a new file, upgrades that of an older program, and
// refuses a newer program's. The proven buckets' totals are as the file was found.
func (s *Store) prepare(path string, totals map[string]uint64) error {
	var found uint64
	err := s.view(func(t *txn) error {
		if meta := t.Bucket(metaBucket); meta != nil {
			if v := meta.Get([]byte("schema")); len(v) == 8 {
				found = binary.BigEndian.Uint64(v)
			}
		}
		if found == 0 && !t.Empty() {
			return fault.New(fault.Damaged, "the database is damaged or another program's; restore the home from a backup")
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case found == schema:
		if err := s.complete(); err != nil {
			return err
		}
		return s.view(func(t *txn) error { return t.prove(totals) })
	case found > schema:
		return fault.Newf(fault.Illegal, "this home was made by a newer vecctl (schema %d, this one knows %d); "+
			"use that version, or restore a backup made before the upgrade", found, schema)
	}
	if found > 0 {
		if err := s.keepBefore(path, found); err != nil {
			return err
		}
	}
	return s.file.Update(func(tx *bbolt.Tx) error {
		if err := dropIndex(tx); err != nil {
			return err
		}
		for _, name := range buckets() {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		t := newTxn(tx)
		if err := errors.Join(t.reindex(), t.finish(), sumUp(tx)); err != nil {
			return err
		}
		return tx.Bucket(metaBucket).Put([]byte("schema"), record.U64(schema))
	})
}

// complete makes the buckets that a file of this schema lacks: those of what was
// added since without a change to anything else.
func (s *Store) complete() error {
	missing := false
	err := s.view(func(t *txn) error {
		missing = slices.ContainsFunc(buckets(), func(name []byte) bool { return t.Bucket(name) == nil })
		return nil
	})
	if err != nil || !missing {
		return err
	}
	return s.file.Update(func(tx *bbolt.Tx) error {
		for _, name := range buckets() {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return index.Summarise(newTxn(tx).Tx)
	})
}

// dropIndex forgets an older program's index of what certificates say.
func dropIndex(tx *bbolt.Tx) error {
	for _, name := range append(index.Buckets(), []byte("grams")) {
		if err := tx.DeleteBucket(name); err != nil && !errors.Is(err, bolterrors.ErrBucketNotFound) {
			return err
		}
	}
	return nil
}

// reindex indexes all certificates.
func (t *txn) reindex() error {
	return t.Bucket(certificates).ForEach(func(k, v []byte) error {
		var c vault.Certificate
		if err := record.Decode(k, v, &c); err != nil {
			return err
		}
		t.changes.Add(c)
		if c.ID%set.Size != set.Size-1 {
			return nil
		}
		err := t.changes.Write(t.Tx)
		t.changes = index.Changes{}
		return err
	})
}

// Close waits for transactions that are under way and closes the file.
func (s *Store) Close() error { return s.file.Close() }

// Size is the file's length in bytes.
func (s *Store) Size() int64 { return s.file.Size() }

// view runs a function in a read transaction.
func (s *Store) view(fn func(*txn) error) error {
	return s.file.View(func(tx *bbolt.Tx) error { return fn(newTxn(tx)) })
}

// read is view for callers that want a result and may have given up.
func read[T any](ctx context.Context, s *Store, fn func(*txn) (T, error)) (T, error) {
	return tree.Run(ctx, s.view, fn)
}
