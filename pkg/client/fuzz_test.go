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

// FuzzStream holds that the event stream ends in an error with words, and that a
// message has at most one thing to say.
func FuzzStream(f *testing.F) {
	f.Add("event: notice\nid: 7\ndata: {\"message\":\"x\"}\n\n")
	f.Add(": still there\n\nevent: snapshot\r\ndata: {}\r\n\r\n")
	f.Add("event: batch\ndata: {\"id\":\ndata: \"x\"}\n\nevent: certificate\ndata: []\n\n")
	f.Add("data\n\n\nevent:\ndata: 1\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		err := readStream(strings.NewReader(text), func(m Message) error {
			said := 0
			for _, there := range []bool{m.Snapshot != nil, m.Certificate != nil, m.Batch != nil, m.Notice != nil} {
				if there {
					said++
				}
			}
			if said > 1 {
				t.Errorf("%q: %+v says %d things", text, m, said)
			}
			return nil
		})
		if message, ok := fault.Message(err); !ok || message == "" {
			t.Errorf("%q ends with %v", text, err)
		}
	})
}
