package vault_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

var (
	born  = time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC)
	later = born.Add(time.Hour)
)

func draft() vault.Draft {
	return vault.Draft{
		Content: vault.Content{Title: "Bachelor of Science", Name: "Zażółć Gęślą", Email: "zg@example.edu.pl", Details: "with honours",
			IssueDate: "2026-05-02"}, Batch: "b1", Trigger: vault.BulkUpload,
		File: vault.File{Name: "a.pdf", Format: "pdf", Size: 9, SHA256: strings.Repeat("ab", 32), HashState: []byte{1}},
	}
}

func accepted() vault.Certificate {
	c, _ := vault.Accept(draft(), 7, vault.Identity{UUID: "u-1", Reference: "VEC-IC-20260123456789ABC"}, born)
	c.ID = 12
	return c
}

// in returns a certificate that came to a state by the way that leads there.
func in(t *testing.T, s vault.Status) vault.Certificate {
	t.Helper()
	c := accepted()
	var err error
	switch s {
	case vault.Pending, vault.InReview, vault.Rejected:
		c = applied()
		if s == vault.InReview {
			c, _, err = c.TakeInReview("staff (ann)", born.Add(time.Minute))
		}
		if s == vault.Rejected {
			c, _, err = c.Reject("staff (ann)", "no such course", born.Add(time.Minute))
		}
	case vault.Approved, vault.Revoked:
		c, _, err = c.Approve(vault.Verified{TailSize: 3}, []byte("abc"), born.Add(time.Minute))
		if err == nil && s == vault.Revoked {
			c, _, err = c.Revoke("a mistake", born.Add(2*time.Minute))
		}
	case vault.Failed:
		c, _, err = c.Fail(vault.Failure{Code: "encrypted", Reason: "it is encrypted"}, born.Add(time.Minute))
	}
	if err != nil || c.Status != s {
		t.Fatalf("no way to %s: now %s, %v", s, c.Status, err)
	}
	return c
}

var transitions = map[string]func(vault.Certificate) (vault.Certificate, vault.Effects, error){
	"approve": func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Approve(vault.Verified{SHA256: "v"}, []byte("tail"), later)
	},
	"fail": func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Fail(vault.Failure{Code: "damaged", Reason: "no pages"}, later)
	},
	"retry": func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Retry(vault.ByAdmin, later)
	},
	"revoke": func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Revoke("issued in error", later)
	},
	"supersede": func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Supersede("u-2", later)
	},
}

func TestEveryTransitionFromEveryStatus(t *testing.T) {
	allowed := map[vault.Status]map[string]vault.Status{
		vault.Processing: {"approve": vault.Approved, "fail": vault.Failed},
		vault.Approved:   {"revoke": vault.Revoked, "supersede": vault.Approved},
		vault.Failed:     {"retry": vault.Processing, "supersede": vault.Failed},
		vault.Revoked:    {"supersede": vault.Revoked},
	}
	for _, from := range vault.Statuses() {
		for name, transition := range transitions {
			t.Run(string(from)+" "+name, func(t *testing.T) {
				c := in(t, from)
				before := c
				got, effects, err := transition(c)
				if !reflect.DeepEqual(c, before) {
					t.Error("the old value was changed")
				}
				to, ok := allowed[from][name]
				if !ok {
					refused(t, before, got, effects, err)
					return
				}
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				if got.Status != to || !got.UpdatedAt.Equal(later) {
					t.Errorf("now %s, updated %s; want %s, %s", got.Status, got.UpdatedAt, to, later)
				}
				if got.Key() != before.Key() || got.Identity != before.Identity || !got.CreatedAt.Equal(born) {
					t.Error("key, identity or creation changed")
				}
			})
		}
	}
}

func refused(t *testing.T, before, got vault.Certificate, effects vault.Effects, err error) {
	t.Helper()
	if !fault.Is(err, fault.Illegal) {
		t.Fatalf("error %v, want kind illegal", err)
	}
	if !strings.Contains(err.Error(), before.Reference) {
		t.Errorf("%q does not name the certificate", err)
	}
	if !reflect.DeepEqual(got, before) || !reflect.DeepEqual(effects, vault.Effects{}) {
		t.Error("a refused transition has a result or effects")
	}
}

func TestAccept(t *testing.T) {
	d := draft()
	c, fx := vault.Accept(d, 7, vault.Identity{UUID: "u-1", Reference: "R"}, born)
	want := vault.Certificate{
		Identity: vault.Identity{UUID: "u-1", Reference: "R"}, Institution: 7, Batch: "b1",
		Source: vault.FromVault, Trigger: vault.BulkUpload, Status: vault.Processing,
		Content: vault.Content{Title: d.Title, Name: d.Name, Email: d.Email, Details: d.Details, IssueDate: d.IssueDate}, File: d.File,
		CreatedAt: born, UpdatedAt: born,
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
	if c.Key() != d.Key() {
		t.Error("the certificate's key is not its draft's")
	}
	wantEvents(t, c, fx, vault.EventCreated, vault.BulkUpload, born)
	if len(fx.Jobs) != 1 || fx.Jobs[0] != (vault.Job{Kind: vault.JobSign, RunAt: born, CreatedAt: born}) || fx.Tail != nil {
		t.Errorf("jobs %+v, tail %v", fx.Jobs, fx.Tail)
	}
}

func wantEvents(t *testing.T, c vault.Certificate, fx vault.Effects, kind vault.EventType, trigger vault.Trigger, at time.Time) {
	t.Helper()
	want := []vault.Event{{
		Type: kind, Institution: c.Institution, Certificate: c.ID, UUID: c.UUID, Reference: c.Reference, Batch: c.Batch, Name: c.Name, Title: c.Title, Email: c.Email,
		Source: vault.FromVault, Trigger: trigger, At: at,
	}}
	if !reflect.DeepEqual(fx.Events, want) {
		t.Errorf("events %+v\nwant   %+v", fx.Events, want)
	}
}

func TestApprove(t *testing.T) {
	v := vault.Verified{Document: vault.Document{SHA256: "d", Size: 100}, TailSize: 4, SHA256: "w"}
	c, fx, err := accepted().Approve(v, []byte("tail"), later)
	if err != nil {
		t.Fatal(err)
	}
	if c.Verified == nil || !reflect.DeepEqual(*c.Verified, v) || c.Verified.Size() != 104 || !c.ApprovedAt.Equal(later) {
		t.Errorf("verified %+v, approved at %s", c.Verified, c.ApprovedAt)
	}
	if c.File.HashState != nil {
		t.Error("the hash's state is kept for good")
	}
	wantEvents(t, c, fx, vault.EventApproved, vault.BulkUpload, later)
	if len(fx.Jobs) != 0 || len(fx.Mails) != 1 {
		t.Fatalf("jobs %+v, mails %+v", fx.Jobs, fx.Mails)
	}
	if m := fx.Mails[0]; m.Kind != vault.MailIssued || m.Certificate != 12 || m.To != c.Email || m.State != vault.MailWaiting || !m.CreatedAt.Equal(later) {
		t.Errorf("mail %+v", m)
	}
	if string(fx.Tail) != "tail" {
		t.Errorf("tail %q", fx.Tail)
	}
}

func TestFailThenRetryThenApprove(t *testing.T) {
	why := vault.Failure{Code: "damaged", Reason: "it has no pages"}
	c, fx, err := accepted().Fail(why, later)
	if err != nil {
		t.Fatal(err)
	}
	if c.Failure == nil || *c.Failure != why || c.File.HashState == nil || c.Verified != nil {
		t.Errorf("failed as %+v", c)
	}
	wantEvents(t, c, fx, vault.EventFailed, vault.BulkUpload, later)
	if len(fx.Jobs) != 0 || fx.Tail != nil {
		t.Errorf("a failure leaves work: %+v", fx)
	}

	c, fx, err = c.Retry(vault.ByRetry, later)
	if err != nil {
		t.Fatal(err)
	}
	if c.Failure != nil {
		t.Error("the old failure stays")
	}
	wantEvents(t, c, fx, vault.EventRetried, vault.ByRetry, later)
	if want := (vault.Job{Kind: vault.JobSign, Certificate: 12, RunAt: later, CreatedAt: later}); len(fx.Jobs) != 1 || fx.Jobs[0] != want {
		t.Errorf("jobs %+v", fx.Jobs)
	}

	if c, _, err = c.Approve(vault.Verified{}, nil, later); err != nil || c.Status != vault.Approved {
		t.Errorf("after the retry: %s, %v", c.Status, err)
	}
}

func TestRevokeNeedsAReason(t *testing.T) {
	tests := []struct {
		name, reason string
		ok           bool
	}{
		{"none", "", false},
		{"white space", " \t\n ", false},
		{"one character", "x", true},
		{"at the limit", strings.Repeat("ł", 1000), true},
		{"one beyond", strings.Repeat("ł", 1001), false},
		{"a NUL", "a\x00b", false},
		{"not UTF-8", "a\xffb", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := in(t, vault.Approved)
			got, fx, err := c.Revoke(tt.reason, later)
			if !tt.ok {
				if !fault.Is(err, fault.Invalid) || got.Status != vault.Approved || got.Revocation != nil {
					t.Errorf("error %v, now %s", err, got.Status)
				}
				return
			}
			if err != nil || got.Revocation == nil || got.Revocation.Reason != tt.reason || !got.Revocation.At.Equal(later) {
				t.Errorf("error %v, revocation %+v", err, got.Revocation)
			}
			wantEvents(t, got, fx, vault.EventRevoked, vault.ByAdmin, later)
		})
	}
}

func TestSupersedeIsForOnceAndForAnother(t *testing.T) {
	c := in(t, vault.Approved)
	for _, successor := range []string{"", c.UUID} {
		if _, _, err := c.Supersede(successor, later); !fault.Is(err, fault.Invalid) {
			t.Errorf("successor %q: %v", successor, err)
		}
	}
	c, fx, err := c.Supersede("u-2", later)
	if err != nil || c.SupersededBy != "u-2" {
		t.Fatalf("superseded by %q: %v", c.SupersededBy, err)
	}
	wantEvents(t, c, fx, vault.EventSuperseded, vault.ByAdmin, later)
	if got, _, err := c.Supersede("u-3", later); !fault.Is(err, fault.Illegal) || got.SupersededBy != "u-2" {
		t.Errorf("a second time: by %q, %v", got.SupersededBy, err)
	}
	if got, _, err := c.Revoke("the first was wrong", later); err != nil || got.SupersededBy != "u-2" {
		t.Errorf("a superseded one cannot be revoked: %v", err)
	}
}

func TestStatusesHaveWords(t *testing.T) {
	for _, s := range vault.Statuses() {
		if got, ok := vault.ParseStatus(string(s)); !ok || got != s {
			t.Errorf("%s reads as %q, %v", s, got, ok)
		}
		if !strings.EqualFold(s.Label(), strings.ReplaceAll(string(s), "_", " ")) || s.Description() == "" {
			t.Errorf("%s has label %q, description %q", s, s.Label(), s.Description())
		}
	}
	for _, word := range []string{"", "Approved", "in review", "approved "} {
		if got, ok := vault.ParseStatus(word); ok || got != "" {
			t.Errorf("%q reads as %q", word, got)
		}
	}
	if got := vault.Processing.Description(); got != "Certificate is being processed" {
		t.Errorf("the guide's text is %q", got)
	}
	if got := vault.FromVault.Label(); got != "Vault" {
		t.Errorf("the source's label is %q", got)
	}
}

func TestCounts(t *testing.T) {
	var c vault.Counts
	for i, s := range vault.Statuses() {
		c.Add(s, 10*(i+1))
		c.Add(s, -1)
	}
	c.Add("unheard of", 5)
	if want := (vault.Counts{Pending: 9, InReview: 19, Processing: 29, Approved: 39, Failed: 49, Rejected: 59, Revoked: 69}); c != want {
		t.Errorf("got %+v, want %+v", c, want)
	}
	for i, s := range vault.Statuses() {
		if got := c.Of(s); got != 10*(i+1)-1 {
			t.Errorf("%d of %s", got, s)
		}
	}
	if c.Sum() != 273 || c.Of("unheard of") != 0 {
		t.Errorf("sum %d", c.Sum())
	}
}

func TestDiffers(t *testing.T) {
	c := accepted()
	if diff := c.Differs(draft()); diff != nil {
		t.Errorf("the same draft differs: %v", diff)
	}
	d := draft()
	d.Name, d.Details, d.File.SHA256, d.File.Name = "Z. Gęśl", "", "other", "b.pdf"
	want := []vault.Difference{{Field: "full_name", Issued: "Zażółć Gęślą"}, {Field: "details", Issued: "with honours"}, {Field: "file", Issued: "a.pdf"}}
	if diff := c.Differs(d); !reflect.DeepEqual(diff, want) {
		t.Errorf("got %v, want %v", diff, want)
	}
	d = draft()
	d.File.Name, d.Batch, d.Trigger = "renamed.pdf", "b2", vault.DropFolder
	if diff := c.Differs(d); diff != nil {
		t.Errorf("a renamed file differs: %v", diff)
	}
}

func TestSearchText(t *testing.T) {
	c := accepted()
	if got, want := c.SearchText(), "zazolc gesla\nzg@example.edu.pl\nbachelor of science\nvec-ic-20260123456789abc"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReshare(t *testing.T) {
	c, _ := vault.Accept(draft(), 7, vault.Identity{UUID: "u-1", Reference: "R", ShareToken: "old"}, born)
	again, fx, err := c.ReplaceShareToken("new", born.Add(time.Hour))
	if err != nil || again.ShareToken != "new" || !again.UpdatedAt.Equal(born.Add(time.Hour)) || len(fx.Events)+len(fx.Jobs) != 0 {
		t.Errorf("became %+v with %+v: %v", again, fx, err)
	}
	for _, token := range []string{"", "old"} {
		if same, _, err := c.ReplaceShareToken(token, born); !fault.Is(err, fault.Invalid) || same.ShareToken != "old" {
			t.Errorf("with %q: %+v, %v", token, same, err)
		}
	}
}

// A time stamp that is added later replaces the tail, keeps the length, and leaves the earlier
// file genuine.
func TestAddTimestamp(t *testing.T) {
	v := vault.Verified{Document: vault.Document{SHA256: "d", Size: 100}, TailSize: 4, SHA256: "w", TimestampOwed: true}
	c, fx, err := accepted().Approve(v, []byte("tail"), later)
	if err != nil || len(fx.Jobs) != 1 || fx.Jobs[0].Kind != vault.JobTimestamp {
		t.Fatalf("%+v, %v", fx.Jobs, err)
	}
	if _, _, err := c.AddTimestamp("x", []byte("longer"), later, later); !fault.Is(err, fault.Invalid) {
		t.Errorf("a tail of another length: %v", err)
	}
	c, fx, err = c.AddTimestamp("x", []byte("TAIL"), later, later)
	if err != nil || string(fx.Tail) != "TAIL" || c.Verified.TimestampOwed || c.Verified.SHA256 != "x" || !c.Verified.Has("w") || !c.Verified.Has("x") || c.Verified.Has("d") {
		t.Errorf("%+v, %+v, %v", c.Verified, fx, err)
	}
	if _, _, err := c.AddTimestamp("y", []byte("tail"), later, later); !fault.Is(err, fault.Illegal) {
		t.Errorf("a second time stamp: %v", err)
	}
	v.TimestampOwed = false
	if _, fx, err := accepted().Approve(v, []byte("tail"), later); err != nil || len(fx.Jobs) != 0 {
		t.Errorf("%+v, %v", fx.Jobs, err)
	}
}
