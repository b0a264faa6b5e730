package vault_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

func submission() vault.Submission {
	return vault.Submission{
		ApplicationDraft: vault.ApplicationDraft{
			Content:  vault.Content{Title: "Bachelor of Science", Name: "Zażółć Gęślą", Email: "ZG@example.edu.pl", Details: "with honours"},
			Evidence: &vault.File{Name: "scan.pdf", Format: "pdf", Size: 9, SHA256: strings.Repeat("cd", 32)},
		},
		Proof: vault.ProvenByMail, Day: "2026-05-02",
	}
}

func applied() vault.Certificate {
	c, _ := vault.Submit(submission(), 7, vault.Identity{UUID: "u-1", Reference: "VEC-IC-20260123456789ABC"}, born)
	c.ID = 12
	return c
}

func approval() vault.Approval {
	return vault.Approval{By: "staff (bob)", File: draft().File, IssueDate: "2026-05-09"}
}

func TestSubmit(t *testing.T) {
	s := submission()
	c, fx := vault.Submit(s, 7, vault.Identity{UUID: "u-1", Reference: "R"}, born)
	if c.Status != vault.Pending || c.Source != vault.FromCustomer || c.File.SHA256 != "" || !reflect.DeepEqual(c.Application.Evidence, s.Evidence) {
		t.Errorf("submitted as %+v", c)
	}
	if len(fx.Events) != 1 || fx.Events[0].Type != vault.EventCreated || fx.Events[0].Trigger != vault.CustomerSubmission ||
		fx.Events[0].Source != "customer" {
		t.Errorf("events %+v", fx.Events)
	}
	if len(fx.Jobs) != 0 || len(fx.Mails) != 1 || fx.Mails[0].Kind != vault.MailReceived || fx.Mails[0].To != s.Email {
		t.Errorf("jobs %+v, mails %+v", fx.Jobs, fx.Mails)
	}
}

func TestEveryDecisionFromEveryStatus(t *testing.T) {
	acts := map[string]func(vault.Certificate) (vault.Certificate, vault.Effects, error){
		"review": func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.TakeInReview("staff (bob)", later)
		},
		"approve": func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.ApproveApplication(approval(), later)
		},
		"reject": func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.Reject("staff (bob)", "no such course", later)
		},
	}
	allowed := map[vault.Status]map[string]vault.Status{
		vault.Pending:  {"review": vault.InReview, "approve": vault.Processing, "reject": vault.Rejected},
		vault.InReview: {"approve": vault.Processing, "reject": vault.Rejected},
	}
	events := map[string]vault.EventType{
		"review": vault.EventInReview, "approve": vault.EventProcessing, "reject": vault.EventRejected,
	}
	for _, from := range vault.Statuses() {
		for name, act := range acts {
			t.Run(string(from)+" "+name, func(t *testing.T) {
				c := in(t, from)
				before := c
				got, fx, err := act(c)
				to, ok := allowed[from][name]
				if !ok {
					refused(t, before, got, fx, err)
					return
				}
				if err != nil || got.Status != to || !got.UpdatedAt.Equal(later) || got.Identity != before.Identity {
					t.Fatalf("became %+v: %v", got, err)
				}
				if !reflect.DeepEqual(c.Application, in(t, from).Application) {
					t.Error("the old value was changed")
				}
				if len(fx.Events) != 1 || fx.Events[0].Type != events[name] {
					t.Errorf("events %+v", fx.Events)
				}
			})
		}
	}
}

func TestADecisionIsMadeOnce(t *testing.T) {
	approved, fx, err := applied().ApproveApplication(approval(), later)
	if err != nil || len(fx.Jobs) != 1 || fx.Jobs[0].Kind != vault.JobSign || len(fx.Mails) != 0 {
		t.Fatalf("%+v: %v", fx, err)
	}
	if approved.IssueDate != "2026-05-09" || approved.File.SHA256 != draft().File.SHA256 || approved.Details != "with honours" {
		t.Errorf("approved as %+v", approved)
	}
	_, _, err = approved.Reject("staff (eve)", "too late", later.Add(time.Hour))
	if want := "approved already, by staff (bob) on 2026-05-02 10:00 UTC"; !fault.Is(err, fault.Illegal) || !strings.Contains(err.Error(), want) {
		t.Errorf("rejected afterwards: %v", err)
	}
	reviewed, _, err := applied().TakeInReview("staff (ann)", later)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := reviewed.TakeInReview("staff (bob)", later); err == nil || !strings.Contains(err.Error(), "by staff (ann) on 2026-05-02 10:00 UTC") {
		t.Errorf("taken twice: %v", err)
	}
	rejected, fx, err := reviewed.Reject("staff (bob)", " no such course ", later)
	if err != nil || rejected.Application.Decision.Reason != "no such course" || len(fx.Mails) != 1 || fx.Mails[0].Kind != vault.MailRejected {
		t.Fatalf("rejected as %+v with %+v: %v", rejected, fx, err)
	}
	if _, _, err := rejected.ApproveApplication(approval(), later); err == nil || !strings.Contains(err.Error(), "rejected already, by staff (bob)") {
		t.Errorf("approved afterwards: %v", err)
	}
}

func TestADecisionNeedsAllItIsMadeOf(t *testing.T) {
	for name, a := range map[string]vault.Approval{
		"no file": {IssueDate: "2026-05-09"},
		"no date": {File: draft().File},
	} {
		if got, _, err := applied().ApproveApplication(a, later); !fault.Is(err, fault.Invalid) || got.Status != vault.Pending {
			t.Errorf("%s: %s, %v", name, got.Status, err)
		}
	}
	long := strings.Repeat("x", vault.MaxDetails+1)
	a := approval()
	a.Details = &long
	if _, _, err := applied().ApproveApplication(a, later); !fault.Is(err, fault.Invalid) {
		t.Errorf("details that are too long: %v", err)
	}
	for _, reason := range []string{"", "  ", long} {
		if _, _, err := applied().Reject("staff", reason, later); !fault.Is(err, fault.Invalid) {
			t.Errorf("rejected because of %.5q: %v", reason, err)
		}
	}
}

func TestKeysOfApplications(t *testing.T) {
	open := applied()
	if other := in(t, vault.InReview); other.Key() != open.Key() || !open.HoldsKey() {
		t.Error("an open application must keep another like it away")
	}
	if open.Key() == accepted().Key() {
		t.Error("an application keeps a certificate away")
	}
	approved, _, err := open.ApproveApplication(approval(), later)
	if err != nil {
		t.Fatal(err)
	}
	d := draft()
	d.IssueDate = "2026-05-09"
	if approved.Key() != d.Key() || !approved.HoldsKey() {
		t.Error("an approved application has the key of a certificate")
	}
	if in(t, vault.Rejected).HoldsKey() {
		t.Error("a rejected application must not keep the next one away")
	}
}

func TestAnApplicationIsNoCertificate(t *testing.T) {
	for _, s := range []vault.Status{vault.Pending, vault.InReview, vault.Rejected} {
		c := in(t, s)
		if got := c.Validity(); got != vault.ValidityUnknown {
			t.Errorf("%s counts as %s", s, got)
		}
		if _, err := c.Reissue(vault.Amendment{}, vault.Identity{UUID: "u-2"}, later); !fault.Is(err, fault.Illegal) {
			t.Errorf("%s was corrected: %v", s, err)
		}
		erased, _, err := c.Erase(later)
		if err != nil || erased.Status != vault.Rejected || erased.Revocation != nil || erased.Application.Evidence != nil ||
			erased.Application.Decision != nil || erased.HoldsKey() {
			t.Errorf("%s was erased to %+v: %v", s, erased, err)
		}
		if _, _, err := erased.Reject("staff", "why not", later); !fault.Is(err, fault.Illegal) {
			t.Errorf("an erased one was rejected: %v", err)
		}
	}
}

func TestApplyingIsChecked(t *testing.T) {
	for name, a := range map[string]vault.ApplicationPolicy{
		"nothing to apply for": {Who: vault.AnyoneMayApply},
		"a blank title":        {Titles: []string{" "}},
		"a title twice":        {Titles: []string{"A", "A"}},
		"who is that":          {Who: "everybody", FreeTitle: true},
		"too many":             {Titles: make([]string, vault.MaxTitles+1)},
	} {
		if err := a.Validate(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	a := vault.ApplicationPolicy{Who: vault.AnyoneMayApply, Titles: []string{"Bachelor of Science"}}
	if err := a.Validate(); err != nil {
		t.Error(err)
	}
	if err := a.Check(submission().ApplicationDraft); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]func(*vault.ApplicationDraft){
		"certificate_title": func(d *vault.ApplicationDraft) { d.Title = "Doctor of Everything" },
		"full_name":         func(d *vault.ApplicationDraft) { d.Name = "" },
		"applicant_email":   func(d *vault.ApplicationDraft) { d.Email = "nobody" },
		"details":           func(d *vault.ApplicationDraft) { d.Details = strings.Repeat("x", vault.MaxDetails+1) },
		"evidence":          func(d *vault.ApplicationDraft) { d.Evidence = nil },
	} {
		d := submission().ApplicationDraft
		bad(&d)
		if got := fault.FieldsOf(a.Check(d)); len(got) != 1 || got[0].Name != name {
			t.Errorf("%s: %+v", name, got)
		}
	}
	a.FreeTitle, a.EvidenceOptional = true, true
	d := submission().ApplicationDraft
	d.Title, d.Evidence = "Doctor of Everything", nil
	if err := a.Check(d); err != nil {
		t.Error(err)
	}
	for _, who := range []vault.WhoMayApply{vault.NobodyMayApply, vault.AccountsMayApply, vault.AnyoneMayApply} {
		if got, err := vault.ParseWhoMayApply(who.String()); err != nil || got != who {
			t.Errorf("%s reads as %q: %v", who, got, err)
		}
	}
	if _, err := vault.ParseWhoMayApply(""); err == nil {
		t.Error("an empty word says who may apply")
	}
}
