package webhook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"unicode/utf8"
)

// MaxBody is how long a delivery's body may be, in bytes.
const MaxBody = 1 << 20

// Delivery is a delivery whose signature was found good.
type Delivery struct {
	Payload Payload
	Header  http.Header
	Body    []byte // as it came
}

// Identity is the same for every attempt at one delivery, and for no other
// delivery: the delivery's ID where the sender gives one, else a hash of the
// body. It names a delivery; to know one again, remember all of Identities.
func (d Delivery) Identity() string { return d.Identities()[0] }

// Identities are all that a delivery can be known by, Identity first: the ID in its body, that
// in its headers where a signature covers it, and a hash of its body. A receiver that has
// seen one of them before has nothing more to do. One who plays a delivery again
// can leave out headers, so that remembering one identity is not enough. X-Webhook-ID is
// none: it names the endpoint, and nobody signs it.
func (d Delivery) Identities() []string {
	var all []string
	add := func(id string) {
		if id != "" && !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	add(d.Payload.DeliveryID)
	// Signed only together with its own signature; else anyone may have put it there.
	if d.Header.Get(HeaderStandardSignature) != "" {
		add(d.Header.Get(HeaderStandardID))
	}
	hash := sha256.Sum256(d.Body)
	add("sha256:" + hex.EncodeToString(hash[:]))
	return all
}

// ErrTooOld is what a receiver says of a delivery that is older than what it remembers, so
// that it cannot know whether it has seen it.
var ErrTooOld = errors.New("webhook: the delivery is older than what the receiver remembers")

// Handler answers deliveries: 401 where the signature does not fit, 400 where the
// body is no JSON object with an event's name, 405 and 413 as they say. What passes is
// passed to take; its error is answered with 503, so that the sender tries again, or 400 where
// it is ErrTooOld, and nil with 204. Take should do no more than keep the delivery: a sender waits 10
// seconds at most.
func Handler(v Verifier, take func(context.Context, Delivery) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			writeError(w, http.StatusMethodNotAllowed, "Deliveries come by POST.")
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
		if _, long := errors.AsType[*http.MaxBytesError](err); long {
			writeError(w, http.StatusRequestEntityTooLarge, "The body is too long.")
			return
		}
		if err != nil {
			return // the sender has gone
		}
		if v.Verify(r.Header, body) != nil {
			writeError(w, http.StatusUnauthorized, "Invalid signature")
			return
		}
		d := Delivery{Header: r.Header, Body: body}
		if d.Payload, err = Parse(body); err != nil {
			writeError(w, http.StatusBadRequest, "The body is not understood.")
			return
		}
		err = take(r.Context(), d)
		switch {
		case errors.Is(err, ErrTooOld):
			writeError(w, http.StatusBadRequest, "The delivery is older than what the receiver remembers.")
			return
		case err != nil:
			writeError(w, http.StatusServiceUnavailable, "The delivery cannot be kept now.")
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// Parse reads a body that was verified. Fields that it does not know are passed
// over, and those that are missing stay empty; without an event's name it is none.
func Parse(body []byte) (Payload, error) {
	var p Payload
	if !utf8.Valid(body) {
		return p, errors.New("webhook: the body is not UTF-8")
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return Payload{}, errors.New("webhook: the body is not the JSON of an event")
	}
	if p.Event == "" || len(p.Event) > 255 {
		return Payload{}, errors.New("webhook: the body names no event")
	}
	return p, nil
}

func writeError(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A caller that has gone does not read it.
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}
