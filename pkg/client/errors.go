package client

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Error is an error that the server answered. fault.Is checks its kind; errors.AsType returns
// it with all details.
type Error struct {
	Status     int                 // HTTP status code
	Message    string              // the server's
	Required   string              // the permission that the token lacks; "" unless Status is 403
	Errors     map[string][]string // complaints by field, such as entries.0.file_id
	RequestID  string              // what the server's log knows the call by; "" where it says none
	RetryAfter time.Duration       // how long the server wants to be left alone; 0 where it does not say
	// Repeated is set if an earlier attempt of the same call may have been done: it got no
	// answer, or one that the server failed.
	Repeated bool
	fault    *fault.Error
}

// Error is the message for a person.
func (e *Error) Error() string { return e.fault.Error() }

// Unwrap gives the error its kind and fields.
func (e *Error) Unwrap() error { return e.fault }

// maxRetryAfter is for how long a server may ask to be left alone.
const maxRetryAfter = 24 * time.Hour

// RetryAfter reads how long a server wants to be left alone, 0 where it does not say:
// in seconds, or until a time by its own clock (RFC 9110, section 10.2.3). It is a day
// at most.
func RetryAfter(h http.Header) time.Duration {
	said := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(said); err == nil {
		return time.Duration(min(max(seconds, 0), int(maxRetryAfter/time.Second))) * time.Second
	}
	until, err := http.ParseTime(said)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return min(max(until.Sub(now), 0), maxRetryAfter)
}

// failure makes an error of an answer in the vault's dialect: message, errors.
func failure(resp *http.Response) error {
	var body struct {
		Message  string          `json:"message"`
		Required string          `json:"required_permission"`
		Errors   json.RawMessage `json:"errors"`
	}
	const most = 8 << 20
	raw, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil || json.Unmarshal(raw, &body) != nil || body.Message == "" {
		body.Message = "the vault answered " + resp.Status
	}
	if to, err := resp.Location(); err == nil && resp.StatusCode < http.StatusBadRequest {
		body.Message = fmt.Sprintf("the vault has moved to %s://%s; name that address instead", to.Scheme, to.Host)
	}
	e := &Error{Status: resp.StatusCode, Message: body.Message, Required: body.Required, Errors: errorTexts(body.Errors),
		RequestID: resp.Header.Get("X-Request-ID")}
	e.RetryAfter = RetryAfter(resp.Header)
	if body.Required != "" {
		body.Message += " (required permission: " + body.Required + ")"
	}
	e.fault = fault.New(kindOf(resp.StatusCode), body.Message)
	for _, name := range slices.Sorted(maps.Keys(e.Errors)) {
		for _, m := range e.Errors[name] {
			e.fault.Fields = append(e.fault.Fields, fault.Field{Name: name, Message: m})
		}
	}
	return e
}

func kindOf(status int) fault.Kind {
	switch status {
	case http.StatusBadRequest:
		return fault.Illegal
	case http.StatusUnauthorized:
		return fault.Unauthenticated
	case http.StatusForbidden:
		return fault.Forbidden
	case http.StatusNotFound:
		return fault.NotFound
	case http.StatusConflict:
		return fault.Conflict
	case http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		return fault.Invalid
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
		return fault.Unavailable
	case http.StatusInsufficientStorage:
		return fault.Full
	}
	return fault.Internal
}
