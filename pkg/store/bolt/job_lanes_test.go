package bolt_test

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
)

// TestCommonLane works off the jobs of a file in which those of all institutions lay
// in one lane.
func TestCommonLane(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vault.db")
	s, err := bolt.Open(path, time.Second)
	must(t, err)
	now := time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)
	for range 3 {
		must(t, s.QueueMail(t.Context(), vault.NewSignInMail(2, "p@example.org", "https://x/s/1", now)))
	}
	must(t, s.Close())
	moved := 0
	edit(t, path, func(tx *bbolt.Tx) error {
		due := tx.Bucket([]byte("due"))
		for k, _ := due.Cursor().First(); k != nil; k, _ = due.Cursor().Seek([]byte("notify:")) {
			if !bytes.HasPrefix(k, []byte("notify:2\x00")) {
				break
			}
			old := bytes.Replace(k, []byte(":2"), nil, 1)
			if err := due.Put(old, nil); err != nil {
				return err
			}
			if err := due.Delete(k); err != nil {
				return err
			}
			moved++
		}
		return nil
	})
	if moved != 3 {
		t.Fatalf("%d jobs were moved to the lane of all", moved)
	}
	s = open(t, path)
	must(t, s.QueueMail(t.Context(), vault.NewSignInMail(2, "q@example.org", "https://x/s/2", now)))
	jobs, err := s.Claim(t.Context(), store.Lane{Kind: vault.JobMail}, "worker", 10, now)
	must(t, err)
	if len(jobs) != 4 {
		t.Fatalf("claimed %d jobs", len(jobs))
	}
	for _, j := range jobs {
		outcomes, err := s.Complete(t.Context(), []store.JobResult{{Job: j.Job, Mail: func(m vault.Mail) (vault.Mail, error) { return m.MarkSent("x", now), nil }}})
		must(t, err)
		must(t, outcomes[0])
	}
	queues, err := s.Queues(t.Context(), now)
	must(t, err)
	if q := queues[vault.JobMail]; q != (store.QueueLength{}) {
		t.Errorf("left in the queue: %+v", q)
	}
	if at, err := s.NextRun(t.Context(), store.Lane{Kind: vault.JobMail}); err != nil || !at.IsZero() {
		t.Errorf("the next is due at %s, %v", at, err)
	}
}
