package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/pkg/store"
)

// Writer changes records. It finds what it has changed.
type Writer struct {
	Reader
	out store.RowWriter
	// Now is the moment of the transaction.
	Now     time.Time
	changed []string // hashes whose rows were written
}

func (w *Writer) put(table, key string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a record of the authority: %w", err)
	}
	w.out.Put(table, key, raw)
	return nil
}

// PutAccount keeps a store.
func (w *Writer) PutAccount(a authority.Account) error { return w.put(stores, a.Slug, a) }

// PutDomain keeps a domain and when its next check is.
func (w *Writer) PutDomain(d authority.Domain) error {
	if err := w.unschedule(d.Name); err != nil {
		return err
	}
	if !d.NextCheck.IsZero() {
		w.out.Put(checks, timeKey(d.NextCheck, d.Name), nil)
	}
	return w.put(domains, d.Name, d)
}

// RemoveDomain forgets a domain. Its certifications stay.
func (w *Writer) RemoveDomain(name string) error {
	if err := w.unschedule(name); err != nil {
		return err
	}
	w.out.Delete(domains, name)
	return nil
}

func (w *Writer) unschedule(domain string) error {
	old, ok, err := w.Domain(domain)
	if ok && !old.NextCheck.IsZero() {
		w.out.Delete(checks, timeKey(old.NextCheck, domain))
	}
	return err
}

// PutLatest keeps a certification as its domain's latest.
func (w *Writer) PutLatest(c authority.Certification) error {
	w.out.Put(latest, c.Domain, []byte(c.ID))
	return w.PutCertification(c)
}

// PutCertification keeps a certification and what finds it.
func (w *Writer) PutCertification(c authority.Certification) error {
	old, ok, err := w.Certification(c.ID)
	if err != nil {
		return err
	}
	if !ok || old.State != c.State {
		w.reindex(old, c)
	}
	if c.Hash != "" {
		w.out.Put(hashes, c.Hash, formatPublic(c))
		w.changed = append(w.changed, c.Hash)
	}
	return w.put(certs, c.ID, c)
}

// reindex moves a certification whose state has changed; a new one had none.
func (w *Writer) reindex(old, c authority.Certification) {
	switch old.State {
	case authority.Pending:
		w.out.Delete(pending, timeKey(old.RequestedAt, old.ID))
	case authority.Active:
		w.out.Delete(warnings, timeKey(old.WarnAt(), old.ID))
	case authority.Expired, authority.Revoked, authority.Superseded, authority.Rejected:
	}
	switch c.State {
	case authority.Pending:
		w.out.Put(pending, timeKey(c.RequestedAt, c.ID), nil)
	case authority.Active:
		w.out.Put(warnings, timeKey(c.WarnAt(), c.ID), nil)
	case authority.Expired, authority.Revoked, authority.Superseded, authority.Rejected:
	}
}

// MarkWarned notes that a term's end needs no telling any more.
func (w *Writer) MarkWarned(c authority.Certification) {
	w.out.Delete(warnings, timeKey(c.WarnAt(), c.ID))
}

// AppendAudit adds an act to the audit list.
func (w *Writer) AppendAudit(who, what, subject, why string) error {
	last, err := w.LastEntry()
	if err != nil {
		return err
	}
	e, err := last.Chain(authority.AuditAction{Who: who, What: what, Subject: subject, Why: why}, w.Now)
	if err != nil {
		return err
	}
	if err := w.put(entries, number(e.Seq), e); err != nil {
		return err
	}
	return w.put(meta, lastEntry, e)
}

// QueueEvent leaves an event to be sent.
func (w *Writer) QueueEvent(e authority.Event) error {
	last, _, err := find[uint64](w.Reader, meta, lastEvent)
	if err != nil {
		return err
	}
	e.Seq = last + 1
	if err := w.put(outbox, number(e.Seq), e); err != nil {
		return err
	}
	return w.put(meta, lastEvent, e.Seq)
}

// RemoveEvent forgets an event that was delivered.
func (w *Writer) RemoveEvent(seq uint64) { w.out.Delete(outbox, number(seq)) }

// CallTimes returns when a caller made calls that count against a limit.
func (r Reader) CallTimes(limit, caller string) ([]int64, error) {
	times, _, err := find[[]int64](r, limits, limit+" "+caller)
	return times, err
}

// PutCallTimes keeps them.
func (w *Writer) PutCallTimes(limit, caller string, times []int64) error {
	return w.put(limits, limit+" "+caller, times)
}
