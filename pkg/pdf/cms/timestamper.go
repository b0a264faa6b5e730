package cms

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"
)

// restAfterFailure is how long a server that gave no time stamp is not asked again, so that
// one that is gone does not cost every document its time-out.
const restAfterFailure = 30 * time.Second

// Timestamper has the first of several servers that can give a time stamp. It is safe for
// concurrent use.
type Timestamper struct {
	servers []*TimestampClient
	now     func() time.Time

	mu      sync.Mutex
	resting map[*TimestampClient]resting
}

// resting says until when a server is not asked, and why.
type resting struct {
	until time.Time
	cause error
}

// NewTimestamper takes servers in the order in which they are asked.
func NewTimestamper(now func() time.Time, servers ...*TimestampClient) *Timestamper {
	return &Timestamper{servers: servers, now: now, resting: map[*TimestampClient]resting{}}
}

// Request asks the servers in order for a token over a digest, without those that failed a
// moment ago.
func (t *Timestamper) Request(digest [sha256.Size]byte) ([]byte, *Token, error) {
	var failures []error
	for _, s := range t.servers {
		if cause := t.isResting(s); cause != nil {
			failures = append(failures, cause)
			continue
		}
		der, token, err := s.RequestToken(digest, t.now())
		if err == nil {
			return der, token, nil
		}
		t.rest(s, err)
		failures = append(failures, err)
	}
	return nil, nil, errors.Join(failures...)
}

// isResting returns why a server is not asked now; nil where it is.
func (t *Timestamper) isResting(s *TimestampClient) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r, ok := t.resting[s]; ok && t.now().Before(r.until) {
		return r.cause
	}
	return nil
}

func (t *Timestamper) rest(s *TimestampClient, cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.resting[s] = resting{t.now().Add(restAfterFailure), cause}
}

// Paused returns the moment at which the first server may be asked again; zero where one may
// be asked now.
func (t *Timestamper) Paused() (until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.servers {
		r, ok := t.resting[s]
		if !ok || !t.now().Before(r.until) {
			return time.Time{}
		}
		if until.IsZero() || r.until.Before(until) {
			until = r.until
		}
	}
	return until
}

// Skew is by how much the last answer of a server was ahead of this machine's clock; of several
// servers the one nearest to it. Zero where none has answered.
func (t *Timestamper) Skew() time.Duration {
	nearest, found := time.Duration(0), false
	for _, s := range t.servers {
		if skew := time.Duration(s.skew.Load()); skew != 0 && (!found || skew.Abs() < nearest.Abs()) {
			nearest, found = skew, true
		}
	}
	return nearest
}

// TimestampCheck is how a server answered.
type TimestampCheck struct {
	URL string
	Err error // nil: with a sound time stamp
}

// Check asks each server once.
func (t *Timestamper) Check() []TimestampCheck {
	checks := make([]TimestampCheck, len(t.servers))
	var wait sync.WaitGroup
	for i, s := range t.servers {
		wait.Go(func() {
			_, err := s.Request(sha256.Sum256(fmt.Appendf(nil, "a time stamp of %s for a check", s.URL)), t.now())
			checks[i] = TimestampCheck{s.URL, err}
		})
	}
	wait.Wait()
	return checks
}
