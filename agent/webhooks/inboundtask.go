package webhooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	vaultwebhook "github.com/vecctl/vecctl/pkg/vault/webhook"
	"github.com/vecctl/vecctl/pkg/webhook"
)

// Sizes and times of the work.
const (
	inboundWorkers     = 4 // tasks
	inboundClaimSize   = 2 * inboundWorkers
	inboundIdlePoll    = 30 * time.Second
	inboundRetryDelay  = 2 * time.Second
	forwardTimeout     = 10 * time.Second
	maxForwardResponse = 64 << 10
)

func (r *Receiver) claim(ctx context.Context) ([]store.ClaimedJob, error) {
	return r.store.Claim(ctx, store.Lane{Kind: vault.JobInbound}, r.Owner, inboundClaimSize, r.Now())
}

func (r *Receiver) nextRun(ctx context.Context) (time.Time, error) {
	return r.store.NextRun(ctx, store.Lane{Kind: vault.JobInbound})
}

// release gives a task back that was not tried.
func (r *Receiver) release(j store.ClaimedJob) store.JobResult {
	return store.JobResult{Job: j.Job, Task: j.Task, Release: true}
}

// do tries one task. What was broken off because the end was asked for counts as not
// tried; what waited here for so long that others may have it is left to them.
func (r *Receiver) do(ctx context.Context, j store.ClaimedJob) store.JobResult {
	if !r.Now().Before(j.RunAt) {
		return r.release(j)
	}
	task := j.Task.Tasks[j.Task.Index]
	err := r.run(ctx, task, j.Task.InboundEvent)
	if ctx.Err() != nil && err != nil {
		return r.release(j)
	}
	result := store.JobResult{Job: j.Job, Task: j.Task, At: r.Now()}
	if err != nil {
		result.Failure = shorten(err.Error())
		if said, ok := errors.AsType[*commandError](err); ok {
			err = said.cause
		}
		r.Log.Warn("a webhook's task failed", "number", j.Task.Seq, "task", string(task.Kind), "try", task.Attempts+1, "error", err)
	}
	return result
}

func (r *Receiver) run(ctx context.Context, task vaultwebhook.InboundTask, e vaultwebhook.InboundEvent) error {
	switch task.Kind {
	case vaultwebhook.Forward:
		return r.forward(ctx, task.Target, e)
	case vaultwebhook.Run:
		return r.runCommand(ctx, task.Target, e)
	case vaultwebhook.Apply:
		if r.Remote != nil {
			return r.Remote.Update(ctx, e)
		}
	}
	return nil
}

// commit keeps what came of tasks.
func (r *Receiver) commit(ctx context.Context, group []store.JobResult) error {
	outcomes, err := r.store.Complete(ctx, group)
	if err != nil {
		return fmt.Errorf("storing the results of tasks: %w", err)
	}
	for i, result := range group {
		if outcomes[i] != nil {
			r.Log.Warn("the result of a received webhook's task could not be stored", "number", result.Task.Seq, "error", outcomes[i])
		}
	}
	return nil
}

func (r *Receiver) reportError(err error) {
	r.Log.Error("the tasks of received webhooks are held up", "error", err)
}

// newForwardClient makes the client that sends events on. Its addresses are the operator's
// own, so they may be private; events name people, so that a public one needs HTTPS.
func newForwardClient() *ssrf.Client {
	return ssrf.New(ssrf.Policy{AllowPrivate: true, Timeout: forwardTimeout, MaxBody: maxForwardResponse, MaxIdle: inboundWorkers})
}

// forward sends an event on, with the headers of its delivery.
func (r *Receiver) forward(ctx context.Context, address string, e vaultwebhook.InboundEvent) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(e.Body))
	if err != nil {
		return errors.New("the address cannot be called")
	}
	for name, values := range e.Headers {
		req.Header[name] = slices.Clone(values)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", r.UserAgent)
	req.Header.Set(webhook.HeaderEvent, e.Event)
	r.sign(req.Header, e.Body)
	answer, err := r.client.Do(req)
	if err != nil {
		return errors.New(failureReason(err)) // without the address, which may hold a secret
	}
	if answer.Status < 200 || answer.Status > 299 {
		return fmt.Errorf("status %d", answer.Status)
	}
	return nil
}

// sign puts the signatures of the first secret in place of those that came, so that the next
// receiver needs that one alone. They are the same where the sender signs with it. A
// time of sending that the next receiver would soon find too old is the present one then,
// as in a second attempt of the sender.
func (r *Receiver) sign(h http.Header, body []byte) {
	if len(r.Secrets) == 0 {
		return
	}
	h.Set(webhook.HeaderSignature, webhook.Sign(r.Secrets[0], body))
	if h.Get(webhook.HeaderStandardSignature) == "" {
		return
	}
	now := r.Now()
	seconds, err := strconv.ParseInt(h.Get(webhook.HeaderStandardTimestamp), 10, 64)
	sent := time.Unix(seconds, 0)
	if err != nil || now.Sub(sent).Abs() > webhook.DefaultTolerance/2 {
		sent = now
	}
	h.Set(webhook.HeaderStandardTimestamp, strconv.FormatInt(sent.Unix(), 10))
	h.Set(webhook.HeaderStandardSignature, webhook.SignStandard(r.Secrets[0], h.Get(webhook.HeaderStandardID), sent, body))
}
