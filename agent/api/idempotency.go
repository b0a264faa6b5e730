package api

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"net/http"
	"regexp"
	"slices"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// IdempotencyKey is the header under which a caller names a call that makes
// something, so that it can be sent again without making it twice.
const IdempotencyKey = "Idempotency-Key"

var saneKey = regexp.MustCompile(`^[!-~]{1,255}$`)

// keyed is a call that makes something and has its turn to; without a key its name is
// empty.
type keyed struct {
	api         *API
	name        apiaccess.IdempotencyKey
	fingerprint string
	release     func() // gives the turn back
}

// begin waits for a caller's turn to hand documents in, and notes that the call is
// under way; end must be called.
func (a *API) begin(r *http.Request, who Caller) (*keyed, error) {
	release, err := a.slots.Take(r.Context(), who.institution)
	if err != nil {
		return nil, err
	}
	k := &keyed{api: a, release: release}
	if err := k.named(r, who); err != nil {
		release()
		return nil, err
	}
	return k, nil
}

// named notes the key that a call was given, where it was given one.
func (k *keyed) named(r *http.Request, who Caller) error {
	given := r.Header.Values(IdempotencyKey)
	if len(given) == 0 {
		return nil
	}
	if len(given) > 1 || !saneKey.MatchString(given[0]) {
		return fault.InvalidFields([]fault.Field{{Name: IdempotencyKey,
			Message: "The Idempotency-Key header must be one key of 1 to 255 printable ASCII characters."}})
	}
	name := apiaccess.IdempotencyKey{Institution: who.institution, Caller: who.name(), Key: given[0]}
	if !k.api.flights.Begin(name) {
		return fault.New(fault.Conflict, "A request with this Idempotency-Key is being processed; wait for its answer.")
	}
	k.name = name
	return nil
}

func (k *keyed) end() {
	if k.name.Key != "" {
		k.api.flights.End(k.name)
	}
	k.release()
}

// replay answers a call that was answered before; done is false for a new one.
// The fingerprint is of what the call says, not of how it was encoded.
func (k *keyed) replay(w http.ResponseWriter, r *http.Request, said map[string]string) (done bool, err error) {
	if k.name.Key == "" {
		return false, nil
	}
	k.fingerprint = fingerprint(r.URL.Path, said)
	old, err := k.api.Vault.StoredResponse(r.Context(), k.name)
	if fault.Is(err, fault.NotFound) || err == nil && !old.Usable(k.api.Now()) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if old.Fingerprint != k.fingerprint {
		return false, fault.InvalidFields([]fault.Field{{Name: IdempotencyKey,
			Message: "The Idempotency-Key was used for another request; use a new one for each."}})
	}
	w.Header().Set("Idempotent-Replayed", "true")
	respondRaw(w, old.Status, old.Body)
	return true, nil
}

// reply is the answer as it is kept.
func (k *keyed) reply(status int, body []byte) apiaccess.StoredResponse {
	return apiaccess.StoredResponse{IdempotencyKey: k.name, Fingerprint: k.fingerprint, Status: status, Body: body, CreatedAt: k.api.Now()}
}

func fingerprint(path string, said map[string]string) string {
	h := sha256.New()
	part := func(s string) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s))))
		h.Write([]byte(s))
	}
	part(path)
	for _, name := range slices.Sorted(maps.Keys(said)) {
		part(name)
		part(said[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}
