package bolt

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Jobs have their lease in their own record. Deliveries and tasks of received events are
// many, and their records say nothing of who works on them: a lease on those is a record
// for each claim, which lists what was claimed. Its end and its owner are in the key.

// leasesBucket is drawn in schema.go.
var leasesBucket = []byte("leases")

// dueIndex is an index of what is due in a lane, and where the leases on that are. Its keys are a
// prefix, the moment, and the item that is due.
type dueIndex struct {
	bucket []byte
	prefix []byte
	width  int    // bytes of an item
	leases []byte // what the keys of the lane's leases begin with
	// institution is the one of an endpoint, where something is to be claimed.
	institution uint32
}

func deliveriesDue(endpoint []byte) dueIndex {
	return dueIndex{bucket: deliveriesDueBucket, prefix: endpoint, width: 8,
		leases: boltfile.JoinKey(boltfile.TerminatedText(string(vault.JobWebhook)), endpoint)}
}

func tasksDue() dueIndex {
	return dueIndex{bucket: inboundDueBucket, width: 9, leases: boltfile.TerminatedText(string(vault.JobInbound))}
}

// split takes a key of the index apart.
func (d dueIndex) split(key []byte) (at time.Time, item []byte) {
	item = key[len(key)-d.width:]
	return time.Unix(0, int64(binary.BigEndian.Uint64(key[len(d.prefix):]))), item
}

// lease is what one owner has claimed in one lane until a moment.
type lease struct {
	key     []byte
	owner   string
	until   int64  // nanoseconds
	items   []byte // one behind the other; some may be under another lease by now
	changed bool
}

// laneLeases are the leases in a lane, with changes that are not written yet.
type laneLeases struct {
	dueIndex
	all    []*lease
	holder map[string]*lease // by item
}

// leasesIn reads the leases in a lane.
func (t *txn) leasesIn(d dueIndex) (*laneLeases, error) {
	l := &laneLeases{dueIndex: d, holder: map[string]*lease{}}
	c := t.Cursor(leasesBucket)
	for k, v := c.Seek(d.leases); bytes.HasPrefix(k, d.leases); k, v = c.Next() {
		body, err := boltfile.VerifyChecksum(k, v)
		if err != nil {
			return nil, err
		}
		if len(k) < len(d.leases)+8 || len(body)%d.width != 0 {
			return nil, boltfile.IndexDamaged(leasesBucket, k)
		}
		end := k[len(d.leases):]
		one := &lease{key: bytes.Clone(k), until: int64(binary.BigEndian.Uint64(end)), owner: string(end[8:]), items: bytes.Clone(body)}
		l.all = append(l.all, one)
		for item := range slices.Chunk(one.items, d.width) {
			l.holder[string(item)] = one
		}
	}
	return l, nil
}

// free lists up to n items that are due and that nobody holds, the oldest first.
func (t *txn) free(l *laneLeases, n int, now clockReading) (items [][]byte) {
	c, passed := t.Cursor(l.bucket), 0
	for k, _ := c.Seek(l.prefix); k != nil && bytes.HasPrefix(k, l.prefix) && len(items) < n; k, _ = c.Next() {
		at, item := l.split(k)
		if one := l.holder[string(item)]; one != nil && one.until > now.UnixNano() {
			continue
		}
		if at.After(now.Time) && t.waits(l.dueIndex, item, now.Time) {
			if passed++; !now.setBack || passed > maxPassedOver {
				break
			}
			continue
		}
		items = append(items, bytes.Clone(item))
	}
	return items
}

// waits reports whether an item that is to be done later is still to wait. One whose record cannot
// be read does not: who claims it is told.
func (t *txn) waits(d dueIndex, item []byte, now time.Time) bool {
	if d.width > len(boltfile.U64(0)) { // a task of a received event
		r, err := t.inboundEvent(item[:8])
		return err == nil && int(item[8]) < len(r.Tasks) && r.Tasks[item[8]].NotYetDue(now)
	}
	one, err := t.delivery(deliveryKey(d.institution, boltfile.LastID(item)))
	return err == nil && one.NotYetDue(now)
}

// nextDue is when the first item is due, or the lease on one ends. What is under a lease
// was due at its claim, so that it stands before what is due later.
func (t *txn) nextDue(l *laneLeases) (next time.Time) {
	c := t.Cursor(l.bucket)
	for k, _ := c.Seek(l.prefix); k != nil && bytes.HasPrefix(k, l.prefix); k, _ = c.Next() {
		at, item := l.split(k)
		one := l.holder[string(item)]
		if one != nil {
			at = time.Unix(0, one.until)
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
		if one == nil {
			break
		}
	}
	return next
}

// grant gives items to an owner, and takes them from those who had them.
func (l *laneLeases) grant(owner string, until time.Time, items [][]byte) {
	key := boltfile.JoinKey(l.leases, boltfile.U64(uint64(until.UnixNano())), []byte(owner))
	at := slices.IndexFunc(l.all, func(one *lease) bool { return bytes.Equal(one.key, key) })
	if at < 0 {
		at = len(l.all)
		l.all = append(l.all, &lease{key: key, owner: owner, until: until.UnixNano()})
	}
	one := l.all[at]
	one.changed = true
	for _, item := range items {
		l.end(item)
		one.items = append(one.items, item...)
		l.holder[string(item)] = one
	}
}

// check returns an error unless an item is under an owner's lease that ends at a moment.
func (l *laneLeases) check(item []byte, owner string, until time.Time) error {
	if one := l.holder[string(item)]; one == nil || one.owner != owner || one.until != until.UnixNano() {
		return lostLease()
	}
	return nil
}

func lostLease() error { return fault.New(fault.Conflict, "the job was taken over by another worker") }

// end ends the lease on an item.
func (l *laneLeases) end(item []byte) {
	if one := l.holder[string(item)]; one != nil {
		one.changed = true
		delete(l.holder, string(item))
	}
}

// writeLeases writes those that have changed.
func (t *txn) writeLeases(l *laneLeases) error {
	for _, one := range l.all {
		if !one.changed {
			continue
		}
		var left []byte
		for item := range slices.Chunk(one.items, l.width) {
			if l.holder[string(item)] == one {
				left = append(left, item...)
			}
		}
		if len(left) > 0 {
			if err := t.Put(leasesBucket, one.key, boltfile.AddChecksum(one.key, left)); err != nil {
				return err
			}
		} else if err := t.Delete(leasesBucket, one.key); err != nil {
			return err
		}
		one.items, one.changed = left, false
	}
	return nil
}

// endOrphanedLeases ends the leases of owners that are not alive, and returns how much
// was claimed under them.
func (t *txn) endOrphanedLeases(alive []string) (released int, err error) {
	lanes, err := leasedLanes(t.Cursor(leasesBucket))
	if err != nil {
		return 0, err
	}
	for _, d := range lanes {
		l, err := t.leasesIn(d)
		if err != nil {
			return 0, err
		}
		for _, one := range l.all {
			if slices.Contains(alive, one.owner) {
				continue
			}
			for item := range slices.Chunk(one.items, l.width) {
				l.end(item)
				released++
			}
		}
		if err := t.writeLeases(l); err != nil {
			return 0, err
		}
	}
	return released, nil
}

// leasedLanes lists the lanes in which there are leases.
func leasedLanes(c *bbolt.Cursor) (lanes []dueIndex, err error) {
	deliveries := boltfile.TerminatedText(string(vault.JobWebhook))
	for k, _ := c.First(); k != nil; {
		d := tasksDue()
		if endpoint, ok := bytes.CutPrefix(k, deliveries); ok && len(endpoint) > 16 {
			d = deliveriesDue(bytes.Clone(endpoint[:16]))
		}
		if !bytes.HasPrefix(k, d.leases) {
			return nil, boltfile.IndexDamaged(leasesBucket, k)
		}
		lanes = append(lanes, d)
		for bytes.HasPrefix(k, d.leases) {
			k, _ = c.Next()
		}
	}
	return lanes, nil
}
