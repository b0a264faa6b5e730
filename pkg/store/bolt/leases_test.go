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
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// withWork keeps two deliveries and two tasks beside what populate keeps, and returns the
// lanes of both.
func withWork(t *testing.T, s *bolt.Store) (deliveries, tasks store.Lane) {
	t.Helper()
	address := "https://example.com/"
	e, err := webhook.New("a1b2c3d4-e5f6-7890-abcd-ef1234567890", webhook.Subscriber{Institution: 1},
		webhook.Update{URL: &address, Events: []vault.EventType{vault.EventCreated}}, webhook.EncryptedSecret("sealed"), now)
	must(t, err)
	_, err = s.AddInstitution(t.Context(), vault.Institution{Name: "University", TimeZone: "UTC", CreatedAt: now})
	must(t, err)
	must(t, s.AddEndpoint(t.Context(), e))
	_, err = s.Insert(t.Context(), []store.NewCertificate{row(t, 1), row(t, 2)})
	must(t, err)
	_, _, err = s.AddInboundEvent(t.Context(), webhook.InboundEvent{Identity: "id", At: now, Event: "e", Body: []byte("{}"),
		Tasks: []webhook.InboundTask{webhook.NewInboundTask(webhook.Run, "true", now), webhook.NewInboundTask(webhook.Run, "false", now)}})
	must(t, err)
	return store.Lane{Kind: vault.JobWebhook, Institution: 1, Endpoint: e.ID}, store.Lane{Kind: vault.JobInbound}
}

// bucketOf returns what is in a bucket of a closed store's file; nil when there is none.
func bucketOf(t *testing.T, path, name string) (content map[string][]byte) {
	t.Helper()
	edit(t, path, func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(name))
		if b == nil {
			return nil
		}
		content = map[string][]byte{}
		return b.ForEach(func(k, v []byte) error {
			content[string(k)] = bytes.Clone(v)
			return nil
		})
	})
	return content
}

// A file from before deliveries and tasks were claimed is opened as it is, and its records
// stay byte for byte while they are claimed.
func TestLeasesComeBesideWhatIsThere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vault.db")
	s, err := bolt.Open(path, time.Second)
	must(t, err)
	lanes := make([]store.Lane, 3)
	lanes[0], lanes[1] = withWork(t, s)
	lanes[2] = store.Lane{Kind: vault.JobSign}
	// A claim without an owner is what earlier programs kept of a claim.
	_, err = s.Claim(t.Context(), lanes[2], "", 1, now)
	must(t, err)
	must(t, s.Close())
	for id, record := range bucketOf(t, path, "jobs") {
		if bytes.Contains(record, []byte("owner")) {
			t.Errorf("job %x without an owner is kept as %s", id, record)
		}
	}
	edit(t, path, func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("leases")) })
	untouched := []string{"deliveries", "delivery_due", "received", "received_due"}
	before := map[string]map[string][]byte{}
	for _, name := range untouched {
		before[name] = bucketOf(t, path, name)
	}

	s, err = bolt.Open(path, time.Second)
	must(t, err)
	if n, err := s.RequeueOrphaned(t.Context(), []string{"new"}, now); err != nil || n != 1 {
		t.Errorf("%d jobs were given back, %v; want the one that an earlier program had claimed", n, err)
	}
	for _, lane := range lanes {
		claimed, err := s.Claim(t.Context(), lane, "new", 9, now)
		if err != nil || len(claimed) != 2 {
			t.Errorf("claimed %d of %+v, %v", len(claimed), lane, err)
		}
	}
	must(t, s.Close())
	for _, name := range untouched {
		after := bucketOf(t, path, name)
		if len(after) != len(before[name]) {
			t.Errorf("%s: %d records, before %d", name, len(after), len(before[name]))
		}
		for k, v := range after {
			if !bytes.Equal(v, before[name][k]) {
				t.Errorf("%s %x was rewritten", name, k)
			}
		}
	}
	if n := len(bucketOf(t, path, "leases")); n != 2 {
		t.Errorf("%d leases, want one for each claim", n)
	}
}

// Leases go when what they are on is done, so that the file does not grow.
func TestLeasesAreCleanedUp(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vault.db")
	s, err := bolt.Open(path, time.Second)
	must(t, err)
	deliveries, tasks := withWork(t, s)
	at := now
	for round := range 3 { // the first two owners never come back
		for _, lane := range []store.Lane{deliveries, tasks} {
			claimed, err := s.Claim(t.Context(), lane, "owner", 9, at)
			must(t, err)
			if len(claimed) != 2 {
				t.Fatalf("round %d: claimed %d of %+v", round, len(claimed), lane)
			}
			if round < 2 {
				continue
			}
			for _, j := range claimed {
				outcomes, err := s.Complete(t.Context(), []store.JobResult{{Job: j.Job, Delivery: j.Delivery, Task: j.Task,
					Attempt: webhook.Attempt{At: at, Status: 200}, At: at}})
				must(t, err)
				must(t, outcomes[0])
			}
		}
		at = at.Add(time.Hour)
	}
	must(t, s.Close())
	if left := bucketOf(t, path, "leases"); len(left) != 0 {
		t.Errorf("%d leases are left", len(left))
	}
}

func TestADamagedLeaseIsFound(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, path string){
		"a bit": func(t *testing.T, path string) { flipIn(t, path, "leases") },
		"a key of no lane": func(t *testing.T, path string) {
			edit(t, path, func(tx *bbolt.Tx) error {
				return tx.Bucket([]byte("leases")).Put([]byte("webhook\x00short"), []byte("12345678"))
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "vault.db")
			s, err := bolt.Open(path, time.Second)
			must(t, err)
			deliveries, tasks := withWork(t, s)
			for _, lane := range []store.Lane{deliveries, tasks} {
				_, err := s.Claim(t.Context(), lane, "owner", 1, now)
				must(t, err)
			}
			must(t, s.Close())
			damage(t, path)
			s = open(t, path)
			_, err = s.RequeueOrphaned(t.Context(), nil, now)
			wantDamaged(t, "giving back", err)
			if name != "a bit" {
				return
			}
			for _, lane := range []store.Lane{deliveries, tasks} {
				_, err = s.Claim(t.Context(), lane, "owner", 1, now)
				wantDamaged(t, "claiming", err)
				_, err = s.NextRun(t.Context(), lane)
				wantDamaged(t, "looking for the next", err)
			}
		})
	}
}
