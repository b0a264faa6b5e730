package apiaccess

import "time"

// StoredResponseTTL is how long the answer to a call with an idempotency key is kept.
const StoredResponseTTL = 24 * time.Hour

// IdempotencyKey is what a kept answer is found by: who called, and the key that the
// caller gave the call.
type IdempotencyKey struct {
	Institution uint32 `json:"institution"`
	Caller      string `json:"caller"` // a token's ID, or a word for staff
	Key         string `json:"key"`
}

// StoredResponse is the answer to a call that made something, kept with what it made, so
// that the same call made again gets the same answer and makes nothing.
type StoredResponse struct {
	IdempotencyKey
	Fingerprint string    `json:"fingerprint"` // of the call; another one under the same key is a mistake
	Status      int       `json:"status"`
	Body        []byte    `json:"body"`
	CreatedAt   time.Time `json:"created_at"`
}

// Usable reports whether the answer still stands.
func (r StoredResponse) Usable(now time.Time) bool {
	return now.Before(r.CreatedAt.Add(StoredResponseTTL))
}
