package bolt

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Jobs of a kind wait in lanes, one for each institution, which are claimed from in
// turns: who has one certificate does not wait behind somebody else's ten thousand.

// laneSeparator stands between a kind and an institution.
const laneSeparator = ":"

// laneOf is the lane of an institution's jobs. The first one's has the kind's name
// alone: so it was with every institution's, and there such jobs may still lie.
func laneOf(kind vault.JobKind, institution uint32) string {
	if institution <= 1 {
		return string(kind)
	}
	return string(kind) + laneSeparator + strconv.FormatUint(uint64(institution), 10)
}

// everyLane lists where jobs of an institution may lie.
func everyLane(kind vault.JobKind, institution uint32) []string {
	common, own := string(kind), laneOf(kind, institution)
	return slices.Compact([]string{common, own, parkedPrefix + common, parkedPrefix + own})
}

func laneKind(lane string) vault.JobKind {
	kind, _, _ := strings.Cut(lane, laneSeparator)
	return vault.JobKind(kind)
}

// deleteDueKeys takes a job out of its lane, and out of the one that all jobs shared.
func (t *txn) deleteDueKeys(j vault.Job) error {
	own, common := jobDueKey(j), laneKey(string(j.Kind), j)
	if err := t.Delete(jobsDueBucket, own); err != nil || bytes.Equal(own, common) {
		return err
	}
	return t.Delete(jobsDueBucket, common)
}

// lanesOf lists what the keys of a kind's lanes begin with. Where a lane is empty it may
// be left out.
func (t *txn) lanesOf(kind vault.JobKind) [][]byte {
	all := [][]byte{boltfile.TerminatedText(string(kind))}
	others := []byte(string(kind) + laneSeparator)
	c := t.Cursor(jobsDueBucket)
	for k, _ := c.Seek(others); bytes.HasPrefix(k, others); {
		lane := bytes.Clone(k[:bytes.IndexByte(k, 0)+1])
		all = append(all, lane)
		k, _ = c.Seek(append(bytes.Clone(lane[:len(lane)-1]), 1))
	}
	return all
}

// laneCursor goes through the jobs of a lane that are due.
type laneCursor struct {
	lane   []byte
	cursor *bbolt.Cursor
	begun  bool
	passed int // jobs that are not due, behind which others may be
}

// next is the next job; nil after the last.
func (w *laneCursor) next(t *txn, now clockReading) (*vault.Job, error) {
	for {
		var k []byte
		if w.begun {
			k, _ = w.cursor.Next()
		} else {
			k, _ = w.cursor.Seek(w.lane)
			w.begun = true
		}
		if !bytes.HasPrefix(k, w.lane) {
			return nil, nil //nolint:nilnil // absence is no error here and has no value
		}
		j, err := t.job(boltfile.LastID(k))
		switch {
		case err != nil:
			return nil, err
		case j != nil && !j.Due(now.Time):
			if w.passed++; now.setBack && w.passed <= maxPassedOver {
				continue
			}
			return nil, nil //nolint:nilnil // absence is no error here and has no value
		case j != nil:
			return j, nil
		}
	}
}

// dueJobs takes up to n jobs from the lanes in turns, the oldest of each first. One
// that is suspect is taken alone, when its lane comes first.
func (t *txn) dueJobs(kind vault.JobKind, n int, now clockReading, turn int) ([]vault.Job, error) {
	var queues []*laneCursor
	for _, lane := range t.lanesOf(kind) {
		queues = append(queues, &laneCursor{lane: lane, cursor: t.Cursor(jobsDueBucket)})
	}
	turn %= len(queues)
	queues = append(queues[turn:], queues[:turn]...)
	var found []vault.Job
	for len(queues) > 0 && len(found) < n {
		q := queues[0]
		j, err := q.next(t, now)
		switch {
		case err != nil:
			return nil, err
		case j == nil, j.Suspect() && len(found) > 0:
			queues = queues[1:]
			continue
		}
		found = append(found, *j)
		if j.Suspect() {
			break
		}
		queues = append(queues[1:], q)
	}
	return found, nil
}
