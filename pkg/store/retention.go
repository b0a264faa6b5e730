package store

import "time"

// OldRecords says what could be deleted of one kind of record.
type OldRecords struct {
	Count int       // of those made before the moment asked for
	Bytes int64     // that they take in the store
	Next  time.Time // when the oldest made since then was made; zero without any
}

// Add counts a record.
func (o *OldRecords) Add(bytes int) {
	o.Count++
	o.Bytes += int64(bytes)
}

// Later notes when a record was made that is too young.
func (o *OldRecords) Later(made time.Time) {
	if o.Next.IsZero() || made.Before(o.Next) {
		o.Next = made
	}
}
