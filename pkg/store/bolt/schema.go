package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/store/bolt/search"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The layout of the file.
//
//	meta                schema -> version, sum BUCKET -> sum of its entries,
//	                    verified index -> by_verified is complete,
//	                    revocation list -> revocations has what was revoked before
//	institutions        id4 -> institution
//	certificates        id8 -> certificate             (primary, in order of creation)
//	  tails             id8 -> the verified PDF's last bytes, without the signature's padding
//	  updates           id8 n4 -> what was added behind that, without its padding
//	  by_uuid           uuid16 -> id8
//	  by_reference      reference -> id8
//	  by_share          share token -> id8
//	  by_key            inst4 key32 -> id8             (uniqueness)
//	  by_blob           sum id8                        (who needs a blob)
//	  by_verified       sum16 id8                      (first half of a verified PDF's SHA-256)
//	  by_creation       inst4 0 segment4 -> set
//	  by_status         inst4 status 0 segment4 -> set
//	  by_failure        inst4 code 0 segment4 -> set   (why failed ones failed)
//	  by_source         inst4 "customer" or "open application" 0 segment4 -> set
//	  by_email          inst4 folded e-mail 0 segment4 -> set
//	  by_batch          inst4 batch 0 segment4 -> set
//	  by_date           inst4 YYYY-MM-DD 0 segment4 -> set
//	  texts             id8 -> inst4 folded search text  (of the newest segment)
//	  columns           segment4 number1 -> the texts' lines of that number
//	  pieces            segment4 inst4 1 to 3 bytes -> set
//	  summaries         segment4 -> what its texts lack and repeat, segment4 number2 -> set
//	  frozen            inst4 key32 -> date            (undated rows)
//	  counts            inst4 [batch] -> certificates by state
//	events              seq8 -> event
//	  events_by_cert    id8 seq8
//	jobs                id8 -> job
//	  due               kind[:institution] 0 run_at8 id8    (without: the first one's)
//	  held              id8                            (claimed jobs)
//	log_heads           inst4 log8 -> what a log is: key, size, checkpoint
//	  log_entries       log8 index8 -> entry
//	  log_hashes        log8 index8 -> hash of the tree
//	  log_statements    log8 index8 -> what an entry says that is not of a certificate
//	revocations         inst4 seq8 -> line of an institution's list of revocations
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
//	replies             inst4 caller 0 key -> stored response
//	applications        hash of its secret -> unconfirmed application
//	  application_blobs sum hash
//	  open_by_email     inst4 folded e-mail 0 id8      (applications not decided)
//	accounts            uuid16 -> account
//	  account_by_email  folded e-mail -> uuid16
//	  by_account        uuid16 id8                     (assigned certificates)
//	sign_ins            hash of its secret -> magic link
//	sessions            hash of its secret -> session
//	corrections         inst4 id8 -> correction request
//	endpoints           inst4 uuid16 -> webhook endpoint
//	deliveries          inst4 id8 -> delivery
//	  delivery_bodies   inst4 id8 -> what is sent, byte for byte
//	  delivery_by_uuid  uuid16 -> inst4 id8
//	  delivery_by_end   uuid16 of the endpoint, id8
//	  delivery_due      uuid16 of the endpoint, run_at8 id8    (pending ones)
//	received            seq8 -> event of a remote vault
//	  received_by_name  identity -> seq8
//	  received_due      run_at8 seq8 task1
//	leases              "webhook" 0 uuid16 of the endpoint, end8 owner -> id8 ... (claimed deliveries)
//	                    "inbound" 0 end8 owner -> seq8 task1 ...           (claimed tasks of received events)
//	acts                seq8 -> entry of the audit trail
//
// Numbers in keys are big-endian, so that keys sort as the numbers do. All
// buckets lie at the top; the indentation shows what indexes what. Every record
// carries a checksum.

// schemaVersion is that of the layout that this program writes.
const schemaVersion = 3

var metaBucket = []byte("meta")

// certificateBuckets are the buckets that package bolt writes to itself.
type certificateBuckets struct {
	Certificates []byte   // of which the index is made anew
	Checksummed  [][]byte // in which a missing key decides something
	Others       [][]byte
}

func (o certificateBuckets) allBuckets() [][]byte {
	return slices.Concat([][]byte{metaBucket, o.Certificates}, o.Checksummed, o.Others,
		accountBuckets(), applicationBuckets(), batchBuckets(), correctionBuckets(), countBuckets(), deliveryBuckets(), eventBuckets(),
		search.Buckets(), institutionBuckets(), jobBuckets(), [][]byte{leasesBucket}, logBuckets(), mailBuckets(), inboundBuckets(), auditBuckets(), uploadBuckets())
}

// isAppendOnly reports whether new keys of a bucket come behind all others.
func isAppendOnly(bucket []byte) bool {
	switch string(bucket) {
	case "certificates", "texts", "columns", "pieces", "summaries", "events", "events_by_cert", "jobs", "mails", "acts", "log_entries", "log_hashes":
		return true
	}
	return false
}

// prepareSchema makes the buckets of a new file, upgrades the file of an older program, and
// refuses a newer program's. The totals are those of the checksummed buckets as found.
func prepareSchema(f *boltfile.File, path string, own certificateBuckets, totals map[string]uint64) error {
	found, err := readSchemaVersion(f)
	switch {
	case err != nil:
		return err
	case found == schemaVersion:
		if err := createMissingBuckets(f, own.allBuckets()); err != nil {
			return err
		}
		if err := errors.Join(addSummaries(f), addFailures(f, own.Certificates), indexVerified(f), indexBodies(f), listRevocations(f)); err != nil {
			return err
		}
		return f.View(func(tx *bbolt.Tx) error {
			return verifyChecksums(boltfile.NewTx(tx, isAppendOnly), own.Checksummed, totals)
		})
	case found > schemaVersion:
		return fault.Newf(fault.Illegal, "this home was made by a newer vecctl (schema %d, this one knows %d); "+
			"use that version, or restore a backup made before the upgrade", found, schemaVersion)
	}
	if found > 0 {
		if err := copyBeforeUpgrade(f, path, found); err != nil {
			return err
		}
	}
	err = f.Update(func(tx *bbolt.Tx) error {
		if err := deleteIndex(tx); err != nil {
			return err
		}
		if err := createBuckets(tx, own.allBuckets()); err != nil {
			return err
		}
		t := boltfile.NewTx(tx, isAppendOnly)
		if err := errors.Join(reindex(t, own.Certificates), initChecksums(t, own.Checksummed)); err != nil {
			return err
		}
		return t.Put(metaBucket, []byte("schema"), boltfile.U64(schemaVersion))
	})
	if err != nil {
		return err
	}
	return errors.Join(indexVerified(f), indexBodies(f), listRevocations(f))
}

// readSchemaVersion returns the version of a file's layout; 0 for a new file.
func readSchemaVersion(f *boltfile.File) (found uint64, err error) {
	err = f.View(func(tx *bbolt.Tx) error {
		if b := tx.Bucket(metaBucket); b != nil {
			if v := b.Get([]byte("schema")); len(v) == 8 {
				found = binary.BigEndian.Uint64(v)
			}
		}
		if found == 0 && !boltfile.NewTx(tx, isAppendOnly).Empty() {
			return fault.New(fault.Damaged, "the database is damaged, or belongs to another program; restore the home from a backup")
		}
		return nil
	})
	return found, err
}

// copyBeforeUpgrade copies the file of an older program beside itself before it is
// upgraded, for an operator who wants to go back. The upgrade itself is one transaction. A
// copy that exists already is of an upgrade that was interrupted or undone: this one takes
// its place.
func copyBeforeUpgrade(f *boltfile.File, path string, found uint64) error {
	name := fmt.Sprintf("%s.schema-%d", path, found)
	return f.Copy(name, "keeping the database as it was before the upgrade")
}

// createMissingBuckets makes the buckets that were introduced since a file was made, and
// changes nothing else.
func createMissingBuckets(f *boltfile.File, names [][]byte) error {
	missing := false
	err := f.View(func(tx *bbolt.Tx) error {
		missing = slices.ContainsFunc(names, func(name []byte) bool { return tx.Bucket(name) == nil })
		return nil
	})
	if err != nil || !missing {
		return err
	}
	return f.Update(func(tx *bbolt.Tx) error { return createBuckets(tx, names) })
}

// addSummaries makes the summaries of texts that a file of an earlier build lacks.
func addSummaries(f *boltfile.File) error {
	lacks := false
	err := f.View(func(tx *bbolt.Tx) error {
		lacks = search.LacksSummaries(boltfile.NewTx(tx, isAppendOnly))
		return nil
	})
	if err != nil || !lacks {
		return err
	}
	return f.Update(func(tx *bbolt.Tx) error { return search.WriteSummaries(boltfile.NewTx(tx, isAppendOnly)) })
}

// addFailures indexes why certificates failed, if the last program that wrote to the file was
// one that kept no such index.
func addFailures(f *boltfile.File, certificates []byte) error {
	current := false
	err := f.View(func(tx *bbolt.Tx) (err error) {
		current, err = search.FailuresCurrent(boltfile.NewTx(tx, isAppendOnly))
		return err
	})
	switch {
	case fault.Is(err, fault.Damaged):
		return nil // what needs the damaged sets says so when it reads them
	case err != nil || current:
		return err
	}
	return f.Update(func(tx *bbolt.Tx) error {
		t := boltfile.NewTx(tx, isAppendOnly)
		return search.WriteFailures(t, func(id uint64) (code string) {
			var c vault.Certificate
			key := boltfile.U64(id)
			// A damaged record is found again by those who read it.
			if value := t.Get(certificates, key); value == nil || boltfile.Decode(key, value, &c) != nil {
				return vault.CodeInternal
			}
			return c.FailureCode()
		})
	})
}

func createBuckets(tx *bbolt.Tx, names [][]byte) error {
	for _, name := range names {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return fmt.Errorf("making the table %s: %w", name, err)
		}
	}
	return nil
}

// deleteIndex removes an older program's search index.
func deleteIndex(tx *bbolt.Tx) error {
	for _, name := range append(search.Buckets(), []byte("grams")) {
		if err := tx.DeleteBucket(name); err != nil && !errors.Is(err, bolterrors.ErrBucketNotFound) {
			return err
		}
	}
	return nil
}

// reindex indexes all certificates.
func reindex(t *boltfile.Tx, certificates []byte) error {
	var changes search.Delta
	err := t.Bucket(certificates).ForEach(func(k, v []byte) error {
		var c vault.Certificate
		if err := boltfile.Decode(k, v, &c); err != nil {
			return err
		}
		changes.Add(c)
		if c.ID%search.SegmentSize != search.SegmentSize-1 {
			return nil
		}
		err := changes.Write(t)
		changes = search.Delta{}
		return err
	})
	if err != nil {
		return err
	}
	return changes.Write(t)
}
