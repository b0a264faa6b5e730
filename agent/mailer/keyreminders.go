package mailer

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// KeyReminderTable is where it is kept of which marks staff were reminded.
const KeyReminderTable = "key_reminders"

// KeyReminders reminds staff of keys and certificates that end, once at each mark.
type KeyReminders struct {
	Store store.Mails
	Rows  store.Rows // with KeyReminderTable
	Mails wake.Waker // woken when there are mails
	Log   *slog.Logger
}

// reminded is what staff were told last about a key.
type reminded struct {
	Days int       `json:"days"`
	At   time.Time `json:"at"`
}

// SendDue queues the mails that are due. What fails is logged, and tried again.
func (k KeyReminders) SendDue(ctx context.Context, keys []vault.EndingKey, now time.Time) {
	for _, one := range keys {
		if err := k.sendDue(ctx, one, now); err != nil && ctx.Err() == nil {
			k.Log.Error("staff could not be reminded of a key that ends", "key", one.What, "error", err)
		}
	}
}

func (k KeyReminders) sendDue(ctx context.Context, one vault.EndingKey, now time.Time) error {
	var last reminded
	err := k.Rows.View(ctx, func(r store.RowReader) error {
		row, err := r.Get(KeyReminderTable, one.ID)
		if err != nil || row == nil {
			return err
		}
		return json.Unmarshal(row, &last)
	})
	if err != nil {
		return fmt.Errorf("reading what staff were told: %w", err)
	}
	days, due := one.Reminder(now, last.Days)
	if !due {
		return nil
	}
	row, err := json.Marshal(reminded{days, now})
	if err != nil {
		return fmt.Errorf("recording what staff were told: %w", err)
	}
	// First the mail: a process that dies here tells staff twice rather than never. One that is only
	// stopped finishes what it began.
	ctx = context.WithoutCancel(ctx)
	if err := k.Store.QueueMail(ctx, vault.NewKeyEndMail(one, now)); err != nil {
		return err
	}
	k.Mails.Wake()
	return k.Rows.Update(ctx, func(w store.RowWriter) error {
		w.Put(KeyReminderTable, one.ID, row)
		return nil
	})
}
