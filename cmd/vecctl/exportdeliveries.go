package main

import (
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// deliveryRecord is a mail or a webhook delivery.
type deliveryRecord struct {
	Channel     string     `json:"channel"` // mail or webhook
	ID          string     `json:"id"`
	What        string     `json:"what"`   // kind of mail, or event
	Status      string     `json:"status"` // of the mail or delivery
	To          string     `json:"to"`     // address, or URL
	UUID        string     `json:"uuid"`   // of the certificate
	ReferenceID string     `json:"reference_id"`
	BatchID     string     `json:"batch_id"`
	Attempts    int        `json:"attempts"`
	Code        string     `json:"code"` // of the mail server, or the HTTP status
	Reason      string     `json:"reason"`
	CreatedAt   time.Time  `json:"created_at"`
	EndedAt     *time.Time `json:"ended_at"` // null while it is in progress
}

func deliveryRecordTable() list[deliveryRecord] {
	return list[deliveryRecord]{
		headings: []string{"channel", "id", "what", "status", "to", "uuid", "reference_id", "batch_id", "attempts", "code", "reason", "created_at", "ended_at"},
		cells: func(d deliveryRecord) []string {
			return []string{d.Channel, d.ID, d.What, d.Status, d.To, d.UUID, d.ReferenceID, d.BatchID, strconv.Itoa(d.Attempts), d.Code, d.Reason,
				d.CreatedAt.Format(time.RFC3339), formatTime(d.EndedAt)}
		},
	}
}

// eachDelivery calls each with the mails that the flags select, then with the webhook
// deliveries, both newest first.
func eachDelivery(c *cli.Context, s *session, each func(deliveryRecord) error) error {
	from, to, err := dateRange(c)
	if err != nil {
		return err
	}
	batch := map[string]client.Certificate{}
	if id := c.String("batch"); id != "" {
		err := eachMatching(c, s, client.Filter{Batch: id}, func(found client.Certificate) error {
			batch[found.UUID] = found
			return nil
		})
		if err != nil {
			return err
		}
	}
	selected := func(d deliveryRecord) error {
		if status := c.String("status"); status != "" && status != d.Status {
			return nil
		}
		return each(d)
	}
	mails, err := s.Mails(c.Context, adminclient.MailFilter{Batch: c.String("batch")})
	if err != nil {
		return err
	}
	for _, m := range mails {
		if !from.IsZero() && m.CreatedAt.Before(from) || !to.IsZero() && !m.CreatedAt.Before(to) {
			continue
		}
		if err := selected(mailRecord(m)); err != nil {
			return err
		}
	}
	return eachWebhookDelivery(c, s, adminclient.DeliveryFilter{From: from, To: to}, batch, selected)
}

// eachWebhookDelivery calls each with the webhook deliveries; if a batch is named, only with
// those about its certificates.
func eachWebhookDelivery(c *cli.Context, s *session, f adminclient.DeliveryFilter, batch map[string]client.Certificate, each func(deliveryRecord) error) error {
	hooks, err := s.Webhooks(c.Context)
	if err != nil {
		return err
	}
	f.Limit = 1000
	for {
		page, err := s.Deliveries(c.Context, f)
		if err != nil {
			return err
		}
		for _, d := range page {
			f.Before = d.Number
			about, ok := batch[d.UUID]
			if c.String("batch") != "" && !ok {
				continue
			}
			one := webhookRecord(d, hooks)
			one.ReferenceID = about.ReferenceID
			if about.BatchID != nil {
				one.BatchID = *about.BatchID
			}
			if err := each(one); err != nil {
				return err
			}
		}
		if len(page) < f.Limit {
			return nil
		}
	}
}

func mailRecord(m adminclient.Mail) deliveryRecord {
	d := deliveryRecord{Channel: "mail", ID: strconv.FormatUint(m.ID, 10), What: m.Kind, Status: m.State, To: m.To, UUID: m.UUID,
		ReferenceID: m.ReferenceID, Attempts: m.Attempts, Code: m.Code, Reason: m.Reason, CreatedAt: m.CreatedAt, EndedAt: m.SentAt}
	if m.BatchID != nil {
		d.BatchID = *m.BatchID
	}
	return d
}

// webhookRecord returns the record of a delivery to a webhook, which may be deleted by now.
func webhookRecord(d adminclient.WebhookDelivery, hooks []adminclient.Webhook) deliveryRecord {
	one := deliveryRecord{Channel: "webhook", ID: d.ID, What: d.Event, Status: d.Status, To: d.WebhookID, UUID: d.UUID, Attempts: len(d.Attempts), CreatedAt: d.CreatedAt}
	if i := slices.IndexFunc(hooks, func(h adminclient.Webhook) bool { return h.ID == d.WebhookID }); i >= 0 {
		one.To = hooks[i].URL
	}
	if len(d.Attempts) == 0 {
		return one
	}
	last := d.Attempts[len(d.Attempts)-1]
	if one.Reason = last.Error; last.Status != 0 {
		one.Code = strconv.Itoa(last.Status)
	}
	if d.NextAttemptAt == nil {
		one.EndedAt = &last.At
	}
	return one
}

// dateRange reads --from and --to, both inclusive. The second result is the end of the day
// of --to.
func dateRange(c *cli.Context) (from, to time.Time, err error) {
	if from, err = dayFlag(c, "from"); err != nil {
		return from, to, err
	}
	if to, err = dayFlag(c, "to"); err == nil && !to.IsZero() {
		to = to.AddDate(0, 0, 1)
	}
	return from, to, err
}

// dayFlag returns the beginning of the day in a flag; zero if the flag is not set.
func dayFlag(c *cli.Context, name string) (time.Time, error) {
	text := c.String(name)
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, time.Local)
	if err != nil {
		return day, usageError("--%s must be a date such as 2026-06-04, not %q", name, text)
	}
	return day, nil
}
