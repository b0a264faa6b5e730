package tlog

import (
	"context"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Forks remembers which logs are known elsewhere otherwise than they are here. Nothing is issued
// into such a log: two histories under one key could never be told from fraud.
type Forks struct {
	mu       sync.Mutex
	known    map[string]string // by the log's key: what was found
	compared chan struct{}     // closed when the logs were compared once
}

// NewForks returns what is known of no log yet. Where logs can be compared with what is known
// elsewhere, Find waits for the first comparison.
func NewForks(comparable bool) *Forks {
	f := &Forks{known: map[string]string{}, compared: make(chan struct{})}
	if !comparable {
		close(f.compared)
	}
	return f
}

// note remembers a fork and returns it as an error.
func (f *Forks) note(key, found string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known[key] = found
	return fault.New(fault.Conflict, found)
}

// Forget forgets what was found of a log.
func (f *Forks) Forget(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.known, key)
}

// Done says that the logs were compared once.
func (f *Forks) Done() {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.compared:
	default:
		close(f.compared)
	}
}

// patience is how long the first certificate waits for the first comparison. Where nobody answers,
// issuing goes on.
const patience = 5 * time.Second

// Find returns what was found of the log with a public key; "" for nothing.
func (f *Forks) Find(ctx context.Context, key string) string {
	select {
	case <-f.compared:
	case <-ctx.Done():
	case <-time.After(patience):
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.known[key]
}
