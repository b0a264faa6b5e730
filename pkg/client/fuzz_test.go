package client

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// FuzzFailure holds that an answer that is no success becomes an error with words,
// whatever the server says.
func FuzzFailure(f *testing.F) {
	f.Add(422, `{"message":"The given data was invalid.","errors":{"entries.0.file_id":["It is missing."]}}`, "")
	f.Add(403, `{"message":"Forbidden - Insufficient permissions","required_permission":"certificate-vault:create"}`, "x")
	f.Add(429, `<html>`, "30")
	f.Add(503, `{"message":null,"errors":[]}`, "9223372036854775807")
	f.Add(0, ``, "-1")
	f.Fuzz(func(t *testing.T, status int, body, after string) {
		err := failure(&http.Response{Status: "x", StatusCode: status, Body: io.NopCloser(strings.NewReader(body)),
			Header: http.Header{"Retry-After": {after}}})
		message, ok := fault.Message(err)
		if !ok || message == "" || err.Error() == "" {
			t.Errorf("nobody is told what is wrong: %v", err)
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Status != status || e.Message == "" {
			t.Fatalf("%#v", err)
		}
		if e.RetryAfter < 0 || e.RetryAfter > 24*time.Hour {
			t.Errorf("%q: wait for %v", after, e.RetryAfter)
		}
		for _, field := range fault.FieldsOf(err) {
			if len(e.Errors[field.Name]) == 0 {
				t.Errorf("%+v is nothing that the server says", field)
			}
		}
	})
}
