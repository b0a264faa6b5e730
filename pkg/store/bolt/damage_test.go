package bolt_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
)

// wantDamaged wants an error that says so and what to do.
func wantDamaged(t *testing.T, what string, err error) {
	t.Helper()
	message, _ := fault.Message(err)
	if !fault.Is(err, fault.Damaged) || !strings.Contains(message, "restore the home from a backup") {
		t.Errorf("%s: error %v, want one that tells of damage and of the backup", what, err)
	}
}

// populated makes a closed store's file.
func populated(t *testing.T) (path string, all []vault.Certificate) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "vault.db")
	s, err := bolt.Open(path, time.Second)
	must(t, err)
	all = populate(t, s)
	must(t, s.Close())
	return path, all
}

// flipIn flips a bit in every value of a bucket.
func flipIn(t *testing.T, path, bucket string) {
	t.Helper()
	edit(t, path, func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		values := map[string][]byte{}
		c := b.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			v = bytes.Clone(v)
			v[len(v)/2] ^= 0x04
			values[string(k)] = v
		}
		if len(values) == 0 {
			return fmt.Errorf("bucket %s is empty", bucket)
		}
		for k, v := range values {
			if err := b.Put([]byte(k), v); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestAFlippedBitInARecordIsFound(t *testing.T) {
	tests := map[string][]string{ // bucket: the questions that must find it
		"certificates": {"by UUID", "by reference", "by ID", "holders", "list", "status", "e-mail", "batch", "days", "search", "short search"},
		"texts":        {"short search", "search"},
		"by_creation":  {"list", "days", "search", "short search"},
		"by_status":    {"status"},
		"by_email":     {"e-mail"},
		"by_batch":     {"batch"},
		"by_date":      {"days"},
		"tails":        {"tail"},
		"events":       {"events"},
		"counts":       {"counts", "find batch", "batches"},
		"batches":      {"find batch", "batches"},
		"institutions": {"institutions"},
	}
	for bucket, questions := range tests {
		t.Run(bucket, func(t *testing.T) {
			path, all := populated(t)
			flipIn(t, path, bucket)
			s := open(t, path)
			asked := reads(s, all[0], *row(t, 0).Freeze)
			for _, q := range questions {
				_, err := asked[q]()
				wantDamaged(t, q, err)
			}
		})
	}
	t.Run("jobs", func(t *testing.T) {
		path, _ := populated(t)
		flipIn(t, path, "jobs")
		s := open(t, path)
		_, err := s.Claim(t.Context(), store.Lane{Kind: vault.JobSign}, "worker", 1, now)
		wantDamaged(t, "claim", err)
		_, err = s.RequeueOrphaned(t.Context(), nil, now)
		wantDamaged(t, "release", err)
		outcomes, err := s.Complete(t.Context(), []store.JobResult{{Job: vault.Job{ID: 1, Attempt: 1}}})
		must(t, err)
		wantDamaged(t, "settle", outcomes[0])
	})
}

// TestARecordInAnothersPlaceIsFound swaps what two keys of a bucket lead to.
func TestARecordInAnothersPlaceIsFound(t *testing.T) {
	tests := map[string][]string{
		"certificates": {"by UUID", "by ID", "list"},
		"by_uuid":      {"by UUID"},
		"by_reference": {"by reference"},
		"texts":        {"short search"},
	}
	for bucket, questions := range tests {
		t.Run(bucket, func(t *testing.T) {
			path, all := populated(t)
			edit(t, path, func(tx *bbolt.Tx) error {
				b := tx.Bucket([]byte(bucket))
				var keys, values [][]byte
				c := b.Cursor()
				for k, v := c.First(); k != nil; k, v = c.Next() {
					keys, values = append(keys, bytes.Clone(k)), append(values, bytes.Clone(v))
				}
				for i, k := range keys {
					if err := b.Put(k, values[(i+1)%len(values)]); err != nil {
						return err
					}
				}
				return nil
			})
			s := open(t, path)
			asked := reads(s, all[0], *row(t, 0).Freeze)
			for _, q := range questions {
				_, err := asked[q]()
				wantDamaged(t, q, err)
			}
		})
	}
}

// TestALostKeyIsFound alters what decides whether a row is issued. There the lack
// of an entry has a meaning, so the file must not open.
func TestALostKeyIsFound(t *testing.T) {
	alterations := map[string]func(b *bbolt.Bucket, key, value []byte) error{
		"removed":       func(b *bbolt.Bucket, key, _ []byte) error { return b.Delete(key) },
		"another value": func(b *bbolt.Bucket, key, value []byte) error { value[len(value)-1] ^= 1; return b.Put(key, value) },
		"another key": func(b *bbolt.Bucket, key, value []byte) error {
			if err := b.Delete(key); err != nil {
				return err
			}
			key[len(key)-1] ^= 0x40
			return b.Put(key, value)
		},
	}
	for _, bucket := range []string{"by_key", "frozen"} {
		for name, alter := range alterations {
			t.Run(bucket+", "+name, func(t *testing.T) {
				path, _ := populated(t)
				edit(t, path, func(tx *bbolt.Tx) error {
					b := tx.Bucket([]byte(bucket))
					k, v := b.Cursor().First()
					return alter(b, bytes.Clone(k), bytes.Clone(v))
				})
				_, err := bolt.Open(path, time.Second)
				wantDamaged(t, "open", err)
			})
		}
	}
}

func TestAFlippedByteInTheFileIsFound(t *testing.T) {
	path, all := populated(t)
	b, err := os.ReadFile(path)
	must(t, err)
	name := []byte(`"name":"` + all[0].Name)
	if bytes.Count(b, name) == 0 {
		t.Fatal("the record is not in the file as it was written")
	}
	must(t, os.WriteFile(path, bytes.ReplaceAll(b, name, bytes.Replace(name, []byte("Recipient"), []byte("Impostor!"), 1)), 0o600))
	s := open(t, path)
	_, err = s.Certificate(t.Context(), 1, all[0].UUID)
	wantDamaged(t, "the certificate", err)
	if _, err := s.Certificate(t.Context(), 1, all[1].UUID); err != nil {
		t.Errorf("another certificate: %v", err)
	}
}

// useAll opens a file, asks everything, and writes. Whatever comes of it must
// be an error or none; errors must tell of damage.
func useAll(t *testing.T, path string, all []vault.Certificate) (damaged bool) {
	t.Helper()
	var failed []error
	s, err := bolt.Open(path, time.Second)
	failed = append(failed, err)
	if err == nil {
		for _, ask := range reads(s, all[0], *row(t, 0).Freeze) {
			_, err := ask()
			failed = append(failed, err)
		}
		_, err = s.Insert(t.Context(), []store.NewCertificate{row(t, 77)})
		failed = append(failed, err)
		_, err = s.Change(t.Context(), 1, all[1].UUID, approve)
		failed = append(failed, err)
		_, err = s.Claim(t.Context(), store.Lane{Kind: vault.JobSign}, "worker", 9, now)
		failed = append(failed, err, s.Close())
	}
	for _, err := range failed {
		switch {
		case err == nil, fault.Is(err, fault.NotFound):
		case fault.Is(err, fault.Damaged), fault.Is(err, fault.Illegal):
			damaged = true
		default:
			t.Errorf("%v (%T)", err, err)
		}
	}
	return damaged
}

// rounds is how often TestRandomDamage damages a file.
func rounds() int {
	if os.Getenv("VECCTL_LONG") != "" {
		return 2000
	}
	return 40
}

// TestRandomDamage flips bytes all over a small file. Some of the damage lies
// where nobody looks and cannot be found; none may end the process or hang.
func TestRandomDamage(t *testing.T) {
	path, all := populated(t)
	whole, err := os.ReadFile(path)
	must(t, err)
	used := bytes.TrimRight(whole, "\x00")
	random := rand.New(rand.NewPCG(5, 6))
	found := 0
	for range rounds() {
		b := bytes.Clone(whole)
		at := random.IntN(len(used))
		if random.IntN(2) == 0 {
			at = at/os.Getpagesize()*os.Getpagesize() + random.IntN(64) // a page's header
		}
		b[at] ^= byte(1 + random.IntN(255))
		damaged, ended := useInTime(t, b, all)
		if !ended { // the damage, or a disk that stood still
			damaged, ended = useInTime(t, b, all)
		}
		if !ended {
			t.Fatalf("byte %d (page %d, %d): %#x made of %#x hangs", at, at/os.Getpagesize(), at%os.Getpagesize(), b[at], whole[at])
		}
		if damaged {
			found++
		}
		if t.Failed() {
			t.Fatalf("byte %d: %#x made of %#x", at, b[at], whole[at])
		}
	}
	if found == 0 {
		t.Error("no damage was found at all")
	}
}

// TestABucketWhereAValueWas turns the values of each bucket into buckets, as a flipped
// bit of their flags does.
func TestABucketWhereAValueWas(t *testing.T) {
	path, all := populated(t)
	whole, err := os.ReadFile(path)
	must(t, err)
	var names [][]byte
	edit(t, path, func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, _ *bbolt.Bucket) error {
			names = append(names, bytes.Clone(name))
			return nil
		})
	})
	for _, name := range names {
		spoilt := filepath.Join(t.TempDir(), "vault.db")
		must(t, os.WriteFile(spoilt, whole, 0o600))
		edit(t, spoilt, func(tx *bbolt.Tx) error {
			b := tx.Bucket(name)
			var keys [][]byte
			err := b.ForEach(func(key, _ []byte) error { keys = append(keys, bytes.Clone(key)); return nil })
			for _, key := range keys {
				err = errors.Join(err, b.Delete(key))
				_, made := b.CreateBucket(key)
				err = errors.Join(err, made)
			}
			return err
		})
		useAll(t, spoilt, all)
		if t.Failed() {
			t.Fatalf("bucket %s", name)
		}
	}
}

// useInTime uses a file as useAll does; ended is false when that takes minutes.
func useInTime(t *testing.T, content []byte, all []vault.Certificate) (damaged, ended bool) {
	path := filepath.Join(t.TempDir(), "vault.db")
	must(t, os.WriteFile(path, content, 0o600))
	done := make(chan bool, 1)
	go func() { done <- useAll(t, path, all) }()
	select {
	case damaged = <-done:
		return damaged, true
	case <-time.After(2 * time.Minute):
		return false, false
	}
}

func TestAFileThatIsNoneOrCutOff(t *testing.T) {
	path, all := populated(t)
	whole, err := os.ReadFile(path)
	must(t, err)
	used := bytes.TrimRight(whole, "\x00")
	noise := make([]byte, 64<<10)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise)
	tests := map[string][]byte{
		"one byte": {1}, "a hundred bytes": whole[:100], "one page": whole[:4096], "two pages": whole[:8192], "three pages": whole[:3*4096],
		"half": used[:len(used)/2], "noise": noise, "text": bytes.Repeat([]byte("certificate_title,full_name\n"), 4000),
		"zeros": make([]byte, 64<<10), "noise behind the first pages": append(bytes.Clone(whole[:8192]), noise...),
	}
	for name, content := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "vault.db")
			must(t, os.WriteFile(path, content, 0o600))
			if !useAll(t, path, all) {
				t.Error("no damage is found")
			}
			after, err := os.ReadFile(path)
			must(t, err)
			if len(content) < 8192 && !bytes.Equal(after, content) {
				t.Error("the file was overwritten")
			}
		})
	}
}

func TestAFileThatIsCutOffWhileItIsOpen(t *testing.T) {
	path, all := populated(t)
	s, err := bolt.Open(path, time.Second)
	must(t, err)
	must(t, os.Truncate(path, 8192))
	_, err = s.Certificate(t.Context(), 1, all[0].UUID)
	wantDamaged(t, "a read", err)
	done := make(chan error, 1)
	go func() {
		_, err := s.Insert(t.Context(), []store.NewCertificate{row(t, 77)})
		if err == nil {
			err = fmt.Errorf("accepted")
		}
		_, again := s.Insert(t.Context(), []store.NewCertificate{row(t, 78)})
		if again == nil {
			err = fmt.Errorf("accepted the second")
		}
		_ = s.Close()
		done <- err
	}()
	select {
	case err := <-done:
		wantDamaged(t, "a write", err)
	case <-time.After(2 * time.Minute):
		t.Error("a write or the closing hangs")
	}
}
