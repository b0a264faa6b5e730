package bolt

import (
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// claimTasks claims up to n tasks of received events that are due.
func (t *txn) claimTasks(lane store.Lane, owner string, n int, now clockReading) ([]store.ClaimedJob, error) {
	l, err := t.openLane(lane)
	if err != nil {
		return nil, err
	}
	until := now.Add(vault.RetryPolicyOf(vault.JobInbound).Lease)
	items := t.free(l, n, now)
	claimed := make([]store.ClaimedJob, len(items))
	for i, item := range items {
		r, err := t.inboundEvent(item[:8])
		if err != nil {
			return nil, err
		}
		due := store.DueTask{InboundEvent: r, Index: int(item[8])}
		if due.Index >= len(r.Tasks) {
			return nil, boltfile.IndexDamaged(inboundDueBucket, item)
		}
		claimed[i] = store.ClaimedJob{Task: &due, Job: vault.Job{
			ID: r.Seq, Kind: vault.JobInbound, RunAt: until, Attempt: r.Tasks[due.Index].Attempts + 1, Claimed: true, Owner: owner, CreatedAt: r.At}}
	}
	if len(items) > 0 {
		l.grant(owner, until, items)
	}
	return claimed, t.writeLeases(l)
}

// completeTask keeps what a try makes of a task.
func (c completion) completeTask(r store.JobResult) error {
	l, err := c.laneOf(tasksDue())
	if err != nil {
		return err
	}
	item := taskItem(r.Task.Seq, r.Task.Index)
	if err := l.check(item, r.Job.Owner, r.Job.RunAt); err != nil {
		return err
	}
	if !r.Release {
		if err := c.applyTaskResult(r); err != nil {
			return err
		}
	}
	l.end(item)
	return nil
}

func (c completion) applyTaskResult(r store.JobResult) error {
	e, err := c.inboundEvent(boltfile.U64(r.Task.Seq))
	if err != nil {
		return err
	}
	i := r.Task.Index
	if i >= len(e.Tasks) || e.Tasks[i].State != webhook.Pending {
		return lostLease()
	}
	if err := c.Delete(inboundDueBucket, taskDueKey(e.Seq, i, e.Tasks[i].RunAt)); err != nil {
		return err
	}
	return c.putInboundEvent(e.ApplyTaskResult(i, r.Failure, r.At))
}
