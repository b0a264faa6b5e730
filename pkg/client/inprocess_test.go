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
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
)

func inProcess(t *testing.T, h http.HandlerFunc) *client.Client {
	t.Helper()
	c, err := client.New("http://vecctl.test", "secret", client.InProcess(h))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// An answer is handed over while it is written: the reader has its beginning
// before the handler goes on.
func TestAnAnswerIsStreamed(t *testing.T) {
	read := make(chan struct{})
	transport := client.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Kind", "stream")
		w.WriteHeader(http.StatusAccepted)
		w.Header().Set("X-Kind", "changed too late")
		_, _ = io.WriteString(w, "first ")
		select {
		case <-read:
			_, _ = io.WriteString(w, "second")
		case <-r.Context().Done():
		}
	}))
	resp, err := transport.RoundTrip(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://x/y?a=b", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted || resp.Header.Get("X-Kind") != "stream" {
		t.Errorf("status %d, header %v", resp.StatusCode, resp.Header)
	}
	first := make([]byte, len("first "))
	if _, err := io.ReadFull(resp.Body, first); err != nil {
		t.Fatal(err)
	}
	close(read)
	rest, err := io.ReadAll(resp.Body)
	if string(first)+string(rest) != "first second" || err != nil {
		t.Errorf("got %q, %v", string(first)+string(rest), err)
	}
}

// The caller's end ends the handler's context, before and after the answer has
// begun, and the caller does not wait for a handler that has not begun to answer.
func TestTheCallersEndReachesTheHandler(t *testing.T) {
	for _, answered := range []bool{false, true} {
		t.Run(fmt.Sprintf("answered %v", answered), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			begun, ended := make(chan struct{}), make(chan struct{})
			c := inProcess(t, func(w http.ResponseWriter, r *http.Request) {
				defer close(ended)
				if answered {
					_, _ = io.WriteString(w, "{")
				}
				close(begun)
				<-r.Context().Done()
			})
			go func() {
				<-begun
				cancel()
			}()
			if _, err := c.AgentStatus(ctx); err == nil {
				t.Error("a call that was given up succeeded")
			}
			<-ended
		})
	}
}

func TestAHandlerThatPanics(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"before the answer": func(http.ResponseWriter, *http.Request) { panic("broken") },
		"within the answer": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"home": `)
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := inProcess(t, handler)
			if _, err := c.AgentStatus(t.Context()); err == nil {
				t.Error("half an answer was taken for one")
			}
			if n, err := c.Download(t.Context(), "x", io.Discard); err == nil {
				t.Errorf("a download that broke off after %d bytes was taken for whole", n)
			}
		})
	}
}

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
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c, err := client.New(server.URL, "", http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.AgentStatus(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.AgentStatus(ended); !errors.Is(err, context.Canceled) {
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

// A bulk call tells progress as it comes, then the report or the error.
func TestBulk(t *testing.T) {
	const progress = `{"progress":{"stage":"checking","done":1,"total":2}}` + "\n"
	for _, test := range []struct {
		name, lines string
		kind        fault.Kind
		ok          bool
	}{
		{"report", progress + `{"report":{"batch_id":"b","total":2,"issued":2}}`, 0, true},
		{"error", progress + `{"error":{"kind":"full","message":"the disk is full"}}`, fault.Full, false},
		{"unknown kind", `{"error":{"kind":"strange","message":"x"}}`, fault.Internal, false},
		{"broken off", progress, fault.Unavailable, false},
		{"no JSON", progress + "<html>", fault.Unavailable, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := inProcess(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, test.lines) })
			told := 0
			report, err := c.Bulk(t.Context(), client.BulkRequest{}, func(client.Progress) { told++ })
			switch {
			case test.ok && (err != nil || report.Issued != 2 || told != 1):
				t.Errorf("report %+v, told %d, %v", report, told, err)
			case !test.ok && !fault.Is(err, test.kind):
				t.Errorf("got %v, want %v", err, test.kind)
			}
		})
	}
}

// An agent that stops because its caller does says so with an error; to the
// caller it is the caller's own end.
func TestABulkCallThatIsGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := inProcess(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"progress":{"stage":"issuing","done":1,"total":2}}`+"\n")
		<-r.Context().Done()
		_, _ = io.WriteString(w, `{"error":{"kind":"internal","message":"context canceled"}}`+"\n")
	})
	timeout := time.AfterFunc(10*time.Second, cancel)
	defer timeout.Stop()
	_, err := c.Bulk(ctx, client.BulkRequest{}, func(client.Progress) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// What an error becomes on its way to staff: nothing internal, and a word about
// what to do when the agent is stopped.
func TestProblems(t *testing.T) {
	for _, test := range []struct {
		err  error
		kind fault.Kind
		says string
	}{
		{fault.New(fault.Full, "the disk is full"), fault.Full, "the disk is full"},
		{fmt.Errorf("issuing: %w", context.Canceled), fault.Unavailable, "run the same command again"},
		{errors.New("open /secret/path: no"), fault.Internal, "internal error"},
		{fault.Wrap(fault.Damaged, errors.New("page 7"), "the database is damaged"), fault.Damaged, "the database is damaged"},
	} {
		p := client.NewProblem(test.err)
		if p.Kind != test.kind.String() || !strings.Contains(p.Message, test.says) || strings.Contains(p.Message, "secret") || strings.Contains(p.Message, "page 7") {
			t.Errorf("%v becomes %+v", test.err, p)
		}
	}
}
