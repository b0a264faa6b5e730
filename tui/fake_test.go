package tui

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// fake is a vault in memory, as far as a screen can tell.
type fake struct {
	mu        sync.Mutex
	status    adminclient.AgentStatus
	batches   []client.Batch
	all       []client.Certificate // newest first
	many      int                  // so many certificates, made up as they are asked for
	hooks     []adminclient.Webhook
	stores    []adminclient.Store
	certified []adminclient.StoreCertification
	sent      []adminclient.WebhookDelivery
	trail     []audit.Entry
	applied   []adminclient.Application // newest first
	templates []client.Template
	codes     map[string]string // cause by UUID
	down      bool
	calls     []string
	news      chan adminclient.Message
}

func newFake() *fake {
	return &fake{codes: map[string]string{}, news: make(chan adminclient.Message, 64), status: adminclient.AgentStatus{
		Home: "/srv/vault", Institution: "Universität Łódź", TimeZone: "Europe/Warsaw", BaseURL: "https://vec.example.edu",
		DatabaseSize: 12 << 20, Jobs: map[string]adminclient.Queue{"process": {}, "notify": {Waiting: 3, Later: 1}},
	}}
}

// begun is when the tests play.
var begun = time.Date(2026, 6, 1, 9, 30, 0, 0, time.UTC)

func names() []string {
	return []string{"Ada Lovelace", "王小明", "Zoë Ångström", "Jose\u0301 Mun\u0303oz", "Wolfeschlegelsteinhausenbergerdorff Hubert Blaine", "नमस्ते देवी", "Emmy Noether"}
}

func certificate(i int, state string) client.Certificate {
	batch := "b-2"
	c := client.Certificate{
		ID: uint64(i), UUID: fmt.Sprintf("0198b1a4-0000-7000-8000-%012d", i), ReferenceID: fmt.Sprintf("VEC-IC-2026%013X", i),
		Content: client.Content{Title: "Diploma of Engineering", Name: names()[i%len(names())], Email: fmt.Sprintf("person%d@example.org", i), IssueDate: "2026-06-01"},
		Status:  client.Status{Value: state}, BatchID: &batch, File: client.File{Name: fmt.Sprintf("diploma-%d.pdf", i), Size: 51234},
		VerifyURL: fmt.Sprintf("https://vec.example.edu/v/VEC-IC-2026%013X", i), CreatedAt: begun, UpdatedAt: begun,
	}
	c.ShareURL = c.VerifyURL
	switch state {
	case "failed":
		reason := "this document is encrypted and opens only with a password. Save a copy that opens without a password."
		c.FailureReason = &reason
	case "approved":
		c.ExternalID = fmt.Sprintf("S-%d", 1000+i)
		c.Verified = &client.Verified{Name: fmt.Sprintf("diploma-%d-%s.pdf", i, c.ReferenceID), Size: 55000, SHA256: strings.Repeat("4f", 32)}
	}
	return c
}

func (f *fake) fill(n int, state func(i int) string) {
	for i := n; i >= 1; i-- {
		c := certificate(i, state(i))
		f.all = append(f.all, c)
		if c.Status.Value == "failed" {
			f.codes[c.UUID] = "encrypted"
		}
	}
}

func (f *fake) enter(call string) error {
	f.calls = append(f.calls, call)
	if f.down {
		return fault.New(fault.Unavailable, "the vault at http://vecctl.local cannot be reached; check the address and that it runs")
	}
	return nil
}

func (f *fake) AgentStatus(context.Context) (adminclient.AgentStatus, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status.Certificates = map[string]int{}
	for _, c := range f.all {
		f.status.Certificates[c.Status.Value]++
	}
	for _, a := range f.applied {
		f.status.Certificates[a.Status.Value]++
	}
	if f.many > 0 {
		f.status.Certificates["approved"] = f.many
	}
	return f.status, f.enter("status")
}

func paged[T any](all []T, page, perPage int) client.Page[T] {
	from := min((page-1)*perPage, len(all))
	to := min(from+perPage, len(all))
	return client.Page[T]{Data: slices.Clone(all[from:to]), Meta: client.Meta{Total: len(all), CurrentPage: page, LastPage: max(1, (len(all)+perPage-1)/perPage)}}
}

func (f *fake) Batches(_ context.Context, page, perPage int) (client.Page[client.Batch], error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return paged(f.batches, page, perPage), f.enter("batches")
}

func (f *fake) List(_ context.Context, q client.Filter) (client.Page[client.Certificate], error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter(fmt.Sprintf("list %s %s %d", q.Status, q.Search, q.Page)); err != nil {
		return client.Page[client.Certificate]{}, err
	}
	if f.many > 0 {
		var found client.Page[client.Certificate]
		for i := (q.Page - 1) * q.PerPage; i < min(q.Page*q.PerPage, f.many); i++ {
			found.Data = append(found.Data, certificate(f.many-i, "approved"))
		}
		found.Meta.Total = f.many
		return found, nil
	}
	var found []client.Certificate
	for _, c := range f.all {
		if (q.Status == "" || c.Status.Value == q.Status) && strings.Contains(strings.ToLower(c.Name), strings.ToLower(q.Search)) &&
			(q.Batch == "" || *c.BatchID == q.Batch) {
			found = append(found, c)
		}
	}
	return paged(found, q.Page, q.PerPage), nil
}

func (f *fake) find(name string) *client.Certificate {
	for i := range f.all {
		if f.all[i].UUID == name {
			return &f.all[i]
		}
	}
	return nil
}

func (f *fake) Certificate(_ context.Context, name string) (client.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return *f.find(name), f.enter("certificate")
}

func (f *fake) Retry(_ context.Context, name string) (client.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("retry " + name); err != nil {
		return client.Certificate{}, err
	}
	c := f.find(name)
	if c.Status.Value != "failed" {
		return *c, fault.Newf(fault.Illegal, "certificate %s is %s; only one that is failed can be retried", c.ReferenceID, c.Status.Value)
	}
	c.Status.Value, c.FailureReason = "processing", nil
	return *c, nil
}

func (f *fake) RetrySelected(ctx context.Context, s adminclient.Selection) (adminclient.RetryReport, error) {
	if s.Code != "" {
		f.mu.Lock()
		for _, c := range f.all {
			if f.codes[c.UUID] == s.Code && c.Status.Value == "failed" {
				s.UUIDs = append(s.UUIDs, c.UUID)
			}
		}
		f.mu.Unlock()
	}
	var report adminclient.RetryReport
	for _, uuid := range s.UUIDs {
		if _, err := f.Retry(ctx, uuid); err != nil {
			report.Refused = append(report.Refused, adminclient.Refusal{UUID: uuid, Message: err.Error()})
			continue
		}
		report.Retried++
	}
	return report, nil
}

func (f *fake) RetryAll(context.Context, string) (int, error) {
	report, err := f.RetrySelected(context.Background(), adminclient.Selection{Code: "encrypted"})
	return report.Retried, err
}

func (f *fake) ActOnBatch(_ context.Context, id string, act adminclient.BatchAction) (client.Batch, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.batches {
		if b := &f.batches[i]; b.BatchID == id {
			b.Status = map[adminclient.BatchAction]string{adminclient.PauseBatch: "paused", adminclient.ResumeBatch: "processing", adminclient.CancelBatch: "cancelled"}[act]
			return *b, f.enter(string(act))
		}
	}
	return client.Batch{}, fault.New(fault.NotFound, "there is no such batch")
}

func (f *fake) Failures(context.Context, string) ([]adminclient.FailureGroup, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var groups []adminclient.FailureGroup
	for _, c := range f.all {
		if c.Status.Value != "failed" {
			continue
		}
		code := f.codes[c.UUID]
		i := slices.IndexFunc(groups, func(g adminclient.FailureGroup) bool { return g.Code == code })
		if i < 0 {
			i = len(groups)
			groups = append(groups, adminclient.FailureGroup{Code: code, Reason: *c.FailureReason, Fix: "Save a copy that opens without a password."})
		}
		groups[i].Count++
	}
	return groups, f.enter("failures")
}

func (f *fake) FailedFor(_ context.Context, code, after string, page, perPage int) (client.Page[client.Certificate], error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []client.Certificate
	for _, c := range f.all {
		if c.Status.Value == "failed" && f.codes[c.UUID] == code {
			found = append(found, c)
		}
		if c.UUID == after {
			found = nil
		}
	}
	return paged(found, page, perPage), f.enter("failed for")
}

func (f *fake) History(_ context.Context, name string) (adminclient.CertificateHistory, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a := f.findApplied(name); a != nil {
		return adminclient.CertificateHistory{Certificate: a.Certificate, Events: []adminclient.CertificateEvent{
			{Event: "certificate_application.created", UUID: name, Source: "customer", Trigger: "customer_submission", At: a.CreatedAt}}}, f.enter("story")
	}
	c := *f.find(name)
	event := func(what, trigger string, after time.Duration) adminclient.CertificateEvent {
		return adminclient.CertificateEvent{Event: "certificate_application." + what, UUID: c.UUID, ReferenceID: c.ReferenceID, Trigger: trigger, At: begun.Add(after)}
	}
	s := adminclient.CertificateHistory{Certificate: c, Chain: []client.Certificate{c}, Events: []adminclient.CertificateEvent{event("created", "bulk_upload", 0), event(c.Status.Value, "bulk_upload", time.Second)}}
	if c.Status.Value == "approved" {
		older := certificate(900, "revoked")
		s.Chain = []client.Certificate{older, c}
		s.Events = slices.Insert(s.Events, 1, event("failed", "bulk_upload", time.Millisecond), event("retried", "retry", 20*time.Millisecond))
	}
	return s, f.enter("story")
}

func (f *fake) Mails(_ context.Context, q adminclient.MailFilter) ([]adminclient.Mail, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.find(q.Certificate); c == nil || c.Status.Value != "approved" {
		return nil, nil
	}
	sent := begun.Add(3 * time.Second)
	return []adminclient.Mail{
		{Kind: "issued", State: "sent", To: "ada@example.org", CreatedAt: begun, SentAt: &sent},
		{Kind: "issued", State: "bounced", To: "person29@example.org", CreatedAt: begun, Reason: "there is no such mailbox"},
	}, f.enter("mails")
}

func (f *fake) Download(_ context.Context, _ string, w io.Writer) (int64, error) {
	n, err := io.WriteString(w, "%PDF-1.7 verified")
	return int64(n), err
}

func (f *fake) Revoke(_ context.Context, name, reason string) (client.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.find(name)
	c.Status.Value = "revoked"
	c.Revocation = &client.Revocation{At: begun, Reason: reason}
	return *c, f.enter("revoke " + reason)
}

// Follow tells a snapshot, then what the test puts into news. A closed channel is a
// lost connection.
func (f *fake) Follow(ctx context.Context, after string, each func(adminclient.Message) error) error {
	f.mu.Lock()
	news, err := f.news, f.enter("follow "+after)
	f.mu.Unlock()
	if err != nil {
		return err
	}
	if err := each(adminclient.Message{}); err != nil {
		return err
	}
	if after == "" {
		if err := each(adminclient.Message{ID: "7", Snapshot: f.snapshot()}); err != nil {
			return err
		}
	}
	for {
		select {
		case m, more := <-news:
			if !more {
				return fault.New(fault.Unavailable, "the agent ended the event stream")
			}
			if err := each(m); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *fake) snapshot() *adminclient.Snapshot {
	s, _ := f.AgentStatus(context.Background())
	f.mu.Lock()
	defer f.mu.Unlock()
	return &adminclient.Snapshot{Status: s, Batches: slices.Clone(f.batches)}
}

func (f *fake) called(call string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.calls, call)
}
