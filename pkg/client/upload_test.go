package client_test

import (
	"context"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/clienttest"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// TestUploadAnswerLost finds the certificate of an upload whose answer was lost, and refuses
// one that exists.
func TestUploadAnswerLost(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*clienttest.Server{"guide": clienttest.Guide(t), "reference": clienttest.Reference(t)} {
		t.Run(name, func(t *testing.T) {
			c := dialectClient(t, s).WithRetries(client.RetryPolicy{Attempts: 4, Sleep: func(context.Context, time.Duration) error { return nil }})
			content := client.Content{Title: "Diploma", Name: "Ann", Email: "a@example.com", IssueDate: "2026-06-01"}
			for _, f := range []clienttest.Faults{{LoseUpload: 1}, {LoseUpload: 1, LoseWith: 500}} {
				content.Title += "!"
				s.Set(f)
				issued, err := c.Upload(t.Context(), client.NewCertificate{Content: content, File: leaflet(), Key: "k"}, nil)
				if err != nil || issued.Title != content.Title || issued.ReferenceID != s.Reference("a@example.com") {
					t.Errorf("%+v: %+v, %v", f, issued, err)
				}
				// It exists, also where the vault is busy or cannot be reached first.
				s.Set(clienttest.Faults{Busy: 1})
				if _, err := c.Upload(t.Context(), client.NewCertificate{Content: content, File: leaflet(), Key: "l"}, nil); !fault.Is(err, fault.Invalid) {
					t.Errorf("a duplicate: %v", err)
				}
			}
		})
	}
}

// TestAll reads a list whose pages shift while it is read, each certificate once.
func TestAll(t *testing.T) {
	t.Parallel()
	s := clienttest.Guide(t)
	for i := range 250 {
		s.Issue(vault.Content{Title: "D", Name: "N", Email: string(rune('a'+i%26)) + "@example.com", IssueDate: "2026-06-01"})
	}
	s.Set(clienttest.Faults{InsertWhileReading: true})
	seen := map[string]int{}
	for one, err := range dialectClient(t, s).All(t.Context(), client.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		seen[one.UUID]++
	}
	for uuid, n := range seen {
		if n != 1 {
			t.Errorf("%s came %d times", uuid, n)
		}
	}
	if len(seen) < 250 {
		t.Errorf("%d of 250", len(seen))
	}
	s.Set(clienttest.Faults{Broken: 1})
	for _, err := range dialectClient(t, s).All(t.Context(), client.Filter{}) {
		if err == nil {
			t.Error("an entry of a broken vault")
		}
	}
}

// TestAwait waits for the end of the processing.
func TestAwait(t *testing.T) {
	t.Parallel()
	s := clienttest.Reference(t)
	s.Set(clienttest.Faults{ProcessFor: 1 << 30})
	slept := 0
	c := dialectClient(t, s).WithRetries(client.RetryPolicy{Sleep: func(ctx context.Context, _ time.Duration) error {
		if slept++; slept == 3 {
			s.Finish()
		}
		return ctx.Err()
	}})
	issued, err := c.Upload(t.Context(), client.NewCertificate{Content: client.Content{Title: "D", Name: "N", Email: "n@example.com"}, File: leaflet()}, nil)
	if err != nil || !issued.Status.Is(vault.Processing) {
		t.Fatalf("%+v, %v", issued, err)
	}
	if done, err := c.Await(t.Context(), issued.UUID); err != nil || !done.Status.Is(vault.Approved) || slept != 3 {
		t.Errorf("%+v after %d pauses, %v", done, slept, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Await(ended, issued.UUID); err == nil {
		t.Error("it waited for nothing")
	}
}
