package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
)

// What a server answers becomes an error of a kind, with what it says to people.
func TestErrorsHaveTheirKinds(t *testing.T) {
	for _, test := range []struct {
		status int
		body   string
		kind   fault.Kind
		says   string
	}{
		{400, `{"message":"not failed"}`, fault.Illegal, "not failed"},
		{401, `{"message":"Unauthorized - Invalid API token"}`, fault.Unauthenticated, "Invalid API token"},
		{403, `{"message":"Forbidden","required_permission":"certificate-vault:list"}`, fault.Forbidden, "certificate-vault:list"},
		{404, `{"message":"Certificate not found."}`, fault.NotFound, "Certificate not found."},
		{409, `{"message":"twice"}`, fault.Conflict, "twice"},
		{413, `{"message":"too large"}`, fault.Invalid, "too large"},
		{415, `{"message":"kind"}`, fault.Invalid, "kind"},
		{422, `{"message":"Bad.","errors":{"status":["The selected status is invalid."]}}`, fault.Invalid, "Bad."},
		{429, `{"message":"slowly"}`, fault.Unavailable, "slowly"},
		{500, `oops`, fault.Internal, "500"},
		{500, `{"message":""}`, fault.Internal, "500"},
		{502, `<html>`, fault.Unavailable, "502"},
		{503, `{"message":"later"}`, fault.Unavailable, "later"},
		{507, `{"message":"the disk is full"}`, fault.Full, "disk is full"},
		{302, ``, fault.Internal, "302"},
	} {
		t.Run(fmt.Sprintf("%d %s", test.status, test.body), func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if got := r.Header.Get("Authorization"); got != "Bearer secret" {
					t.Errorf("authorization %q", got)
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}))
			defer server.Close()
			c, err := client.New(server.URL+"/", "secret", http.DefaultTransport)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Certificate(t.Context(), "a/b c")
			message, _ := fault.Message(err)
			if !fault.Is(err, test.kind) || !strings.Contains(message, test.says) {
				t.Errorf("got %v (%s), want %v with %q", err, fault.KindOf(err), test.kind, test.says)
			}
			if strings.Contains(message, "secret") {
				t.Error("the token is in the message")
			}
			if fields := fault.FieldsOf(err); test.status == 422 && (len(fields) != 1 || fields[0].Name != "status") {
				t.Errorf("fields %v", fields)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	c, err := client.New("http://127.0.0.1:1", "", http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Templates(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Templates(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that was given up: %v", err)
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	for _, address := range []string{"", "nonsense", "ftp://x", "http://", "/path", "http://a b", "localhost:7780", "http://[::1"} {
		if _, err := client.New(address, "", nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestADownloadThatBreaksOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
	}))
	defer server.Close()
	c, err := client.New(server.URL, "", http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if _, err := c.Download(t.Context(), "x", &got); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %q, %v", got.String(), err)
	}
}

// A certificate that was given no document is refused before anything is sent.
func TestNoDocument(t *testing.T) {
	c, err := client.New("http://127.0.0.1:1", "secret", http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	_, one := c.Upload(t.Context(), client.NewCertificate{Content: client.Content{Title: "Diploma"}}, nil)
	_, file := c.UploadFile(t.Context(), client.Document{Name: "diploma.pdf"}, "", nil)
	for _, err := range []error{one, file} {
		if message, _ := fault.Message(err); !fault.Is(err, fault.Invalid) || !strings.Contains(message, "no document") {
			t.Errorf("%v", err)
		}
	}
}
