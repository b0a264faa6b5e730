package remotebulk_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/clienttest"
	"github.com/vecctl/vecctl/pkg/client/remotebulk"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// sender sends rows to a vault for tests. Its clock moves when it sleeps.
type sender struct {
	testing.TB
	server *clienttest.Server
	notes  string
	now    time.Time
	slept  time.Duration
	wait   time.Duration
	noWait bool
	fresh  bool
	per    int
	batch  string
	// transport reaches the vault; nil is the server's own, which waits for ever.
	transport http.RoundTripper
}

func newSender(t testing.TB, s *clienttest.Server) *sender {
	return &sender{TB: t, server: s, notes: filepath.Join(t.TempDir(), "notes.jsonl"), now: time.Date(2026, 6, 4, 10, 0, 0, 0, time.UTC), wait: time.Minute}
}

// forget loses the notes.
func (s *sender) forget() { s.notes = filepath.Join(s.TempDir(), "notes.jsonl") }

func (s *sender) sleep(ctx context.Context, d time.Duration) error {
	s.now, s.slept = s.now.Add(d), s.slept+d
	return ctx.Err()
}

func (s *sender) clock() time.Time { return s.now }

// client returns a client of the vault that tries again.
func (s *sender) client() *client.Client {
	s.Helper()
	transport := s.transport
	if transport == nil {
		transport = s.server.Client().Transport
	}
	c, err := client.New(s.server.URL, clienttest.Token, transport)
	if err != nil {
		s.Fatal(err)
	}
	return c.WithRetries(client.RetryPolicy{Attempts: 4, First: time.Second, Max: 4 * time.Second, Sleep: s.sleep})
}

func people(n int) (all []client.Content) {
	for i := range n {
		all = append(all, client.Content{Title: "Diploma", Name: fmt.Sprintf("Person %d", i), Email: fmt.Sprintf("p%d@example.com", i), IssueDate: "2026-06-01"})
	}
	return all
}

func itemsOf(all []client.Content) (items []remotebulk.Item) {
	for i, c := range all {
		text := "%PDF-1.7 " + c.Email
		sum := sha256.Sum256([]byte(text))
		items = append(items, remotebulk.Item{Number: i + 1, SHA256: hex.EncodeToString(sum[:]), Certificate: client.NewCertificate{Content: c,
			File: client.Document{Name: "a.pdf", Size: int64(len(text)), Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}}})
	}
	return items
}

func (s *sender) run(rows []client.Content) ([]remotebulk.Outcome, error) {
	s.Helper()
	journal, err := remotebulk.OpenJournal(s.notes, "2026-06-04")
	if err != nil {
		s.Fatal(err)
	}
	defer journal.Close()
	u := remotebulk.Uploader{Client: s.client(),
		Journal: journal, Name: "batch", PerCall: s.per, Wait: s.wait, NoWait: s.noWait, Fresh: s.fresh,
		Now: s.clock, Sleep: s.sleep, Progress: func(client.Progress) {}}
	outcomes, batch, err := u.Run(s.Context(), itemsOf(rows))
	s.batch = batch
	return outcomes, err
}

// want runs and wants each row's status, the same for all where one is given.
func (s *sender) want(what string, rows []client.Content, statuses ...client.RowStatus) []remotebulk.Outcome {
	s.Helper()
	outcomes, err := s.run(rows)
	if err != nil {
		s.Fatalf("%s: %v", what, err)
	}
	for i, o := range outcomes {
		want := statuses[min(i, len(statuses)-1)]
		if o.Status != want {
			s.Errorf("%s: row %d is %s (%s), want %s", what, i+1, o.Status, o.Error, want)
		}
		if (o.Status == client.RowIssued || o.Status == client.RowUnchanged) && (o.Certificate == nil || o.Certificate.Email != rows[i].Email || o.Certificate.ReferenceID == "") {
			s.Errorf("%s: row %d has certificate %+v", what, i+1, o.Certificate)
		}
	}
	return outcomes
}

// once wants that every row was issued once, and nothing else but some others.
func (s *sender) once(rows []client.Content, others int) {
	s.Helper()
	issued := map[vault.Key]int{}
	all := s.server.Issued()
	for _, c := range all {
		issued[c.Key()]++
	}
	for _, r := range rows {
		if n := issued[r.Vault().Key()]; n != 1 {
			s.Errorf("%s was issued %d times", r.Email, n)
		}
	}
	if len(all) != len(rows)+others {
		s.Errorf("%d certificates, want %d", len(all), len(rows)+others)
	}
}

var dialects = map[string]func(testing.TB) *clienttest.Server{"guide": clienttest.Guide, "reference": clienttest.Reference}

// eachDialect runs a test against a vault of each dialect.
func eachDialect(t *testing.T, test func(t *testing.T, s *sender)) {
	t.Helper()
	t.Parallel()
	for name, vaultOf := range dialects {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newSender(t, vaultOf(t)))
		})
	}
}

// TestAnswersLost has rows come right whatever the vault does with its answers: each is
// issued once, is found in the list, and is unchanged in the next run.
func TestAnswersLost(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]clienttest.Faults{
		"nothing":                          {},
		"the answer is lost":               {LoseBulk: 1},
		"one duplicate for each refusal":   {LoseBulk: 1, OneDuplicate: true},
		"duplicates without names":         {LoseBulk: 1, BareDuplicate: true},
		"errors as a text":                 {LoseBulk: 1, StringErrors: true},
		"a 500 after the commit":           {LoseBulk: 1, LoseWith: 500},
		"a lost answer and a lagging list": {LoseBulk: 1, OneDuplicate: true, HideFor: 6},
		"lost and lagging, without names":  {LoseBulk: 2, BareDuplicate: true, HideFor: 9, ProcessFor: 3},
		"all answers are lost":             {LoseBulk: 9},
		"it takes a while":                 {HideFor: 8, ProcessFor: 5},
		"no batch":                         {NoBatch: true},
		"no dates":                         {NoDates: true},
		"dates":                            {Dates: true},
		"plain lists":                      {PlainLists: true, ProcessFor: 2},
		"oldest first":                     {OldestFirst: true, HideFor: 3},
		"files are lost":                   {LoseFiles: 1},
		"files are lost twice":             {LoseFiles: 2, StringErrors: true},
		"busy":                             {Busy: 3},
		"busy for a while":                 {Busy: 2, RetryAfter: "7"},
		"broken":                           {Broken: 3},
		"pages break off":                  {CutLists: 2},
		"lists change":                     {InsertWhileReading: true, ProcessFor: 3},
	} {
		for dialect, vaultOf := range dialects {
			t.Run(name+", "+dialect, func(t *testing.T) {
				t.Parallel()
				s := newSender(t, vaultOf(t))
				s.per = 20
				s.server.Set(f)
				rows := people(18)
				s.want("the first run", rows, client.RowIssued)
				if (s.batch == "") != (f.NoBatch || f.LoseBulk > 0) {
					t.Errorf("the batch is %q", s.batch)
				}
				s.want("the next run", rows, client.RowUnchanged)
				s.forget()
				s.want("without notes", rows, client.RowUnchanged)
				s.once(rows, 0)
			})
		}
	}
}

// TestRest issues what is missing of a batch of which the vault has a part.
func TestRest(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]clienttest.Faults{
		"all duplicates are named": {}, "one is": {OneDuplicate: true}, "none is": {BareDuplicate: true}, "the answer is lost too": {LoseBulk: 1, OneDuplicate: true},
	} {
		for dialect, vaultOf := range dialects {
			t.Run(name+", "+dialect, func(t *testing.T) {
				t.Parallel()
				s := newSender(t, vaultOf(t))
				s.server.Set(f)
				rows := people(30)
				var statuses []client.RowStatus
				for i, r := range rows {
					if i%7 == 3 {
						s.server.Issue(r.Vault())
						statuses = append(statuses, client.RowUnchanged)
					} else {
						statuses = append(statuses, client.RowIssued)
					}
				}
				s.want("a run", rows, statuses...)
				s.once(rows, 0)
			})
		}
	}
}

// TestLaterDate issues the same title to the same people on another day, also where the vault
// does not say on which day it issued what.
func TestLaterDate(t *testing.T) {
	eachDialect(t, func(t *testing.T, s *sender) {
		s.server.Set(clienttest.Faults{NoDates: true, ProcessFor: 2})
		first := people(5)
		s.want("the first day", first, client.RowIssued)
		second := people(5)
		for i := range second {
			second[i].IssueDate = "2026-07-01"
		}
		s.forget()
		outcomes := s.want("the second day", second, client.RowIssued)
		references := map[string]bool{}
		for i, o := range outcomes {
			if o.Certificate.ReferenceID != s.server.Reference(second[i].Email) {
				t.Errorf("row %d is %s", i+1, o.Certificate.ReferenceID)
			}
			references[o.Certificate.UUID] = true
		}
		// Both days in one manifest, and a third.
		both := append(append([]client.Content{}, first...), second...)
		both = append(both, client.Content{Title: "Diploma", Name: "Person 0", Email: "p0@example.com", IssueDate: "2026-08-01"})
		s.forget()
		outcomes, err := s.run(both)
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range outcomes[:10] {
			// They exist, and the vault does not say which is which.
			if o.Status != client.RowFailed || !strings.Contains(o.Error, "may be any of") {
				t.Errorf("row %d is %s: %s", i+1, o.Status, o.Error)
			}
		}
		if o := outcomes[10]; o.Status != client.RowIssued || o.Certificate.ReferenceID != s.server.Reference("p0@example.com") {
			t.Errorf("the third day: %+v", o)
		}
		s.once(both, 0)
	})
}

// TestDatesOfOnePerson issues several certificates that differ in their dates alone.
func TestDatesOfOnePerson(t *testing.T) {
	eachDialect(t, func(t *testing.T, s *sender) {
		s.server.Set(clienttest.Faults{NoDates: true, HideFor: 4, ProcessFor: 2})
		var rows []client.Content
		for i := range 4 {
			rows = append(rows, client.Content{Title: "Course", Name: "Ann", Email: "ann@example.com", IssueDate: fmt.Sprintf("2026-06-0%d", i+1)})
		}
		seen := map[string]bool{}
		for i, o := range s.want("a run", rows, client.RowIssued) {
			if seen[o.Certificate.UUID] {
				t.Errorf("row %d has another row's certificate", i+1)
			}
			seen[o.Certificate.UUID] = true
		}
		s.want("the next run", rows, client.RowUnchanged)
		s.once(rows, 0)
	})
}

// TestNeverListed says of rows that the vault accepted and does not list that they are being
// processed, in this run and the next, and sends them again after a day.
func TestNeverListed(t *testing.T) {
	eachDialect(t, func(t *testing.T, s *sender) {
		rows := people(3)
		s.server.Set(clienttest.Faults{HideFor: 1 << 30})
		for _, what := range []string{"the first run", "the next run"} {
			s.slept = 0
			for i, o := range s.want(what, rows, client.RowProcessing) {
				if !strings.Contains(o.Error, "does not list it yet") {
					t.Errorf("row %d: %q", i+1, o.Error)
				}
			}
			if s.slept < s.wait || s.slept > s.wait+10*time.Second {
				t.Errorf("%s waited for %v, want %v", what, s.slept, s.wait)
			}
		}
		s.server.Finish()
		s.want("when they appear", rows, client.RowUnchanged)
		s.once(rows, 0)
	})
}

// TestStillProcessing says so of certificates that are not finished in time, and follows the
// others to their end.
func TestStillProcessing(t *testing.T) {
	eachDialect(t, func(t *testing.T, s *sender) {
		rows := people(3)
		s.server.Set(clienttest.Faults{ProcessFor: 1 << 30, FailFor: rows[1].Email})
		s.want("the first run", rows, client.RowProcessing)
		s.server.Finish()
		outcomes := s.want("when they are finished", rows, client.RowUnchanged, client.RowFailed, client.RowUnchanged)
		if outcomes[1].Error == "" {
			t.Error("the failed row has no reason")
		}
	})
}

// TestNoWait returns when the rows are accepted.
func TestNoWait(t *testing.T) {
	eachDialect(t, func(t *testing.T, s *sender) {
		rows := people(3)
		s.noWait = true
		s.server.Set(clienttest.Faults{HideFor: 100})
		if s.want("a run", rows, client.RowProcessing); s.slept != 0 {
			t.Errorf("it waited for %v", s.slept)
		}
	})
}

// TestNoAnswer ends when the vault does not answer any more, and goes on in the next run.
func TestNoAnswer(t *testing.T) {
	eachDialect(t, func(t *testing.T, s *sender) {
		rows := people(6)
		s.per = 2
		const bulk = "POST /business/certificate-vault/bulk"
		s.server.Set(clienttest.Faults{On: bulk, Broken: 1 << 30})
		if _, err := s.run(rows); err == nil || fault.Is(err, fault.Invalid) {
			t.Errorf("no call is answered: %v", err)
		}
		s.server.Set(clienttest.Faults{})
		if n := len(s.server.Issued()); n != 0 {
			t.Fatalf("%d certificates", n)
		}
		s.want("the next run", rows, client.RowIssued)
		// Some are accepted, then the vault breaks down.
		more := append(people(6), client.Content{Title: "More", Name: "Zoë", Email: "z@example.com", IssueDate: "2026-06-01"})
		s.server.Set(clienttest.Faults{On: bulk, Broken: 1 << 30})
		outcomes := s.want("a part", more, client.RowUnchanged, client.RowUnchanged, client.RowUnchanged, client.RowUnchanged, client.RowUnchanged, client.RowUnchanged, client.RowNotIssued)
		if o := outcomes[6]; !strings.Contains(o.Error, "not known whether") || !strings.Contains(o.Error, "unexpected error") {
			t.Errorf("the row that was not sent: %+v", o)
		}
		s.server.Set(clienttest.Faults{})
		s.want("the rest", more, client.RowUnchanged, client.RowUnchanged, client.RowUnchanged, client.RowUnchanged, client.RowUnchanged, client.RowUnchanged, client.RowIssued)
		s.once(more, 0)
	})
}

// TestSilent has a vault that takes calls and never answers them. One that falls silent for a
// moment is called again; where it stays silent, no row is called issued, and the next run
// issues each once.
func TestSilent(t *testing.T) {
	eachDialect(t, func(t *testing.T, s *sender) {
		var err error
		if s.transport, err = client.NewTransport(client.TransportOptions{Timeout: 100 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		const vaultPath = "/business/certificate-vault"
		first := people(4)
		for i, call := range []string{"GET " + vaultPath, "POST " + vaultPath + "/upload-file", "POST " + vaultPath + "/bulk"} {
			s.server.Set(clienttest.Faults{Hang: 1, On: call})
			s.want(call+" is not answered", first[i:i+1], client.RowIssued)
		}
		s.server.Set(clienttest.Faults{Hang: 1 << 20, On: "POST " + vaultPath + "/bulk"})
		if _, err := s.run(first[3:]); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a silent vault gives %v", err)
		}
		s.server.Set(clienttest.Faults{Hang: 1 << 20})
		if _, err := s.run(first); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a vault that is silent altogether gives %v", err)
		}
		s.server.Set(clienttest.Faults{})
		s.want("it answers again", first[3:], client.RowIssued)
		s.once(first, 0)
	})
}

// TestListCalls keeps the number of list calls for 10,000 rows (120 by default) in bounds: on a fresh vault,
// after lost answers, and in a run that finds everything there.
func TestListCalls(t *testing.T) {
	rows, most := 120, 15
	if os.Getenv("VECCTL_LONG") != "" {
		rows, most = 10_000, 150
	}
	for name, f := range map[string]clienttest.Faults{
		"a fresh vault": {}, "slowly": {ProcessFor: 12}, "answers are lost": {LoseBulk: 5, OneDuplicate: true},
	} {
		for dialect, vaultOf := range dialects {
			t.Run(name+", "+dialect, func(t *testing.T) {
				t.Parallel()
				s := newSender(t, vaultOf(t))
				s.wait = time.Hour
				s.server.Set(f)
				all := people(rows)
				s.want("the first run", all, client.RowIssued)
				first := s.server.Calls("list")
				s.want("the next run", all, client.RowUnchanged)
				if next := s.server.Calls("list") - first; first > most || next > most {
					t.Errorf("%d list calls in the first run and %d in the next, want at most %d", first, next, most)
				} else {
					t.Logf("%d list calls in the first run and %d in the next", first, next)
				}
			})
		}
	}
}
