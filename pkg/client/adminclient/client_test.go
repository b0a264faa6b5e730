package adminclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
)

func inProcess(t *testing.T, h http.HandlerFunc) *adminclient.Client {
	t.Helper()
	c, err := adminclient.New("http://vecctl.test", client.InProcess(h))
	if err != nil {
		t.Fatal(err)
	}
	return c
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
			report, err := c.Bulk(t.Context(), adminclient.BulkRequest{}, func(client.Progress) { told++ })
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
	_, err := c.Bulk(ctx, adminclient.BulkRequest{}, func(client.Progress) { cancel() })
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
		p := adminclient.NewProblem(test.err)
		if p.Kind != test.kind.String() || !strings.Contains(p.Message, test.says) || strings.Contains(p.Message, "secret") || strings.Contains(p.Message, "page 7") {
			t.Errorf("%v becomes %+v", test.err, p)
		}
	}
}
