package tui

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
)

// application is one that was handed in some hours ago.
func application(i int, state string) adminclient.Application {
	c := certificate(i, state)
	c.BatchID, c.File, c.FailureReason, c.Verified = nil, client.File{}, nil, nil
	c.Details = "with honours"
	c.CreatedAt = begun.Add(-time.Duration(60-i) * time.Hour)
	a := adminclient.Application{Certificate: c, Proof: "mail",
		Evidence: &adminclient.Evidence{File: client.File{Name: fmt.Sprintf("scan-%d.jpeg", i), Size: 512345}, Format: "jpeg"}}
	if state != "pending" {
		a.Review = &adminclient.Review{By: "staff (ann)", At: begun.Add(-2 * time.Hour)}
	}
	switch state {
	case "rejected":
		a.Decision = &adminclient.Decision{By: "staff (ben)", At: begun.Add(-time.Hour), Reason: "the scan cannot be read"}
	case "approved":
		a.Decision = &adminclient.Decision{By: "staff (ben)", At: begun.Add(-time.Hour)}
		a.Verified = &client.Verified{Name: "scan.pdf", Size: 55000}
	case "failed":
		reason := "the page is too small for its code"
		a.Decision, a.FailureReason = &adminclient.Decision{By: "staff (ben)", At: begun.Add(-time.Hour)}, &reason
	}
	return a
}

// applied is a vault with a queue: six wait, two of them in review, and others are
// decided.
func applied() *fake {
	f := newFake()
	for i := 12; i > 0; i-- {
		state := []string{"pending", "rejected", "in_review", "pending", "approved", "failed"}[i%6]
		a := application(i, state)
		if i == 6 {
			a.Evidence, a.Proof, a.SubmittedBy = nil, "staff", "staff (ann)"
		}
		f.applied = append(f.applied, a)
	}
	f.templates = []client.Template{
		{ID: "course", Name: "Course", Fields: []string{"full_name", "certificate_title"}},
		{ID: "degree", Name: "Degree", Fields: []string{"full_name", "grade", "issue_date"}},
	}
	return f
}

func (f *fake) Applications(_ context.Context, q adminclient.ApplicationFilter) (client.Page[adminclient.Application], error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []adminclient.Application
	for _, a := range f.applied {
		state := a.Status.Value
		if (q.Status == "" || state == q.Status || q.Status == "open" && (state == "pending" || state == "in_review")) &&
			strings.Contains(strings.ToLower(a.Name), strings.ToLower(q.Search)) {
			found = append(found, a)
		}
	}
	return paged(found, q.Page, q.PerPage), f.enter(fmt.Sprintf("applications %s %s %d", q.Status, q.Search, q.Page))
}

func (f *fake) findApplied(name string) *adminclient.Application {
	for i := range f.applied {
		if f.applied[i].UUID == name {
			return &f.applied[i]
		}
	}
	return nil
}

func (f *fake) Application(_ context.Context, name string) (adminclient.Application, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a := f.findApplied(name); a != nil {
		return *a, f.enter("application")
	}
	return adminclient.Application{}, fault.New(fault.NotFound, "there is no such application")
}

func (f *fake) ApplicationEvidence(_ context.Context, _ string, w io.Writer) (int64, error) {
	n, err := io.WriteString(w, "a picture")
	return int64(n), err
}

// decides changes an application that waits, or says who was faster.
func (f *fake) decides(call, name string, change func(*adminclient.Application)) (adminclient.Application, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.findApplied(name)
	if err := f.enter(call); err != nil {
		return *a, err
	}
	if d := a.Decision; d != nil {
		return *a, fault.Newf(fault.Illegal, "application %s was %s already, by %s on 2026-06-01 08:30 UTC", a.ReferenceID, a.Status.Value, d.By)
	}
	change(a)
	return *a, nil
}

func (f *fake) ReviewApplication(_ context.Context, name string) (adminclient.Application, error) {
	return f.decides("review "+name, name, func(a *adminclient.Application) {
		a.Status.Value, a.Review = "in_review", &adminclient.Review{By: "staff (me)", At: begun}
	})
}

func (f *fake) ApproveApplication(_ context.Context, name string, q adminclient.ApplicationApproval) (adminclient.Application, error) {
	with := fmt.Sprintf("%s %v", q.Template, q.Fields)
	switch {
	case q.Evidence:
		with = "evidence"
	case q.File != nil:
		with = fmt.Sprintf("%s %s", q.File.Name, q.File.Body)
	}
	return f.decides("approve "+with, name, func(a *adminclient.Application) {
		a.Status.Value, a.Decision = "processing", &adminclient.Decision{By: "staff (me)", At: begun}
	})
}

func (f *fake) RejectApplication(_ context.Context, name, reason string) (adminclient.Application, error) {
	return f.decides("reject "+reason, name, func(a *adminclient.Application) {
		a.Status.Value, a.Decision = "rejected", &adminclient.Decision{By: "staff (me)", At: begun, Reason: reason}
	})
}

func (f *fake) Templates(context.Context) ([]client.Template, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.templates, f.enter("templates")
}

// becomes is the event of an application, and the state that it leaves.
func (f *fake) becomes(i int, state string) adminclient.Message {
	a := f.findApplied(application(i, "").UUID)
	a.Status.Value = state
	return adminclient.Message{Certificate: &adminclient.CertificateEvent{Event: "certificate_application." + state, UUID: a.UUID,
		ReferenceID: a.ReferenceID, Name: a.Name, Title: a.Title, Source: "customer", Trigger: "customer_submission", At: begun}}
}
