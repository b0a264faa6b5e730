// Package bolt is the embedded store: one bbolt file, owned by one process. Each noun
// has a file of its own with its buckets and its table; schema.go draws all buckets.
package bolt

import (
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/groupcommit"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/store/bolt/search"
)

// Store is the bbolt store. It implements store.Store.
type Store struct {
	*institutionTable
	*uploadTable
	*accountTable
	*batchTable
	*correctionTable
	*deliveryTable
	*eventTable
	*jobTable
	*mailTable
	*inboundTable
	*auditTable
	*applicationTable
	index    search.Index
	file     *boltfile.File
	queue    *groupcommit.Queue[*txn]
	versions versions
}

var _ store.Store = (*Store)(nil)

// Open opens or makes the file. It waits at most wait for another process to let
// go of it; then the error's kind is Locked.
func Open(path string, wait time.Duration) (*Store, error) {
	totals := map[string]uint64{}
	f, err := boltfile.Open(path, wait, sumBuckets(checksummedBuckets(), totals)...)
	if err != nil {
		return nil, err
	}
	s := &Store{file: f, versions: versions{seed: maphash.MakeSeed()}}
	s.queue = groupcommit.New(s.commit)
	read, write := transactions(s, fileTx)
	s.institutionTable = newInstitutionTable(read, write)
	s.uploadTable = newUploadTable(read, write)
	s.accountTable = newAccountTable(read, write)
	s.batchTable = newBatchTable(transactions(s, asBatchTx))
	s.jobTable = newJobTable(transactions(s, asBatchTx))
	s.eventTable = newEventTable(read)
	s.mailTable = newMailTable(transactions(s, asBatchTx))
	s.correctionTable = newCorrectionTable(read, write)
	s.deliveryTable = newDeliveryTable(transactions(s, asDeliveryTx))
	s.inboundTable = newInboundTable(read, write)
	s.auditTable = newAuditTable(read, write)
	s.applicationTable = newApplicationTable(transactions(s, asBatchTx))
	if err := prepareSchema(f, path, ownCertificateBuckets(), totals); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Rows implements store.RowTables. Each table is a bucket beside the store's own.
func (s *Store) Rows(tables ...string) (store.Rows, error) {
	own := ownCertificateBuckets().allBuckets()
	names := make([][]byte, len(tables))
	for i, table := range tables {
		names[i] = []byte(table)
		if slices.ContainsFunc(own, func(bucket []byte) bool { return string(bucket) == table }) {
			return nil, fault.Newf(fault.Invalid, "the database uses the table %s itself; choose another name", table)
		}
	}
	return newRowTables(transactions(s, fileTx)), createMissingBuckets(s.file, names)
}

// Close implements store.Maintenance.
func (s *Store) Close() error { return s.file.Close() }

// Compact implements store.Maintenance.
func (s *Store) Compact() error { return s.file.Compact() }

// Size implements store.Maintenance: the file's length in bytes.
func (s *Store) Size() int64 { return s.file.Size() }

// view runs a function in a read transaction, unless its caller has given up.
func (s *Store) view(ctx context.Context, fn func(*txn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.file.View(func(tx *bbolt.Tx) error { return fn(newTxn(tx)) })
}

// readTx is view for callers that want a result.
func readTx[T any](ctx context.Context, s *Store, fn func(*txn) (T, error)) (T, error) {
	return boltfile.RunTx(ctx, s.view, fn)
}

// transactions gives a package below transactions as it wants them.
func transactions[X any](s *Store, as func(*txn) X) (read, write func(context.Context, func(X) error) error) {
	read = func(ctx context.Context, fn func(X) error) error {
		return s.view(ctx, func(t *txn) error { return fn(as(t)) })
	}
	write = func(ctx context.Context, fn func(X) error) error {
		return s.update(ctx, func(t *txn) error { return fn(as(t)) })
	}
	return read, write
}

// fileTx is a transaction alone.
func fileTx(t *txn) *boltfile.Tx { return t.Tx }

// asBatchTx is a transaction with what it knows of batches.
func asBatchTx(t *txn) *batchTx { return &t.Batches }

// asDeliveryTx is a transaction with what it knows of endpoints.
func asDeliveryTx(t *txn) *deliveryTx { return &t.Deliveries }
