package api

import (
	"errors"
	"net/http"

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

// problem is the API's error body.
type problem struct {
	Message  string              `json:"message"`
	Required string              `json:"required_permission,omitempty"`
	Errors   map[string][]string `json:"errors,omitempty"`
}

// Fail answers with an error. What is not meant for people goes to the log alone.
func (a *API) Fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // nobody is there to read it
	}
	status := statusOf(fault.KindOf(err))
	body := problem{}
	message, ok := fault.Message(err)
	if status == http.StatusInternalServerError {
		a.Log.Error("a call failed", "method", r.Method, "path", r.URL.Path, "error", err)
		ok = ok && fault.Is(err, fault.Damaged)
	}
	if body.Message = message; !ok {
		body.Message = "Server error. If it persists, look into the agent's log."
	}
	if missing, ok := errors.AsType[forbidden](err); ok {
		body.Required = string(missing.required)
	}
	for _, f := range fault.FieldsOf(err) {
		if body.Errors == nil {
			body.Errors = map[string][]string{}
		}
		body.Errors[f.Name] = append(body.Errors[f.Name], f.Message)
	}
	if err := respond(w, status, body); err != nil {
		a.Log.Error("an error could not be answered", "error", err)
	}
}
