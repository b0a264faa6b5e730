// Package bolt is the embedded store: one bbolt file, owned by one process.
//
//	meta                schema -> version
//	institutions        id4 -> institution
//	certificates        id8 -> certificate             (primary, in order of creation)
//	  tails             id8 -> the verified PDF's last bytes
//	  texts             id8 -> folded search text
//	  by_uuid           uuid16 -> id8
//	  by_reference      reference -> id8
//	  by_share          share token -> id8
//	  by_key            inst4 key32 -> id8             (uniqueness)
//	  by_creation       inst4 id8
//	  by_status         inst4 status 0 id8
//	  by_email          inst4 folded e-mail 0 id8
//	  by_batch          inst4 batch 0 id8
//	  by_date           inst4 YYYY-MM-DD id8
//	  by_blob           sum id8                        (who needs a blob)
//	  grams             inst4 segment4 three bytes -> offsets in the segment
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
	"time"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/file"
	"github.com/vecctl/vecctl/pkg/store/bolt/group"
)

// schema is the version of the bucket tree that this program writes.
const schema = 2

// The buckets; see the drawing above.
var (
	metaBucket    = []byte("meta")
	institutions  = []byte("institutions")
	certificates  = []byte("certificates")
	tails         = []byte("tails")
	texts         = []byte("texts")
	byUUID        = []byte("by_uuid")
	byReference   = []byte("by_reference")
	byShare       = []byte("by_share")
	byKey         = []byte("by_key")
	byCreation    = []byte("by_creation")
	byStatus      = []byte("by_status")
	byEmail       = []byte("by_email")
	byBatch       = []byte("by_batch")
	byDate        = []byte("by_date")
	byBlob        = []byte("by_blob")
	grams         = []byte("grams")
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
	tokens        = []byte("tokens")
	byHash        = []byte("by_hash")
	uploads       = []byte("uploads")
	uploadBlobs   = []byte("upload_blobs")
	replies       = []byte("replies")
	accounts      = []byte("accounts")
	accountByMail = []byte("account_by_email")
	byAccount     = []byte("by_account")
	signIns       = []byte("sign_ins")
	sessions      = []byte("sessions")
	corrections   = []byte("corrections")
)

func buckets() [][]byte {
	return [][]byte{metaBucket, institutions, certificates, tails, texts, byUUID, byReference, byShare, byKey,
		byCreation, byStatus, byEmail, byBatch, byDate, byBlob, grams, frozen, counts, events,
		eventsByCert, jobs, due, held, batches, batchByID, batchByDigest, batchNames, tokens, byHash,
		uploads, uploadBlobs, replies,
		accounts, accountByMail, byAccount, signIns, sessions, corrections,
		mails, mailsByCert, mailsReturned}
}

// ascending tells whether new keys of a bucket come behind all others.
func ascending(bucket []byte) bool {
	switch string(bucket) {
	case "certificates", "texts", "by_creation", "events", "events_by_cert", "jobs", "mails":
		return true
	}
	return false
}

// Store is the bbolt store. It implements store.Store.
type Store struct {
	file     *file.File
	queue    *group.Queue[*txn]
	versions versions
}

var _ store.Store = (*Store)(nil)

// Open opens or makes the file. It waits at most wait for another process to let
// go of it; then the error's kind is Locked.
func Open(path string, wait time.Duration) (*Store, error) {
	f, err := file.Open(path, wait)
	if err != nil {
		return nil, err
	}
	s := &Store{file: f, versions: versions{seed: maphash.MakeSeed()}}
	s.queue = group.New(s.commit)
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// prepare makes the buckets of a new file and refuses a newer program's.
func (s *Store) prepare() error {
	var found uint64
	err := s.view(func(t *txn) error {
		if meta := t.tx.Bucket(metaBucket); meta != nil {
			if v := meta.Get([]byte("schema")); len(v) == 8 {
				found = binary.BigEndian.Uint64(v)
			}
		}
		if first, _ := t.tx.Cursor().First(); first != nil && found == 0 {
			return fault.New(fault.Damaged, "the database is damaged or another program's; restore the home from a backup")
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case found == schema:
		return nil
	case found > schema:
		return fault.Newf(fault.Illegal, "this home was made by a newer vecctl (schema %d, this one knows %d); "+
			"use that version, or restore a backup made before the upgrade", found, schema)
	}
	return s.file.Update(func(tx *bbolt.Tx) error {
		for _, name := range buckets() {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return tx.Bucket(metaBucket).Put([]byte("schema"), u64(schema))
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
func read[T any](ctx context.Context, s *Store, fn func(*txn) (T, error)) (result T, err error) {
	if err := ctx.Err(); err != nil {
		return result, err
	}
	err = s.view(func(t *txn) (err error) {
		result, err = fn(t)
		return err
	})
	if err != nil {
		return *new(T), err
	}
	return result, nil
}
