package api

import (
	"cmp"
	"net/http"
	"strconv"
	"time"
)

// Limits are what clients may ask for; zero values are the defaults.
type Limits struct {
	// PerMinute is how many calls a token may make in a minute; 0 is any number.
	PerMinute int
	// Uploads is how many requests may be handing in documents at once.
	Uploads int
}

// defaultUploads at once stay far under the memory that a small machine has.
const defaultUploads = 64

func (l Limits) orDefault() Limits {
	l.Uploads = cmp.Or(l.Uploads, defaultUploads)
	return l
}

// admit counts a call of a token and refuses it when the limit is reached.
func (a *API) admit(w http.ResponseWriter, who Caller) error {
	most := a.Limits.PerMinute
	if most <= 0 || who.token == nil {
		return nil
	}
	now := a.Now()
	count, next := a.rates.Count(who.token.ID, now)
	reset := strconv.Itoa(int(next.Sub(now)/time.Second) + 1)
	w.Header().Set("RateLimit-Limit", strconv.Itoa(most))
	w.Header().Set("RateLimit-Remaining", strconv.Itoa(max(most-count, 0)))
	w.Header().Set("RateLimit-Reset", reset)
	if count <= most {
		return nil
	}
	w.Header().Set("Retry-After", reset)
	return refuse(http.StatusTooManyRequests, "Too Many Attempts.")
}
