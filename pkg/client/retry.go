package client

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// RetryPolicy says how often and how patiently a client tries. The zero value tries
// once.
type RetryPolicy struct {
	Attempts int           // 1 or less: no second one
	First    time.Duration // pause before the second attempt; it doubles from one to the next
	Max      time.Duration // the longest pause
	// OnlyWhenAsked tries again only where the vault asks for it, with an answer 429 or 503.
	OnlyWhenAsked bool
	// Sleep waits; nil is the real clock.
	Sleep func(context.Context, time.Duration) error
}

// RetryTransient returns the policy for work that a person waits for: half a minute in total.
func RetryTransient() RetryPolicy {
	return RetryPolicy{Attempts: 7, First: 500 * time.Millisecond, Max: 15 * time.Second}
}

// RetryWhenAsked waits where the vault asks for it, and says at once what else is wrong.
func RetryWhenAsked() RetryPolicy {
	r := RetryTransient()
	r.OnlyWhenAsked = true
	return r
}

// WithRetries returns a client of the same vault that tries again after answers
// 429 and 5xx and when the vault cannot be reached. Calls that make something are
// tried again only where they carry an idempotency key, or where the vault says
// that it has not begun.
func (c *Client) WithRetries(r RetryPolicy) *Client {
	other := *c
	other.retries = r
	return &other
}

// maxSilences is how often a server is called that does not answer.
const maxSilences = 2

// after says whether to try again after an error, and when.
func (r RetryPolicy) after(req *http.Request, attempt int, err error) (pause time.Duration, again bool) {
	if attempt >= r.Attempts || (req.Body != nil && req.Body != http.NoBody && req.GetBody == nil) {
		return 0, false
	}
	answered, ok := errors.AsType[*Error](err)
	repeatable := req.Method == http.MethodGet || req.Method == http.MethodHead || req.Header.Get(keyHeader) != ""
	asked := ok && (answered.Status == http.StatusTooManyRequests || answered.Status == http.StatusServiceUnavailable)
	switch {
	case asked || r.OnlyWhenAsked:
		again = asked
	case !ok:
		// A certificate stays what it is, and silence takes long enough once.
		again = repeatable && fault.Is(err, fault.Unavailable) && !IsUntrusted(err) && (attempt < maxSilences || !errors.Is(err, errSilent))
	case answered.Status == http.StatusRequestTimeout:
		again = repeatable // it went too slowly
	case answered.Status == http.StatusConflict:
		// The first attempt is being answered still.
		again = req.Header.Get(keyHeader) != ""
	default:
		again = repeatable && answered.Status >= http.StatusInternalServerError && answered.Status != http.StatusInsufficientStorage
	}
	pause = min(r.First<<min(attempt-1, 20), r.Max)
	if ok {
		pause = max(pause, min(answered.RetryAfter, time.Minute))
	}
	return pause, again
}

func (r RetryPolicy) sleep(ctx context.Context, d time.Duration) error {
	if r.Sleep != nil {
		return r.Sleep(ctx, d)
	}
	return wake.Sleep(ctx, d)
}
