// Package retention forgets what need not be kept any more, once a day, as the
// operator has decided. What proves something is never among it: certificates and
// their events, their documents, reports, the audit trail.
package retention

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// Store is the store. Each deletion forgets up to n records that ended, of those made
// before a moment, in one transaction, and returns how many.
type Store interface {
	DeleteOldDeliveries(ctx context.Context, before time.Time, n int) (int, error)
	DeleteOldInboundEvents(ctx context.Context, before time.Time, n int) (int, error)
	DeleteOldMails(ctx context.Context, before time.Time, n int) (int, error)
	OldDeliveries(ctx context.Context, before time.Time) (store.OldRecords, error)
	OldInboundEvents(ctx context.Context, before time.Time) (store.OldRecords, error)
	OldMails(ctx context.Context, before time.Time) (store.OldRecords, error)
	RecordAction(ctx context.Context) error
}

// Evidence is what was submitted with applications.
type Evidence interface {
	// DeleteOldEvidence removes the evidence of up to n applications that were rejected
	// before a moment, and returns of how many.
	DeleteOldEvidence(ctx context.Context, before time.Time, n int) (int, error)
	// OldEvidence says what DeleteOldEvidence would remove.
	OldEvidence(ctx context.Context, before time.Time) (store.OldRecords, error)
}

// Limits say how long things are kept; 0 is for ever.
type Limits struct {
	Deliveries   time.Duration // of webhooks
	Received     time.Duration // events that others told us
	Mails        time.Duration // their records, and their files where no mail server is set
	Verified     time.Duration // verified PDFs in folders of outcomes, each of which can be made anew
	Refused      time.Duration // what was dropped and refused
	Evidence     time.Duration // files of rejected applications, from the rejection on
	SchemaCopies time.Duration // of the database, from before upgrades
	Backups      time.Duration // in their folder
}

// Folders are where files lie that it looks into.
type Folders struct {
	Mail, Verified, Refused string
	Database                string // the file; copies of it lie beside it
	Backups                 string // "" where no folder is set
}

// Cleaner forgets.
type Cleaner struct {
	Store    Store
	Limits   Limits
	Folders  Folders
	HomeID   string // of the backups that are this home's
	Evidence Evidence
	Now      func() time.Time
	Log      *slog.Logger

	cleaning sync.Mutex // one run at a time
}

// When it looks: soon after the start, but not in commands that run for moments,
// and then once a day. Between two looks it sees to it that a clock that was set, or
// a machine that slept, does not keep it from the next.
const (
	startDelay    = 10 * time.Second
	checkInterval = time.Hour
	day           = 24 * time.Hour
)

// Run forgets until ctx ends.
func (k *Cleaner) Run(ctx context.Context) error {
	timer := time.NewTimer(startDelay)
	defer timer.Stop()
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if now := k.Now(); now.Sub(last) >= day || now.Before(last) {
			last = now
			k.CleanDue(audit.NewContext(ctx, &audit.PendingAction{At: now, Action: audit.Action{Actor: "agent", Request: "retention run", RemoteAddr: "local"}}))
		}
		timer.Reset(checkInterval)
	}
}

// batchSize is how many records are forgotten in one transaction.
const batchSize = 1000

// Item is one kind of thing that is kept for a time.
type Item struct {
	What    string
	Setting string
	Limit   time.Duration // 0 is for ever
	Due     int           // that may be deleted now, or that were
	Bytes   int64         // that they take, or took
	Next    time.Time     // when the next may be deleted; zero where there is none
	Err     error

	kind kind
}

type kind int

// The kinds, in the order in which they are deleted.
const (
	deliveries kind = iota
	received
	mails
	mailFiles
	evidence
	verified
	refused
	schemaCopies
	backups
)

func (k *Cleaner) items() []Item {
	l := k.Limits
	return []Item{
		{kind: deliveries, What: "deliveries of webhooks", Setting: "retention.deliveries", Limit: l.Deliveries},
		{kind: received, What: "received events", Setting: "retention.received", Limit: l.Received},
		{kind: mails, What: "mails", Setting: "retention.mails", Limit: l.Mails},
		{kind: mailFiles, What: "files of mails", Setting: "retention.mails", Limit: l.Mails},
		{kind: evidence, What: "evidence of rejected applications", Setting: "retention.evidence", Limit: l.Evidence},
		{kind: verified, What: "verified PDFs", Setting: "retention.verified", Limit: l.Verified},
		{kind: refused, What: "refused files", Setting: "retention.refused", Limit: l.Refused},
		{kind: schemaCopies, What: "copies of the database", Setting: "retention.schema_copies", Limit: l.SchemaCopies},
		{kind: backups, What: "backups", Setting: "retention.backups", Limit: l.Backups},
	}
}

// Due lists every kind with what may be deleted now and what comes next. What cannot be looked at
// has an error.
func (k *Cleaner) Due(ctx context.Context) []Item {
	all, now := k.items(), k.Now()
	for i := range all {
		one := &all[i]
		if one.Limit <= 0 {
			continue
		}
		old, err := k.find(ctx, one.kind, now.Add(-one.Limit))
		one.Due, one.Bytes, one.Err = old.Count, old.Bytes, err
		if !old.Next.IsZero() {
			one.Next = old.Next.Add(one.Limit)
		}
	}
	return all
}

// CleanDue forgets what is due now, and lists what that was. The action of the context is written
// down first, where anything is due. What fails is logged, and tried again the next day.
func (k *Cleaner) CleanDue(ctx context.Context) []Item {
	k.cleaning.Lock()
	defer k.cleaning.Unlock()
	all, now := k.Due(ctx), k.Now()
	if err := k.record(ctx, all); err != nil {
		return k.failed(ctx, all, err)
	}
	for i := range all {
		one := &all[i]
		if one.Due == 0 {
			k.report(ctx, *one)
			continue
		}
		found := one.Due
		one.Due, one.Err = k.forget(ctx, one.kind, now.Add(-one.Limit))
		if one.Due != found { // else they are those that were measured
			one.Bytes = one.Bytes * int64(one.Due) / int64(found)
		}
		k.report(ctx, *one)
	}
	return all
}

// record writes down that something is about to be deleted.
func (k *Cleaner) record(ctx context.Context, all []Item) error {
	var due []string
	for _, one := range all {
		if one.Due > 0 {
			due = append(due, fmt.Sprintf("%s: %d", one.What, one.Due))
		}
	}
	p := audit.FromContext(ctx)
	if len(due) == 0 || p == nil {
		return nil
	}
	p.Object = "home; " + strings.Join(due, ", ")
	return k.Store.RecordAction(ctx)
}

// failed is the list of a run that deleted nothing.
func (k *Cleaner) failed(ctx context.Context, all []Item, err error) []Item {
	for i := range all {
		if all[i].Due > 0 {
			all[i].Due, all[i].Bytes, all[i].Err = 0, 0, err
		}
		k.report(ctx, all[i])
	}
	return all
}

func (k *Cleaner) report(ctx context.Context, one Item) {
	if one.Err != nil && ctx.Err() == nil {
		k.Log.Error("removing old records failed", "what", one.What, "error", one.Err)
	}
	if one.Due > 0 {
		k.Log.Info("old records were removed", "what", one.What, "number", one.Due)
	}
}

// find says what of a kind is older than a moment.
func (k *Cleaner) find(ctx context.Context, what kind, before time.Time) (store.OldRecords, error) {
	switch what {
	case deliveries:
		return k.Store.OldDeliveries(ctx, before)
	case received:
		return k.Store.OldInboundEvents(ctx, before)
	case mails:
		return k.Store.OldMails(ctx, before)
	case evidence:
		return k.Evidence.OldEvidence(ctx, before)
	default:
		s := sweep{before: before, dry: true}
		err := k.sweep(ctx, what, &s)
		return s.found, err
	}
}

// forget deletes what of a kind is older than a moment, and returns how many.
func (k *Cleaner) forget(ctx context.Context, what kind, before time.Time) (int, error) {
	switch what {
	case deliveries:
		return inBatches(ctx, before, k.Store.DeleteOldDeliveries)
	case received:
		return inBatches(ctx, before, k.Store.DeleteOldInboundEvents)
	case mails:
		return inBatches(ctx, before, k.Store.DeleteOldMails)
	case evidence:
		return inBatches(ctx, before, k.Evidence.DeleteOldEvidence)
	default:
		s := sweep{before: before}
		err := k.sweep(ctx, what, &s)
		return s.found.Count, err
	}
}

// sweep looks at the files of a kind.
func (k *Cleaner) sweep(ctx context.Context, what kind, s *sweep) error {
	switch what {
	case mailFiles:
		return s.inFolder(ctx, k.Folders.Mail, (*sweep).mails)
	case verified:
		return s.inFolder(ctx, k.Folders.Verified, (*sweep).outcomes)
	case refused:
		return s.inFolder(ctx, k.Folders.Refused, (*sweep).refused)
	case schemaCopies:
		return s.schemaCopies(k.Folders.Database)
	case backups:
		if k.Folders.Backups == "" {
			return errNoBackups
		}
		return s.backups(k.Folders.Backups, k.HomeID)
	default:
		return fmt.Errorf("files of kind %d are not known", what)
	}
}

var errNoBackups = fault.New(fault.Invalid, "retention.backups needs the folder of the backups: set retention.backup_dir")

// inBatches forgets records transaction by transaction, so that none is long.
func inBatches(ctx context.Context, before time.Time, forget func(context.Context, time.Time, int) (int, error)) (total int, err error) {
	for ctx.Err() == nil {
		n, err := forget(ctx, before, batchSize)
		total += n
		if err != nil || n < batchSize {
			return total, err
		}
	}
	return total, ctx.Err()
}
