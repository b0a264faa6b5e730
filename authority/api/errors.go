package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/pkg/fault"
)

// statusOf is the one place where codes become statuses (contract, "Error Codes").
func statusOf(code authority.Code) int {
	switch code {
	case authority.InvalidDomain, authority.CannotRenew, authority.SDKOutdated, authority.InvalidRequest, authority.NotQualified:
		return http.StatusBadRequest
	case authority.Unauthorized:
		return http.StatusUnauthorized
	case authority.Forbidden:
		return http.StatusForbidden
	case authority.NotFound:
		return http.StatusNotFound
	case authority.AlreadyCertified:
		return http.StatusConflict
	case authority.RateLimited:
		return http.StatusTooManyRequests
	case authority.ServerError:
	}
	return http.StatusInternalServerError
}

// errorBody is the contract's error body.
type errorBody struct {
	Error   bool           `json:"error"`
	Code    authority.Code `json:"error_code"`
	Message string         `json:"message"`
}

// statusError is a refusal with a status that its code does not have.
type statusError struct {
	*authority.ContractError
	status int
}

// Unwrap is the refusal.
func (s statusError) Unwrap() error { return s.ContractError }

// Fail answers with an error. What is not meant for stores goes to the log alone.
func (d *Handler) Fail(w http.ResponseWriter, r *http.Request, err error) {
	answer, status := d.toError(r, err)
	if err := respond(w, status, answer); err != nil {
		d.log.Error("an error of the authority could not be answered", "error", err)
	}
}

func (d *Handler) toError(r *http.Request, err error) (errorBody, int) {
	if refusal, ok := errors.AsType[*authority.ContractError](err); ok {
		status := statusOf(refusal.Code)
		if own, ok := errors.AsType[statusError](err); ok {
			status = own.status
		}
		return errorBody{true, refusal.Code, refusal.Error()}, status
	}
	if message, ok := fault.Message(err); ok && fault.Is(err, fault.Forbidden) {
		return errorBody{true, authority.Forbidden, message}, http.StatusForbidden
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		// The client has gone, or the agent is closing down.
		return errorBody{true, authority.ServerError, "The request ended early; send it again"}, http.StatusServiceUnavailable
	}
	d.log.Error("a call of the authority failed", "method", r.Method, "path", r.URL.Path, "error", err)
	return errorBody{true, authority.ServerError, "Internal server error"}, http.StatusInternalServerError
}

// headers are those of every answer; net/http only reads them.
var headers = http.Header{
	"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"},
}

func respond(w http.ResponseWriter, status int, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encoding an answer: %w", err)
	}
	maps.Copy(w.Header(), headers)
	w.WriteHeader(status)
	_, _ = w.Write(raw) // a client that has gone needs no answer
	return nil
}
