// Package store keeps the authority's records as rows of the vault's store:
//
//	authority_stores    slug -> store
//	authority_domains   name -> domain
//	authority_checks    due, name                     (domains to be checked)
//	authority_certs     ID -> certification
//	authority_hashes    hash -> what everybody may see, and the ID
//	authority_latest    domain -> ID                  (its latest certification)
//	authority_pending   time of request, ID
//	authority_warnings  due, ID                       (terms whose end is to be told)
//	authority_log       number -> entry of the audit list
//	authority_outbox    number -> event to be sent
//	authority_limits    limit, store -> times of calls
//	authority_meta      the last entry, the last event's number
//
// Times and numbers in keys are in hexadecimal of one length, so that keys sort
// as they do. Every act is one transaction, its entry in the audit list included.
package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
)

const (
	stores   = "authority_stores"
	domains  = "authority_domains"
	checks   = "authority_checks"
	certs    = "authority_certs"
	hashes   = "authority_hashes"
	latest   = "authority_latest"
	pending  = "authority_pending"
	warnings = "authority_warnings"
	entries  = "authority_log"
	outbox   = "authority_outbox"
	limits   = "authority_limits"
	meta     = "authority_meta"
)

// Tables lists the tables that must be there.
func Tables() []string {
	return []string{stores, domains, checks, certs, hashes, latest, pending, warnings, entries, outbox, limits, meta}
}

// Keys in meta.
const (
	lastEntry = "last_entry"
	lastEvent = "last_event"
)

// Store is the authority's records.
type Store struct {
	rows  store.Rows
	now   func() time.Time
	cache rowCache
}

// New makes a store of rows that have the tables.
func New(rows store.Rows, now func() time.Time) *Store { return &Store{rows: rows, now: now} }

// Read runs a function on the records as they stand.
func (l *Store) Read(ctx context.Context, fn func(Reader) error) error {
	return l.rows.View(ctx, func(r store.RowReader) error { return fn(Reader{r}) })
}

// Write runs a function whose changes are one transaction. It must not talk to
// anybody.
func (l *Store) Write(ctx context.Context, fn func(*Writer) error) error {
	var changed []string
	defer func() { l.cache.forget(changed) }()
	return l.rows.Update(ctx, func(out store.RowWriter) error {
		w := &Writer{Reader: Reader{out}, out: out, Now: l.now()}
		defer func() { changed = w.changed }()
		return fn(w)
	})
}

// Reader finds records.
type Reader struct{ rows store.RowReader }

// find decodes a row; ok is false where there is none.
func find[T any](r Reader, table, key string) (found T, ok bool, err error) {
	raw, err := r.rows.Get(table, key)
	if err != nil || raw == nil {
		return found, false, err
	}
	return found, true, decode(raw, &found)
}

func decode(raw []byte, into any) error {
	return fault.Wrap(fault.Damaged, json.Unmarshal(raw, into), "a record of the authority cannot be read; restore the home from a backup")
}

// all decodes the rows of a table in order of their keys.
func all[T any](r Reader, table string) (list []T, err error) {
	err = r.rows.Scan(table, "", func(_ string, raw []byte) (bool, error) {
		var one T
		if err := decode(raw, &one); err != nil {
			return true, err
		}
		list = append(list, one)
		return false, nil
	})
	return list, err
}

// Account finds a store.
func (r Reader) Account(slug string) (authority.Account, bool, error) {
	return find[authority.Account](r, stores, slug)
}

// Accounts lists the stores by name.
func (r Reader) Accounts() ([]authority.Account, error) { return all[authority.Account](r, stores) }

// Domain finds a domain by its parsed name.
func (r Reader) Domain(name string) (authority.Domain, bool, error) {
	return find[authority.Domain](r, domains, name)
}

// Domains lists the domains by name.
func (r Reader) Domains() ([]authority.Domain, error) { return all[authority.Domain](r, domains) }

// Certification finds one by its request's ID.
func (r Reader) Certification(id string) (authority.Certification, bool, error) {
	return find[authority.Certification](r, certs, id)
}

// EachLatest calls a function with each domain's latest certification, by domain.
func (r Reader) EachLatest(fn func(authority.Certification)) error {
	return r.rows.Scan(latest, "", func(_ string, id []byte) (bool, error) {
		c, _, err := r.mustFind(string(id))
		if err == nil {
			fn(c)
		}
		return false, err
	})
}

// ByHash finds one by its verification hash.
func (r Reader) ByHash(hash string) (authority.Certification, bool, error) {
	seen, ok, err := r.Public(hash)
	if err != nil || !ok {
		return seen, false, err
	}
	return r.mustFind(seen.ID)
}

// Public finds by its hash what everybody may see of a certification: all but its
// snapshot and what came before and after it. It is much cheaper than ByHash.
func (r Reader) Public(hash string) (authority.Certification, bool, error) {
	row, err := r.publicRow(hash)
	if err != nil || row == "" {
		return authority.Certification{}, false, err
	}
	c, err := parsePublic(hash, row)
	return c, true, err
}

func (r Reader) publicRow(hash string) (string, error) {
	raw, err := r.rows.Get(hashes, hash)
	return string(raw), err
}

// Latest finds a domain's latest certification, whatever became of it.
func (r Reader) Latest(domain string) (authority.Certification, bool, error) {
	id, err := r.rows.Get(latest, domain)
	if err != nil || id == nil {
		return authority.Certification{}, false, err
	}
	return r.mustFind(string(id))
}

// mustFind finds a certification that an index names.
func (r Reader) mustFind(id string) (authority.Certification, bool, error) {
	c, ok, err := r.Certification(id)
	if err == nil && !ok {
		err = fault.Newf(fault.Damaged, "the certification %s is missing in the database; restore the home from a backup", id)
	}
	return c, ok, err
}

// Pending lists the pending requests, oldest first.
func (r Reader) Pending() (list []authority.Certification, err error) {
	err = r.rows.Scan(pending, "", func(key string, _ []byte) (bool, error) {
		c, _, err := r.mustFind(key[timeLength:])
		list = append(list, c)
		return false, err
	})
	return list, err
}

// Entries calls a function with the audit list's entries after a number, in order,
// until it says stop.
func (r Reader) Entries(after uint64, fn func(authority.AuditEntry) (stop bool, err error)) error {
	return r.rows.Scan(entries, number(after+1), func(_ string, raw []byte) (bool, error) {
		var e authority.AuditEntry
		if err := decode(raw, &e); err != nil {
			return true, err
		}
		return fn(e)
	})
}

// LastEntry is the audit list's end; the zero Entry before the first.
func (r Reader) LastEntry() (authority.AuditEntry, error) {
	e, _, err := find[authority.AuditEntry](r, meta, lastEntry)
	return e, err
}

// DueChecks lists up to n domains whose check is due, and when the next one is
// that is not; zero for none.
func (r Reader) DueChecks(now time.Time, n int) ([]string, time.Time, error) {
	return r.due(checks, now, n)
}

// DueWarnings does the same with certifications whose end is to be told.
func (r Reader) DueWarnings(now time.Time, n int) ([]string, time.Time, error) {
	return r.due(warnings, now, n)
}

func (r Reader) due(table string, now time.Time, n int) (names []string, next time.Time, err error) {
	err = r.rows.Scan(table, "", func(key string, _ []byte) (bool, error) {
		at, err := timeOf(key)
		if err != nil || at.After(now) || len(names) == n {
			next = at
			return true, err
		}
		names = append(names, key[timeLength:])
		return false, nil
	})
	return names, next, err
}

// Events lists up to n events that are to be sent, oldest first.
func (r Reader) Events(n int) (list []authority.Event, err error) {
	err = r.rows.Scan(outbox, "", func(_ string, raw []byte) (bool, error) {
		if len(list) == n {
			return true, nil
		}
		var e authority.Event
		if err := decode(raw, &e); err != nil {
			return true, err
		}
		list = append(list, e)
		return false, nil
	})
	return list, err
}

// timeLength is that of a time or a number in a key.
const timeLength = 16

func number(n uint64) string { return fmt.Sprintf("%016x", n) }

func timeKey(t time.Time, name string) string { return number(uint64(t.Unix())) + name }

func timeOf(key string) (time.Time, error) {
	var seconds uint64
	if len(key) < timeLength {
		return time.Time{}, fault.New(fault.Damaged, "an index of the authority is damaged; restore the home from a backup")
	}
	if _, err := fmt.Sscanf(key[:timeLength], "%x", &seconds); err != nil {
		return time.Time{}, fault.Wrap(fault.Damaged, err, "an index of the authority is damaged; restore the home from a backup")
	}
	return time.Unix(int64(seconds), 0).UTC(), nil
}
