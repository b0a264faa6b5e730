package bolt

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// indexBuckets returns the buckets whose values have no checksum: they find records by other keys.
func indexBuckets() [][]byte {
	return [][]byte{metaBucket, certificateByUUIDBucket, certificateByReferenceBucket, certificateByShareTokenBucket, certificateByKeyBucket,
		certificateByBlobBucket, certificateByVerifiedBucket, eventsByCertificateBucket, jobsDueBucket, jobsClaimedBucket, mailsByCertificateBucket,
		returnedMailsBucket, batchByIDBucket, batchByDigestBucket, batchNamesBucket, tokenByHashBucket, uploadBlobsBucket, unconfirmedBlobsBucket,
		openApplicationsBucket, accountByEmailBucket, certificatesByAccountBucket, deliveryByUUIDBucket, deliveryByEndpointBucket, deliveriesDueBucket,
		inboundByIdentityBucket, inboundDueBucket}
}

// Verify implements store.Maintenance. It reads every page and every record's checksum, and looks
// whether records stand in their indexes, and nothing else does.
func (s *Store) Verify(ctx context.Context, found store.Inspector) (records int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := s.file.CheckAllPages(); err != nil {
		return 0, err
	}
	err = s.file.View(func(tx *bbolt.Tx) error {
		v := verification{ctx: ctx, txn: newTxn(tx), found: found}
		for _, step := range []func() error{v.records, v.certificates, v.uploads, v.jobs, v.deliveries} {
			if err := step(); err != nil {
				return err
			}
		}
		records = v.read
		return nil
	})
	return records, err
}

// verification is one reading of everything.
type verification struct {
	*txn
	ctx   context.Context
	found store.Inspector
	read  int
}

func (v *verification) damaged(bucket, key []byte, uuid, format string, args ...any) {
	v.found.Damaged(store.Damage{Kind: string(bucket), Key: hex.EncodeToString(key), UUID: uuid, Message: fmt.Sprintf(format, args...)})
}

// records checks the checksum of every record, of tables that others keep here too.
func (v *verification) records() error {
	indexes := indexBuckets()
	return v.eachBucket(func(name []byte, b *bbolt.Bucket) error {
		if slices.ContainsFunc(indexes, func(index []byte) bool { return bytes.Equal(index, name) }) {
			return nil
		}
		return b.ForEach(func(key, value []byte) error {
			v.read++
			if _, err := boltfile.VerifyChecksum(key, value); err != nil {
				v.damaged(name, key, v.uuidOf(name, key), "the record is not what was written")
			}
			return v.ctx.Err()
		})
	})
}

// uuidOf is the UUID of the certificate that a damaged record is of, where the index still has it.
func (v *verification) uuidOf(bucket, key []byte) string {
	switch string(bucket) {
	case string(certificatesBucket), string(tailsBucket):
	case string(updatesBucket):
		key = key[:min(8, len(key))]
	default:
		return ""
	}
	c := v.Cursor(certificateByUUIDBucket)
	for uuid, id := c.First(); uuid != nil; uuid, id = c.Next() {
		if bytes.Equal(id, key) && len(uuid) == 16 {
			return fmt.Sprintf("%x-%x-%x-%x-%x", uuid[:4], uuid[4:6], uuid[6:8], uuid[8:10], uuid[10:])
		}
	}
	return ""
}

// certificates checks that each certificate is found by its names, and that the indexes have no more.
func (v *verification) certificates() error {
	total := 0
	err := v.Bucket(certificatesBucket).ForEach(func(key, value []byte) error {
		total++
		var c vault.Certificate
		if boltfile.Decode(key, value, &c) != nil {
			return v.ctx.Err() // reported already
		}
		if c.ErasedAt == nil {
			for _, sum := range c.Documents() {
				v.found.Needs(sum, c.UUID)
			}
		}
		for _, e := range indexEntries(c) {
			if bytes.Equal(e.bucket, certificateByKeyBucket) || bytes.Equal(e.bucket, certificateByBlobBucket) && c.ErasedAt != nil {
				continue // the first has a sum of its own
			}
			if !v.Has(e.bucket, e.key) || e.value != nil && !bytes.Equal(v.Get(e.bucket, e.key), e.value) {
				v.damaged(e.bucket, e.key, c.UUID, "the certificate is not found by it")
			}
		}
		return v.ctx.Err()
	})
	if err != nil {
		return err
	}
	for _, index := range [][]byte{certificateByUUIDBucket, certificateByReferenceBucket} {
		v.sameLength(index, total, certificatesBucket)
	}
	v.sameLength(eventsByCertificateBucket, v.length(eventsBucket), eventsBucket)
	return nil
}

// uploads tells what is needed by uploads that nobody has used yet.
func (v *verification) uploads() error {
	return v.Bucket(uploadsBucket).ForEach(func(key, value []byte) error {
		var u apiaccess.Upload
		if boltfile.Decode(key, value, &u) == nil {
			v.found.Needs(u.File.SHA256, u.ID)
		}
		return v.ctx.Err()
	})
}

// jobs checks that each job stands in its queue, and nothing else does.
func (v *verification) jobs() error {
	total, claimed := 0, 0
	err := v.Bucket(jobsBucket).ForEach(func(key, value []byte) error {
		total++
		var j vault.Job
		if boltfile.Decode(key, value, &j) != nil {
			return v.ctx.Err()
		}
		if j.Claimed {
			claimed++
		}
		if due := jobDueKey(j); !v.Has(jobsDueBucket, due) {
			v.damaged(jobsDueBucket, due, "", "job %d stands in no queue", j.ID)
		}
		return v.ctx.Err()
	})
	v.sameLength(jobsDueBucket, total, jobsBucket)
	v.sameLength(jobsClaimedBucket, claimed, jobsBucket)
	return err
}

// deliveries does the same for the deliveries of webhooks.
func (v *verification) deliveries() error {
	total, pending := 0, 0
	err := v.Bucket(deliveriesBucket).ForEach(func(key, value []byte) error {
		total++
		d, err := decodeDelivery(key, value)
		if err != nil {
			return v.ctx.Err() // reported already
		}
		if !bytes.Equal(v.Get(deliveryByUUIDBucket, boltfile.UUID(d.UUID)), key) {
			v.damaged(deliveryByUUIDBucket, boltfile.UUID(d.UUID), d.Subject, "the delivery is not found by it")
		}
		if d.State == webhook.Pending {
			pending++
			if due := deliveryDueKey(d); !v.Has(deliveriesDueBucket, due) {
				v.damaged(deliveriesDueBucket, due, d.Subject, "the delivery stands in no queue")
			}
		}
		return v.ctx.Err()
	})
	v.sameLength(deliveryByUUIDBucket, total, deliveriesBucket)
	v.sameLength(deliveriesDueBucket, pending, deliveriesBucket)
	return err
}

func (v *verification) length(bucket []byte) (n int) {
	c := v.Cursor(bucket)
	for key, _ := c.First(); key != nil; key, _ = c.Next() {
		n++
	}
	return n
}

// sameLength wants as many entries in an index as there are records that it is of.
func (v *verification) sameLength(index []byte, want int, of []byte) {
	if n := v.length(index); n != want {
		v.damaged(index, nil, "", "%d entries for %d records of %s", n, want, of)
	}
}

// eachBucket visits the buckets. A bucket that cannot be opened is damage.
func (v *verification) eachBucket(visit func(name []byte, b *bbolt.Bucket) error) error {
	return v.Buckets(func(name []byte, b *bbolt.Bucket) error {
		if b == nil {
			return fault.Newf(fault.Damaged, "the table %q cannot be opened; restore the home from a backup", name)
		}
		return visit(name, b)
	})
}
