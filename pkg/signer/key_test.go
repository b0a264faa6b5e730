package signer_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/signer"
)

// slow is a backend whose calls take a time, and that notes them.
type slow struct {
	key   *ecdsa.PrivateKey
	takes time.Duration
	batch int
	err   error

	mu    sync.Mutex
	calls []int // how many digests each had
}

func (s *slow) Certificates(context.Context) ([]*x509.Certificate, error) { return nil, s.err }
func (s *slow) Batch() int                                                { return s.batch }
func (s *slow) Close() error                                              { return nil }

func (s *slow) Sign(ctx context.Context, _ signer.Algorithm, digests [][]byte) (all [][]byte, err error) {
	s.mu.Lock()
	s.calls = append(s.calls, len(digests))
	s.mu.Unlock()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(s.takes):
	}
	for _, d := range digests {
		one, err := s.key.Sign(rand.Reader, d, crypto.SHA256)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, s.err
}

func keyOf(t *testing.T, s *slow, timeout time.Duration) *signer.Key {
	t.Helper()
	s.key = newECDSA(t)
	_, cert := keyFile(t, s.key)
	k, err := signer.NewKey(t.Context(), "exec:/slow", s, cert, timeout)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Digests that come while a call is under way go into the next one together, as many as it takes.
func TestDigestsThatWaitGoTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: time.Second, batch: 40}
		k := keyOf(t, s, 10*time.Second)
		var work sync.WaitGroup
		work.Go(func() {
			if err := signMany(k, 1); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Millisecond)
		if err := signMany(k, 100); err != nil {
			t.Error(err)
		}
		work.Wait()
		if !slices.Equal(s.calls, []int{1, 40, 40, 20}) {
			t.Errorf("calls of %v digests", s.calls)
		}
	})
}

// A call that fails, or does not end, fails all who wait, so that nobody waits for the next one too.
func TestAFailedCallFailsAllWhoWait(t *testing.T) {
	t.Parallel()
	for says, s := range map[string]*slow{
		"exec:/slow does not answer in 5s":        {takes: time.Hour, batch: 1},
		"exec:/slow cannot sign (no such device)": {takes: time.Second, batch: 1, err: errors.New("no such device")},
	} {
		synctest.Test(t, func(t *testing.T) {
			k := keyOf(t, s, 5*time.Second)
			begun := time.Now()
			err := signMany(k, 20)
			if n := strings.Count(err.Error(), says); n != 20 || !fault.Is(err, fault.Unavailable) {
				t.Errorf("%d of 20 failed: %v", n, err)
			}
			if took := time.Since(begun); took > 6*time.Second || len(s.calls) != 1 {
				t.Errorf("%d calls in %s", len(s.calls), took)
			}
			synctest.Wait()
		})
	}
}

// A signer that is too slow for what comes is said to be so before a document has taken too long.
func TestASlowSignerIsSaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 20 * time.Second, batch: 1}
		k := keyOf(t, s, 25*time.Second)
		begun := time.Now()
		err := signMany(k, 10)
		if n := strings.Count(err.Error(), "exec:/slow is slower than documents come"); n != 8 {
			t.Errorf("%d of 10 were not signed: %v", n, err)
		}
		if took := time.Since(begun); took > 50*time.Second {
			t.Errorf("it took %s", took)
		}
		digest := sha256.Sum256([]byte("next"))
		if _, err := k.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
			t.Error(err)
		}
	})
}
