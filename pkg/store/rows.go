package store

import "context"

// RowTables are where parts of the program with records of their own keep them.
type RowTables interface {
	// Rows opens tables and makes those that do not exist. A name that the store uses
	// itself is Invalid.
	Rows(tables ...string) (Rows, error)
}

// Rows are tables of a part of the program that has records of its own: the
// certification authority and the daily digest. A row is bytes under a text; what they
// mean is their owner's matter. They lie in the store, under its checksums, and are
// written in its transactions.
type Rows interface {
	// View runs a function that reads the rows of one moment. What it is given is valid
	// only until it returns.
	View(ctx context.Context, fn func(RowReader) error) error
	// Update runs a function whose writes are one transaction, durable when Update
	// returns. Transactions take effect one after the other. When the function fails,
	// nothing is changed. It must only read, compute and write rows: a store may run it
	// more than once.
	Update(ctx context.Context, fn func(RowWriter) error) error
}

// RowReader reads rows.
type RowReader interface {
	// Get returns a row of a table, nil where there is none.
	Get(table, key string) ([]byte, error)
	// Scan calls a function with the rows from a key on, in the order of the keys' bytes,
	// until it returns stop. It does not see what the same transaction writes.
	Scan(table, from string, fn func(key string, value []byte) (stop bool, err error)) error
}

// RowWriter reads and writes rows. Its Get returns what it has written.
type RowWriter interface {
	RowReader
	Put(table, key string, value []byte)
	Delete(table, key string)
}
