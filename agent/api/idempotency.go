package api

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// IdempotencyHeader is the header under which a caller names a call that makes
// something, so that it can be sent again without making it twice.
const IdempotencyHeader = "Idempotency-Key"

var idempotencyKeyFormat = regexp.MustCompile(`^[!-~]{1,255}$`)

// idempotentCall is a call that makes something and has its upload slot; without an idempotency key
// its key is empty.
type idempotentCall struct {
	api         *API
	key         apiaccess.IdempotencyKey
	fingerprint string
	release     func() // gives the slot back
}

// beginUpload waits for n upload slots, and notes that the call is
// in flight; end must be called.
func (a *API) beginUpload(r *http.Request, who Caller, n int) (*idempotentCall, error) {
	release, err := a.slots.Acquire(r.Context(), who.institution, who.id(), n)
	if err != nil {
		return nil, err
	}
	k := &idempotentCall{api: a, release: release}
	if err := k.claimKey(r, who); err != nil {
		release()
		return nil, err
	}
	return k, nil
}

// claimKey notes the key that a call was given, where it was given one.
func (k *idempotentCall) claimKey(r *http.Request, who Caller) error {
	given := r.Header.Values(IdempotencyHeader)
	if len(given) == 0 {
		return nil
	}
	if len(given) > 1 || !idempotencyKeyFormat.MatchString(given[0]) {
		return fault.InvalidFields([]fault.Field{{Name: IdempotencyHeader,
			Message: "The Idempotency-Key header must be one key of 1 to 255 printable ASCII characters."}})
	}
	name := apiaccess.IdempotencyKey{Institution: who.institution, Caller: who.id(), Key: given[0]}
	if !k.api.inFlight.Begin(name) {
		return errInFlight()
	}
	k.key = name
	return nil
}

// errInFlight is the answer to a call whose first attempt is not answered yet. Few take
// longer than a second.
func errInFlight() error {
	return &statusError{status: http.StatusConflict, retryAfter: time.Second,
		cause: fault.New(fault.Conflict, "A request with this Idempotency-Key is being processed; wait for its answer.")}
}

func (k *idempotentCall) end() {
	if k.key.Key != "" {
		k.api.inFlight.End(k.key)
	}
	k.release()
}

// replay answers a call that was answered before; done is false for a new one.
// The fingerprint is of what the call says, not of how it was encoded.
func (k *idempotentCall) replay(w http.ResponseWriter, r *http.Request, fields map[string]string) (done bool, err error) {
	if k.key.Key == "" {
		return false, nil
	}
	k.fingerprint = fingerprint(r.URL.Path, fields)
	old, err := k.api.Store.StoredResponse(r.Context(), k.key)
	if fault.Is(err, fault.NotFound) || err == nil && !old.Usable(k.api.Now()) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if old.Fingerprint != k.fingerprint {
		return false, fault.InvalidFields([]fault.Field{{Name: IdempotencyHeader,
			Message: "The Idempotency-Key was used for another request; use a new one for each."}})
	}
	w.Header().Set("Idempotent-Replayed", "true")
	writeRawJSON(w, old.Status, old.Body)
	return true, nil
}

// storedResponse is the answer as it is kept.
func (k *idempotentCall) storedResponse(status int, body []byte) apiaccess.StoredResponse {
	return apiaccess.StoredResponse{IdempotencyKey: k.key, Fingerprint: k.fingerprint, Status: status, Body: body, CreatedAt: k.api.Now()}
}

func fingerprint(path string, fields map[string]string) string {
	h := sha256.New()
	part := func(s string) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s))))
		h.Write([]byte(s))
	}
	part(path)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		part(name)
		part(fields[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}
