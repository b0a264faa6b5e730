package bolt

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// Claim implements store.QueueLength.
func (s *Store) Claim(ctx context.Context, lane store.Lane, owner string, n int, at time.Time) ([]store.ClaimedJob, error) {
	now := s.latest.read(at)
	// A look first: an idle queue must not cost a write.
	some, err := readTx(ctx, s, func(t *txn) (bool, error) { return t.someDue(lane, now) })
	if err != nil || !some {
		return nil, err
	}
	return writeTx(ctx, s, func(t *txn) ([]store.ClaimedJob, error) {
		switch lane.Kind {
		case vault.JobWebhook:
			return t.claimDeliveries(lane, owner, n, now)
		case vault.JobInbound:
			return t.claimTasks(lane, owner, n, now)
		case vault.JobSign, vault.JobMail, vault.JobTimestamp, vault.JobSend, vault.JobFetch, vault.JobPreserve, vault.JobCosign:
		}
		return t.claimJobs(lane.Kind, owner, n, now, int(s.nextLane.Add(1)))
	})
}

// someDue reports whether a job of a lane can be claimed.
func (t *txn) someDue(lane store.Lane, now clockReading) (bool, error) {
	if lane.Kind != vault.JobWebhook && lane.Kind != vault.JobInbound {
		first, err := t.dueJobs(lane.Kind, 1, now, 0)
		return len(first) > 0, err
	}
	l, err := t.openLane(lane)
	return l != nil && len(t.free(l, 1, now)) > 0, err
}

// openLane reads the leases in a lane of deliveries or tasks; nil where nothing can be claimed
// there at present.
func (t *txn) openLane(lane store.Lane) (*laneLeases, error) {
	if lane.Kind == vault.JobInbound {
		return t.leasesIn(tasksDue())
	}
	e, err := t.endpoint(lane.Institution, lane.Endpoint)
	if err != nil || !e.CanDeliver() {
		return nil, err
	}
	d := deliveriesDue(boltfile.UUID(e.ID))
	d.institution = lane.Institution
	return t.leasesIn(d)
}

// NextRun implements store.QueueLength.
func (s *Store) NextRun(ctx context.Context, lane store.Lane) (time.Time, error) {
	return readTx(ctx, s, func(t *txn) (time.Time, error) {
		if lane.Kind != vault.JobWebhook && lane.Kind != vault.JobInbound {
			return t.nextJob(lane.Kind), nil
		}
		l, err := t.openLane(lane)
		if l == nil || err != nil {
			return time.Time{}, err
		}
		return t.nextDue(l), nil
	})
}

// Queues implements store.QueueLength.
func (s *Store) Queues(ctx context.Context, now time.Time) (map[vault.JobKind]store.QueueLength, error) {
	return readTx(ctx, s, func(t *txn) (map[vault.JobKind]store.QueueLength, error) {
		queues := map[vault.JobKind]store.QueueLength{}
		c := t.Bucket(jobsDueBucket).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			lane, parked := strings.CutPrefix(string(k[:bytes.IndexByte(k, 0)]), parkedPrefix)
			kind := laneKind(lane)
			q := queues[kind]
			if parked || jobRunAt(k).After(now) {
				q.Later++
			} else {
				q.Waiting++
			}
			queues[kind] = q
		}
		return queues, nil
	})
}

// RequeueOrphaned implements store.QueueLength.
func (s *Store) RequeueOrphaned(ctx context.Context, alive []string, now time.Time) (int, error) {
	return writeTx(ctx, s, func(t *txn) (int, error) {
		jobs, err := t.requeueOrphanedJobs(alive, now)
		if err != nil {
			return 0, err
		}
		others, err := t.endOrphanedLeases(alive)
		return jobs + others, err
	})
}

// Complete implements store.QueueLength.
func (s *Store) Complete(ctx context.Context, results []store.JobResult) ([]error, error) {
	return writeTx(ctx, s, func(t *txn) ([]error, error) {
		c := completion{txn: t, endpoints: map[string]webhook.Endpoint{}, leases: map[string]*laneLeases{}}
		results, entered, err := t.enterLogs(results)
		if err != nil {
			return nil, err
		}
		outcomes := make([]error, len(results))
		for i, r := range results {
			before := t.Writes()
			outcomes[i] = c.complete(r)
			if outcomes[i] != nil && (t.Writes() != before || entered[i]) {
				return nil, outcomes[i]
			}
		}
		return outcomes, c.write()
	})
}

// completion is a call of Complete: endpoints and leases change with many results and are
// written once, at the end.
type completion struct {
	*txn
	endpoints map[string]webhook.Endpoint
	leases    map[string]*laneLeases // by what their keys begin with
}

// complete applies one result. It changes nothing when it fails before the first write.
func (c completion) complete(r store.JobResult) error {
	switch {
	case r.Delivery != nil:
		return c.completeDelivery(r)
	case r.Task != nil:
		return c.completeTask(r)
	}
	return c.completeJob(r)
}

// laneOf reads the leases in a lane once.
func (c completion) laneOf(d dueIndex) (*laneLeases, error) {
	if l, ok := c.leases[string(d.leases)]; ok {
		return l, nil
	}
	l, err := c.leasesIn(d)
	if err == nil {
		c.leases[string(d.leases)] = l
	}
	return l, err
}

func (c completion) write() error {
	for _, e := range c.endpoints {
		if err := c.putEndpoint(e); err != nil {
			return err
		}
	}
	for _, l := range c.leases {
		if err := c.writeLeases(l); err != nil {
			return err
		}
	}
	return nil
}
