package mailer

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// ExpiryReminders writes the mails that remind recipients and staff of certificates that end.
// Which reminder a recipient got last is part of the certificate, and changes in the transaction
// that queues the mail: so each is sent once, and after a pause too.
type ExpiryReminders struct {
	*Composer            // whose store, institutions and clock serve here too
	Days      []int      // before the end
	Mails     wake.Waker // woken when there are mails
	Log       *slog.Logger
}

// expiryPollInterval is how often it looks. It waits for as long as the digest at first: commands
// that run for moments write no mails.
const expiryPollInterval = time.Hour

// Run looks for certificates that end soon until ctx ends.
func (e *ExpiryReminders) Run(ctx context.Context) error {
	if len(e.Days) == 0 {
		return nil
	}
	timer := time.NewTimer(digestPollInterval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
			e.SendDue(ctx)
			timer.Reset(expiryPollInterval)
		}
	}
}

// SendDue writes the reminders that are due now. What fails is logged, and tried again.
func (e *ExpiryReminders) SendDue(ctx context.Context) {
	if len(e.Days) == 0 {
		return
	}
	for _, id := range e.Institutions.IDs() {
		at, ok := e.Institutions.ByID(id)
		if !ok || at.Closed() {
			continue // nobody there could renew anything
		}
		if err := e.remind(ctx, at); err != nil && ctx.Err() == nil {
			e.Log.Error("recipients could not be reminded of certificates that end", "institution", id, "error", err)
		}
	}
}

// remind writes the reminders of an institution.
func (e *ExpiryReminders) remind(ctx context.Context, at vault.Institution) error {
	now := e.Now()
	today := at.Today(now)
	due, err := e.due(ctx, at, today)
	if err != nil || len(due) == 0 {
		return err
	}
	// First the mail to staff: cut short here, they are told twice rather than never.
	if err := e.Store.QueueMail(ctx, vault.NewExpiryListMail(at.ID, due, now)); err != nil {
		return err
	}
	defer e.Mails.Wake()
	for _, c := range due {
		_, err := e.Store.Change(ctx, at.ID, c.UUID, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.RemindExpiry(e.Days, today, at.Zone(), now)
		})
		if err != nil && !fault.Is(err, fault.Illegal) { // revoked or renewed in the meantime
			return err
		}
	}
	return nil
}

// due returns the certificates whose recipients are to be reminded today, those that end first
// at the beginning.
func (e *ExpiryReminders) due(ctx context.Context, at vault.Institution, today vault.Date) (due []vault.Certificate, err error) {
	const perPage = 500
	f := store.Filter{Institution: at.ID, Status: vault.Approved, EndsFrom: today, EndsTo: today.AddDays(slices.Max(e.Days))}
	for {
		page, err := e.Store.List(ctx, f, 1, perPage)
		if err != nil {
			return nil, err
		}
		for _, c := range page.Certificates {
			if _, ok := c.DueReminder(e.Days, today, at.Zone()); ok {
				due = append(due, c)
			}
			f.Below = c.ID
		}
		if len(page.Certificates) < perPage {
			break
		}
	}
	slices.SortStableFunc(due, func(a, b vault.Certificate) int {
		if a.ExpiryDate < b.ExpiryDate {
			return -1
		}
		if a.ExpiryDate > b.ExpiryDate {
			return 1
		}
		return 0
	})
	return due, nil
}
