package store

import "context"

// Rows are records of a part of the program that speaks words of its own. They lie
// in the store's file, under its checksums, and are written in its transactions.
// What they mean is their owner's matter.
type Rows interface {
	// View runs a function that reads. What it is given is valid only meanwhile.
	View(ctx context.Context, fn func(RowReader) error) error
	// Update runs a function whose writes are one transaction, durable when Update
	// returns. When the function fails, nothing is changed. It must do nothing but
	// read, compute and write rows.
	Update(ctx context.Context, fn func(RowWriter) error) error
}

// RowReader reads rows.
type RowReader interface {
	// Get returns a row of a table, nil where there is none.
	Get(table, key string) ([]byte, error)
	// Scan calls a function with the rows from a key on, in order of the keys, until
	// it says stop. It does not see what the same transaction writes.
	Scan(table, from string, fn func(key string, value []byte) (stop bool, err error)) error
}

// RowWriter reads and writes rows; it reads what it has written.
type RowWriter interface {
	RowReader
	Put(table, key string, value []byte)
	Delete(table, key string)
}
