package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/vecctl/vecctl/agent/api/form"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
)

// statusOf is the one place where kinds of error become the API's status codes
// (guide, "HTTP Status Codes").
func statusOf(kind fault.Kind) int {
	switch kind {
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.Illegal:
		return http.StatusBadRequest
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.Unavailable, fault.Locked:
		return http.StatusServiceUnavailable
	case fault.Full:
		return http.StatusInsufficientStorage
	case fault.Internal, fault.Damaged:
	}
	return http.StatusInternalServerError
}

// statusError is an error with a status that no kind of error has.
type statusError struct {
	status     int
	cause      *fault.Error
	retryAfter time.Duration // when to try again; 0 where that is not known
}

func newStatusError(status int, message string) error {
	kind := fault.Invalid
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		kind = fault.Unavailable
	}
	return &statusError{status: status, cause: fault.New(kind, message)}
}

func (r *statusError) Error() string { return r.cause.Message }

// Unwrap gives it its kind.
func (r *statusError) Unwrap() error { return r.cause }

// errorBody is the API's error body.
type errorBody struct {
	Message  string              `json:"message"`
	Required string              `json:"required_permission,omitempty"`
	Errors   map[string][]string `json:"errors,omitempty"`
}

// Fail answers with an error. What is not meant for people goes to the log alone.
func (a *API) Fail(w http.ResponseWriter, r *http.Request, err error) {
	err = bodyError(err)
	status := statusOf(fault.KindOf(err))
	if own, ok := errors.AsType[*statusError](err); ok {
		status = own.status
		if own.retryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(own.retryAfter/time.Second)))
		}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		// The client has gone, or the agent is closing down.
		status, err = http.StatusServiceUnavailable, fault.New(fault.Unavailable, "The request ended early; send it again.")
	}
	message, ok := fault.Message(err)
	if status == http.StatusInternalServerError {
		a.Log.Error("a call failed", "request_id", requestID(r.Context()), "method", truncate(r.Method), "path", adminclient.AuditPath(r), "error", err)
		ok = ok && fault.Is(err, fault.Damaged)
	}
	answer := errorBody{Message: message}
	if !ok {
		answer.Message = "Server error. If it persists, look into the agent's log."
	}
	if missing, ok := errors.AsType[permissionError](err); ok {
		answer.Required = string(missing.required)
	}
	fields := fault.FieldsOf(err)
	for _, f := range fields {
		if answer.Errors == nil {
			answer.Errors = make(map[string][]string, len(fields))
			answer.Message = summary(fields)
		}
		answer.Errors[f.Name] = append(answer.Errors[f.Name], f.Message)
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if status == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Del("Cache-Control")
	if err := writeJSON(w, status, answer); err != nil {
		a.Log.Error("an error could not be answered", "error", err)
	}
}

// summary sums complaints up as Laravel does.
func summary(fields []fault.Field) string {
	switch more := len(fields) - 1; {
	case more == 0:
		return fields[0].Message
	case more == 1:
		return fields[0].Message + " (and 1 more error)"
	default:
		return fmt.Sprintf("%s (and %d more errors)", fields[0].Message, more)
	}
}

// bodyError gives what is wrong with a request's body its status.
func bodyError(err error) error {
	switch {
	case errors.Is(err, form.ErrContentType):
		return newStatusError(http.StatusUnsupportedMediaType,
			"The content type is not understood; send multipart/form-data, application/x-www-form-urlencoded or application/json.")
	case errors.Is(err, form.ErrBodyTooLarge):
		return newStatusError(http.StatusRequestEntityTooLarge, "The request is too large.")
	case errors.Is(err, form.ErrTooSlow):
		return newStatusError(http.StatusRequestTimeout, "The request came too slowly; send it again.")
	case errors.Is(err, form.ErrMalformed):
		return newStatusError(http.StatusBadRequest, "The request's body is malformed or ended early.")
	case errors.Is(err, form.ErrEncoding):
		return newStatusError(http.StatusBadRequest, "The request's body is not valid UTF-8.")
	}
	return err
}
