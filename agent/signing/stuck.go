package signing

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vecctl/vecctl/agent/worker"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// DefaultTimeLimit is how long one document may take. The largest takes less than a
// second; the rest is for machines that are busy with something else.
const DefaultTimeLimit = time.Minute

// drainTimeout is how long a document that is in work may go on when the agent is to
// end.
const drainTimeout = 5 * time.Second

// maxStuck is how many documents may hang in one process: each keeps a goroutine
// that nothing can end, and may keep a core busy.
const maxStuck = 8

// Ends of an attempt that are not the work's own.
var (
	errStuck        = errors.New("the document engine did not finish in time")
	errStopped      = errors.New("the agent was stopped meanwhile")
	errTooManyStuck = errors.New("too many documents hang")
)

// stuck knows the certificates whose work was given up but has not ended. Their
// goroutines cannot be ended, so there is at most one for each certificate.
type stuck struct {
	mu   sync.Mutex
	ids  map[uint64]struct{}
	full func(error) // told when there are too many
}

func newStuck() *stuck { return &stuck{ids: map[uint64]struct{}{}} }

func (h *stuck) has(id uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, is := h.ids[id]
	return is
}

func (h *stuck) add(id uint64) {
	h.mu.Lock()
	h.ids[id] = struct{}{}
	n := len(h.ids)
	h.mu.Unlock()
	if n == maxStuck {
		h.full(fault.Wrap(fault.Internal, errTooManyStuck, fmt.Sprintf(
			"%d documents hang in the document engine; the agent ends so that it can be started again; waiting documents are kept", n)))
	}
}

func (h *stuck) remove(id uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.ids, id)
}

// workResult is what the work brought.
type workResult struct {
	change store.Change
	err    error
}

// runLimited keeps a document whose processing breaks or does not end from its
// neighbours: a panic becomes an error, and what takes too long is left behind.
func (p *Processor) runLimited(ctx context.Context, c vault.Certificate) (store.Change, error) {
	if p.stuck.has(c.ID) {
		return nil, errStuck
	}
	working, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.TimeLimit)
	defer cancel()
	// The work and its judge agree on who is first; the later one cleans up.
	var mu sync.Mutex
	ended, left := false, false
	result := make(chan workResult, 1)
	go func() {
		change, err := p.runRecovered(working, c)
		mu.Lock()
		defer mu.Unlock()
		if ended = true; left {
			p.stuck.remove(c.ID)
		}
		result <- workResult{change, err}
	}()
	leave := func(why error) (store.Change, error) {
		mu.Lock()
		if ended {
			mu.Unlock()
			r := <-result
			return r.change, r.err
		}
		defer mu.Unlock()
		left = true
		p.stuck.add(c.ID)
		return nil, why
	}
	patient, end := worker.WithGrace(ctx, drainTimeout)
	defer end()
	select {
	case r := <-result:
		return r.change, r.err
	case <-patient.Done():
	case <-working.Done():
		if ctx.Err() == nil {
			return leave(errStuck)
		}
	}
	return leave(errStopped)
}

func (p *Processor) runRecovered(ctx context.Context, c vault.Certificate) (change store.Change, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the document engine failed: %v", r)
		}
	}()
	return p.work(ctx, c)
}
