package webhooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	vaultwebhook "github.com/vecctl/vecctl/pkg/vault/webhook"
	"github.com/vecctl/vecctl/pkg/wake"
	"github.com/vecctl/vecctl/pkg/webhook"
)

// Sizes and times of the work.
const (
	inboundWorkers     = 4 // tasks
	inboundIdlePoll    = 30 * time.Second
	inboundRetryDelay  = 2 * time.Second
	forwardTimeout     = 10 * time.Second
	maxDrainedResponse = 64 << 10
	maxFailureText     = 300 // bytes that are kept of why a task failed
)

// inFlightTasks are the tasks that are being done. One that has ended stays among them until
// the journal is read anew: a reading that is under way may still see how it was before.
type inFlightTasks struct {
	mu       sync.Mutex
	inFlight map[[2]uint64]bool
	finished [][2]uint64
}

func newInFlightTasks() inFlightTasks { return inFlightTasks{inFlight: map[[2]uint64]bool{}} }

func (h *inFlightTasks) has(seq uint64, task int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.inFlight[[2]uint64{seq, uint64(task)}]
}

func (h *inFlightTasks) start(seq uint64, task int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inFlight[[2]uint64{seq, uint64(task)}] = true
}

func (h *inFlightTasks) finish(seq uint64, task int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.finished = append(h.finished, [2]uint64{seq, uint64(task)})
}

// removeFinished lets go of what was put down.
func (h *inFlightTasks) removeFinished() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, one := range h.finished {
		delete(h.inFlight, one)
	}
	h.finished = h.finished[:0]
}

// Run does what is due until ctx ends. What is broken off then is done again later.
func (r *Receiver) Run(ctx context.Context) error {
	chores := make(chan store.DueTask)
	var workers sync.WaitGroup
	for range inboundWorkers {
		workers.Go(func() {
			for c := range chores {
				r.runTask(ctx, c)
			}
		})
	}
	defer workers.Wait()
	defer close(chores)
	for ctx.Err() == nil {
		r.inFlight.removeFinished()
		due, next, err := r.store.NextTasks(ctx, r.Now(), 2*inboundWorkers, r.inFlight.has)
		switch {
		case err != nil && ctx.Err() == nil:
			r.Log.Error("what is to be done with webhooks cannot be read", "error", err)
			wake.Sleep(ctx, inboundRetryDelay)
		case len(due) == 0:
			wait := inboundIdlePoll
			if !next.IsZero() {
				wait = min(max(next.Sub(r.Now()), time.Millisecond), inboundIdlePoll)
			}
			r.wake.Wait(ctx, wait)
		}
		for _, c := range due {
			r.inFlight.start(c.Seq, c.Task)
			select {
			case <-ctx.Done():
				return nil
			case chores <- c:
			}
		}
	}
	return nil
}

// runTask tries one task and notes what came of it.
func (r *Receiver) runTask(ctx context.Context, c store.DueTask) {
	defer r.Wake() // it may be due again before what is being waited for
	defer r.inFlight.finish(c.Seq, c.Task)
	task := c.Tasks[c.Task]
	var err error
	switch task.Kind {
	case vaultwebhook.Forward:
		err = r.forward(ctx, task.Target, c.InboundEvent)
	case vaultwebhook.Run:
		err = r.runCommand(ctx, task.Target, c.InboundEvent)
	case vaultwebhook.Apply:
		if r.Remote != nil {
			err = r.Remote.Update(ctx, c.InboundEvent)
		}
	}
	if ctx.Err() != nil && err != nil {
		return // broken off: not tried
	}
	failure := ""
	if err != nil {
		text := err.Error()
		// ToValidUTF8 removes a rune that was cut in two.
		failure = strings.ToValidUTF8(text[:min(len(text), maxFailureText)], "")
		if said, ok := errors.AsType[*commandError](err); ok {
			err = said.cause
		}
		r.Log.Warn("a webhook's task failed", "number", c.Seq, "task", string(task.Kind), "try", task.Attempts+1, "error", err)
	}
	if err := r.store.RecordTaskResult(context.WithoutCancel(ctx), c.Seq, c.Task, failure, r.Now()); err != nil {
		r.Log.Error("a webhook's task cannot be noted", "number", c.Seq, "error", err)
		wake.Sleep(ctx, inboundRetryDelay)
	}
}

// newForwardClient makes the client that sends events on. Its addresses are the operator's
// own, so they may lie anywhere.
func newForwardClient() *http.Client {
	return &http.Client{
		Timeout:       forwardTimeout,
		Transport:     &http.Transport{Proxy: nil, MaxIdleConnsPerHost: inboundWorkers, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (r *Receiver) forward(ctx context.Context, address string, e vaultwebhook.InboundEvent) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(e.Body))
	if err != nil {
		return errors.New("the address cannot be called")
	}
	req.Header.Set("Content-Type", "application/json")
	if len(r.Secrets) > 0 {
		// The guide's signature, so that the next one can believe it too.
		req.Header.Set(webhook.HeaderSignature, webhook.Sign(r.Secrets[0], e.Body))
	}
	req.Header.Set(webhook.HeaderEvent, e.Event)
	resp, err := r.client.Do(req)
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err // without the address, which may hold a secret
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxDrainedResponse) // so that the connection can be used again
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}
