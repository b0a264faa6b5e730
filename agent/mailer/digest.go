package mailer

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// DigestStore are what is needed of the store.
type DigestStore interface {
	List(ctx context.Context, f store.Filter, page, perPage int) (store.Page, error)
	QueueMail(ctx context.Context, m vault.Mail) error
}

// Digest writes the mails.
type Digest struct {
	Store        DigestStore
	Rows         store.Rows // with Table
	Institutions institutions.Directory
	To           []string      // who is told; nobody: nothing is written
	Every        time.Duration // the shortest time from one mail to the next
	Mails        wake.Waker    // woken when there are mails
	Now          func() time.Time
	Log          *slog.Logger
}

// digestPollInterval is how often it looks, and how long it waits at first: commands that run
// for moments write none.
const digestPollInterval = time.Minute

// Run looks for new applications until ctx ends.
func (d *Digest) Run(ctx context.Context) error {
	tick := time.NewTicker(digestPollInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			d.SendDue(ctx)
		}
	}
}

// SendDue writes the mails that are due now. What fails is logged, and tried again.
func (d *Digest) SendDue(ctx context.Context) {
	if len(d.To) == 0 {
		return
	}
	for _, id := range d.Institutions.IDs() {
		if err := d.sendDue(ctx, id); err != nil && ctx.Err() == nil {
			d.Log.Error("staff could not be told of applications", "institution", id, "error", err)
		}
	}
}

// lastDigest is what was told last about an institution.
type lastDigest struct {
	At   time.Time `json:"at"`
	Last uint64    `json:"last"` // number of the newest application that was told of
}

// DigestTable is where what was told is kept.
const DigestTable = "application_digest"

func (d *Digest) sendDue(ctx context.Context, institution uint32) error {
	waiting, err := d.Store.List(ctx, store.Filter{Institution: institution, Source: vault.FromCustomer, Open: true}, 1, vault.MaxDigestLines)
	if err != nil || waiting.Total == 0 {
		return err
	}
	key := strconv.FormatUint(uint64(institution), 10)
	last, err := d.readLast(ctx, key)
	if err != nil {
		return err
	}
	now, newest := d.Now(), waiting.Certificates[0].ID
	// A clock that was set back must not keep it silent.
	soon := now.Before(last.At.Add(d.Every)) && !now.Before(last.At)
	if newest <= last.Last || soon {
		return nil
	}
	// First the mails: cut short here, staff are told twice rather than never.
	for _, to := range d.To {
		if err := d.Store.QueueMail(ctx, vault.NewDigestMail(institution, to, waiting.Certificates, waiting.Total, now)); err != nil {
			return err
		}
	}
	d.Mails.Wake()
	return d.writeLast(ctx, key, lastDigest{now, newest})
}

func (d *Digest) readLast(ctx context.Context, key string) (last lastDigest, err error) {
	err = d.Rows.View(ctx, func(r store.RowReader) error {
		row, err := r.Get(DigestTable, key)
		if err != nil || row == nil {
			return err
		}
		return json.Unmarshal(row, &last)
	})
	if err != nil {
		err = fmt.Errorf("reading what staff were told: %w", err)
	}
	return last, err
}

func (d *Digest) writeLast(ctx context.Context, key string, now lastDigest) error {
	row, err := json.Marshal(now)
	if err != nil {
		return fmt.Errorf("recording what staff were told: %w", err)
	}
	return d.Rows.Update(ctx, func(w store.RowWriter) error {
		w.Put(DigestTable, key, row)
		return nil
	})
}
