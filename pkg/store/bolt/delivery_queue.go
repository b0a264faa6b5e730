package bolt

import (
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// claimDeliveries claims up to n deliveries to an endpoint that are due.
func (t *txn) claimDeliveries(lane store.Lane, owner string, n int, now clockReading) ([]store.ClaimedJob, error) {
	l, err := t.openLane(lane)
	if l == nil || err != nil {
		return nil, err
	}
	e, err := t.endpoint(lane.Institution, lane.Endpoint)
	if err != nil {
		return nil, err
	}
	until := now.Add(vault.RetryPolicyOf(vault.JobWebhook).Lease)
	items := t.free(l, n, now)
	claimed := make([]store.ClaimedJob, len(items))
	for i, item := range items {
		d, err := t.delivery(deliveryKey(lane.Institution, boltfile.LastID(item)))
		if err != nil {
			return nil, err
		}
		due, err := t.withBody(d)
		if err != nil {
			return nil, err
		}
		claimed[i] = store.ClaimedJob{Delivery: &due, Endpoint: &e, Job: vault.Job{
			ID: d.ID, Kind: vault.JobWebhook, Institution: d.Institution, RunAt: until, Attempt: d.Tries + 1, Claimed: true, Owner: owner, CreatedAt: d.CreatedAt}}
	}
	if len(items) > 0 {
		l.grant(owner, until, items)
	}
	return claimed, t.writeLeases(l)
}

// completeDelivery applies an attempt at a delivery.
func (c completion) completeDelivery(r store.JobResult) error {
	l, err := c.laneOf(deliveriesDue(boltfile.UUID(r.Delivery.Endpoint)))
	if err != nil {
		return err
	}
	item := boltfile.U64(r.Delivery.ID)
	if err := l.check(item, r.Job.Owner, r.Job.RunAt); err != nil {
		return err
	}
	if !r.Release {
		if err := c.applyAttempt(r.Delivery, r.Attempt); err != nil {
			return err
		}
	}
	l.end(item)
	return nil
}

// applyAttempt keeps what an attempt makes of a delivery. What it makes of the endpoint is
// written at the end.
func (c completion) applyAttempt(due *store.DueDelivery, a webhook.Attempt) error {
	key := deliveryKey(due.Institution, due.ID)
	value := c.Get(deliveriesBucket, key)
	if value == nil {
		return nil // forgotten meanwhile, with its endpoint
	}
	d, err := due.Delivery, error(nil)
	if deliveryVersion(value) != due.Version {
		d, err = c.delivery(key) // it has changed since it was claimed
	}
	if err != nil || d.State != webhook.Pending {
		return err
	}
	e, ok := c.endpoints[d.Endpoint]
	if !ok {
		if e, err = c.endpoint(d.Institution, d.Endpoint); err != nil {
			return err
		}
	}
	after, next := webhook.ApplyAttempt(e, d, a)
	c.endpoints[d.Endpoint] = after
	return c.moveDelivery(d, next)
}
