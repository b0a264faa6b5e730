package agent_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
)

// staffOf is a client of an institution's staff.
func staffOf(t *testing.T, a *agent.Agent, institution string) *adminclient.Client {
	t.Helper()
	c, err := adminclient.New("http://vecctl.local", adminclient.ForInstitution{Name: institution, Next: client.InProcess(a.Handler())})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// twoInstitutions runs an agent with a second institution, "College".
func twoInstitutions(t *testing.T, work func(a *agent.Agent, unnamed *adminclient.Client)) {
	t.Helper()
	during(t, t.TempDir(), "UTC", time.Now(), func(a *agent.Agent, c *adminclient.Client) {
		if _, err := c.AddInstitution(t.Context(), adminclient.Settings{Institution: "College"}); err != nil {
			t.Fatal(err)
		}
		work(a, c)
	})
}

// A change of a home with several institutions has to say whose it is; reading is for the
// primary one.
func TestAChangeNamesItsInstitution(t *testing.T) {
	t.Parallel()
	twoInstitutions(t, func(a *agent.Agent, c *adminclient.Client) {
		refused := func(what string, err error) {
			t.Helper()
			if message, _ := fault.Message(err); !fault.Is(err, fault.Invalid) || !strings.Contains(message, "college (College)") {
				t.Errorf("%s: %v", what, err)
			}
		}
		_, err := c.CreateToken(t.Context(), adminclient.NewToken{Name: "x", Permissions: []string{"certificate-vault:list"}})
		refused("a token", err)
		_, err = c.Bulk(t.Context(), manifestOf(t, 1), func(client.Progress) {})
		refused("a batch", err)
		_, err = c.RetryAll(t.Context(), "")
		refused("a retry", err)
		_, err = c.EraseRecipient(t.Context(), "p0@example.org", "")
		refused("an erasure", err)
		_, err = c.Configure(t.Context(), adminclient.Settings{Sender: "x@example.org"})
		refused("settings", err)
		_, err = c.Configure(t.Context(), adminclient.Settings{BaseURL: "https://certificates.example.edu"})
		if err != nil {
			t.Errorf("the home's own settings: %v", err)
		}
		_, err = staffOf(t, a, "colege").RetryAll(t.Context(), "")
		refused("an unknown one", err)
		if s, err := c.AgentStatus(t.Context()); err != nil || s.Institution != "Test University" || s.Institutions != 2 {
			t.Errorf("the status is %+v, %v", s, err)
		}
		if s, err := staffOf(t, a, "college").AgentStatus(t.Context()); err != nil || s.Institution != "College" || s.Slug != "college" {
			t.Errorf("the college's status is %+v, %v", s, err)
		}
		resp, err := c.Send(t.Context(), http.MethodGet, "/panel/status", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := resp.Header.Get(adminclient.InstitutionHeader); got != "test-university" {
			t.Errorf("an answer names the institution %q", got)
		}
	})
}

// Somebody switches the home's primary institution back and forth while others upload for
// the one that they named: each document is issued by that one.
func TestUploadsWhileTheInstitutionIsSwitched(t *testing.T) {
	t.Parallel()
	twoInstitutions(t, func(a *agent.Agent, c *adminclient.Client) {
		names := []string{"test-university", "college"}
		ctx, stop := context.WithCancel(t.Context())
		var switches atomic.Int64
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for n := 0; ctx.Err() == nil; n++ {
				if _, err := c.UseInstitution(ctx, names[n%2]); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
				switches.Add(1)
			}
		}()
		const each = 12
		path := filepath.Join(t.TempDir(), "a.pdf")
		if err := os.WriteFile(path, onePage("uploaded"), 0o600); err != nil {
			t.Fatal(err)
		}
		for n := range 2 * each {
			document, err := client.FileDocument(path)
			if err != nil {
				t.Fatal(err)
			}
			name := names[n%2]
			staff := staffOf(t, a, name)
			made, err := staff.Upload(t.Context(), client.NewCertificate{
				Content: client.Content{Title: "Diploma", Name: name, Email: fmt.Sprintf("p%d@example.org", n), IssueDate: "2026-06-01"}, File: document}, func(int64) {})
			if err == nil {
				_, err = staff.Certificate(t.Context(), made.UUID)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		stop()
		<-ended
		if switches.Load() < 2 {
			t.Errorf("the institution was switched %d times", switches.Load())
		}
		for _, name := range names {
			page, err := staffOf(t, a, name).List(t.Context(), client.Filter{PerPage: 100})
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Data) != each {
				t.Errorf("%s has %d certificates, want %d", name, len(page.Data), each)
			}
			for _, one := range page.Data {
				if one.Name != name {
					t.Errorf("%s issued %+v", name, one)
				}
			}
		}
	})
}

func TestAClosedInstitutionIsRead(t *testing.T) {
	t.Parallel()
	twoInstitutions(t, func(a *agent.Agent, c *adminclient.Client) {
		college := staffOf(t, a, "college")
		q := manifestOf(t, 1)
		q.NoWait = false
		bulk(t, college, q)
		if _, err := c.CloseInstitution(t.Context(), "college"); err != nil {
			t.Fatal(err)
		}
		if one := certificateOf(t, college, "p0@example.org"); one.Name != "Person 0" {
			t.Errorf("read %+v", one)
		}
		for what, err := range map[string]error{
			"a batch": func() error { _, err := college.Bulk(t.Context(), q, func(client.Progress) {}); return err }(),
			"a token": func() error { _, err := college.CreateToken(t.Context(), adminclient.NewToken{Name: "x"}); return err }(),
			"a key":   func() error { _, err := college.RotateKey(t.Context(), false); return err }(),
		} {
			if message, _ := fault.Message(err); !strings.Contains(message, "College was closed on") {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, err := c.RemoveInstitution(t.Context(), "college"); !fault.Is(err, fault.Illegal) {
			t.Errorf("an institution with certificates is removed: %v", err)
		}
		if _, err := college.EraseRecipient(t.Context(), "p0@example.org", ""); err != nil {
			t.Errorf("erased at a closed institution: %v", err)
		}
	})
}
