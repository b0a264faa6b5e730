// Package bolt is the embedded store: one bbolt file, owned by one process.
package bolt

import (
	"context"
	"errors"
	"hash/maphash"
	"time"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/account"
	"github.com/vecctl/vecctl/pkg/store/bolt/application"
	"github.com/vecctl/vecctl/pkg/store/bolt/batch"
	"github.com/vecctl/vecctl/pkg/store/bolt/certificate"
	"github.com/vecctl/vecctl/pkg/store/bolt/correction"
	"github.com/vecctl/vecctl/pkg/store/bolt/delivery"
	"github.com/vecctl/vecctl/pkg/store/bolt/event"
	"github.com/vecctl/vecctl/pkg/store/bolt/file"
	"github.com/vecctl/vecctl/pkg/store/bolt/group"
	"github.com/vecctl/vecctl/pkg/store/bolt/index"
	"github.com/vecctl/vecctl/pkg/store/bolt/institution"
	"github.com/vecctl/vecctl/pkg/store/bolt/job"
	"github.com/vecctl/vecctl/pkg/store/bolt/mail"
	"github.com/vecctl/vecctl/pkg/store/bolt/receipt"
	"github.com/vecctl/vecctl/pkg/store/bolt/row"
	"github.com/vecctl/vecctl/pkg/store/bolt/schema"
	"github.com/vecctl/vecctl/pkg/store/bolt/sum"
	"github.com/vecctl/vecctl/pkg/store/bolt/trail"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/store/bolt/upload"
)

// What is kept in packages below.
type (
	institutions = institution.Register
	uploads      = upload.Register
	accounts     = account.Register
	batches      = batch.Register
	corrections  = correction.Register
	deliveries   = delivery.Register
	events       = event.Register
	jobs         = job.Register
	mails        = mail.Register
	receipts     = receipt.Register
	trails       = trail.Register
	applications = application.Register
)

// Store is the bbolt store. It implements store.Store.
type Store struct {
	*institutions
	*uploads
	*accounts
	*batches
	*corrections
	*deliveries
	*events
	*jobs
	*mails
	*receipts
	*trails
	*applications
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
	f, err := file.Open(path, wait, sum.Of(certificate.Proven(), totals)...)
	if err != nil {
		return nil, err
	}
	s := &Store{file: f, versions: versions{seed: maphash.MakeSeed()}}
	s.queue = group.New(s.commit)
	read, write := within(s, plain)
	s.institutions = institution.New(read, write)
	s.uploads = upload.New(read, write)
	s.accounts = account.New(read, write)
	s.batches = batch.New(within(s, ofBatches))
	s.jobs = job.New(within(s, ofBatches))
	s.events = event.New(read)
	s.mails = mail.New(within(s, ofBatches))
	s.corrections = correction.New(read, write)
	s.deliveries = delivery.New(within(s, ofDeliveries))
	s.receipts = receipt.New(read, write)
	s.trails = trail.New(read, write)
	s.applications = application.New(within(s, ofBatches))
	if err := schema.Prepare(f, path, certificate.Own(), totals); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Rows opens the tables of another part of the program, each a bucket beside the
// store's own, and makes those that are missing.
func (s *Store) Rows(tables ...string) (store.Rows, error) {
	names := make([][]byte, len(tables))
	for i, table := range tables {
		names[i] = []byte(table)
	}
	return row.New(within(s, plain)), schema.Complete(s.file, names)
}

// Close waits for transactions that are under way and closes the file.
func (s *Store) Close() error { return s.file.Close() }

// Compact closes the store and writes its file anew without the room that was freed
// in it. The file at path is the old one or the new one, whole, whatever happens.
func (s *Store) Compact(path string) error { return s.file.Compact(path) }

// Size is the file's length in bytes.
func (s *Store) Size() int64 { return s.file.Size() }

// view runs a function in a read transaction, unless its caller has given up.
func (s *Store) view(ctx context.Context, fn func(*txn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.file.View(func(tx *bbolt.Tx) error { return fn(newTxn(tx)) })
}

// read is view for callers that want a result.
func read[T any](ctx context.Context, s *Store, fn func(*txn) (T, error)) (T, error) {
	return tree.Run(ctx, s.view, fn)
}

// within gives a package below transactions as it wants them.
func within[X any](s *Store, as func(*txn) X) (read, write func(context.Context, func(X) error) error) {
	read = func(ctx context.Context, fn func(X) error) error {
		return s.view(ctx, func(t *txn) error { return fn(as(t)) })
	}
	write = func(ctx context.Context, fn func(X) error) error {
		return s.update(ctx, func(t *txn) error { return fn(as(t)) })
	}
	return read, write
}

// plain is a transaction alone.
func plain(t *txn) *tree.Tx { return t.Tx }

// ofBatches is a transaction with what it knows of batches.
func ofBatches(t *txn) *batch.Tx { return &t.Batches }

// ofDeliveries is a transaction with what it knows of endpoints.
func ofDeliveries(t *txn) *delivery.Tx { return &t.Deliveries }
