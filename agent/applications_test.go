package agent_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"image"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// letIn changes what people may apply for.
func letIn(t *testing.T, c *adminclient.Client, who string, titles ...string) {
	t.Helper()
	if _, err := c.Configure(t.Context(), adminclient.Settings{ApplicationPolicy: &adminclient.ApplicationPolicy{Who: who, Titles: titles, FreeTitle: len(titles) == 0}}); err != nil {
		t.Fatal(err)
	}
}

// evidence stores a document as an applicant's page does.
func evidence(t *testing.T, a *agent.Agent, text string) *vault.File {
	t.Helper()
	f, err := a.Applications.TakeEvidence(t.Context(), bytes.NewReader(onePage(text)), "scan.pdf")
	if err != nil {
		t.Fatal(err)
	}
	return &f
}

// confirmLinks sends the mails that wait and returns the secrets of the links in all
// of them.
func confirmLinks(t *testing.T, c *adminclient.Client, dir string) (secrets []string) {
	t.Helper()
	if _, err := c.SendMails(t.Context()); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "mail", "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`/apply/confirm/([0-9A-Za-z_-]{43})\s`)
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(raw), "=\r\n", "")
		if found := link.FindStringSubmatch(text); found != nil {
			secrets = append(secrets, found[1])
		}
	}
	return secrets
}

// TestAnybodyAppliesByMail follows an application of somebody whom nobody knows:
// it counts when the address is proven, and not before.
func TestAnybodyAppliesByMail(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	during(t, dir, "UTC", time.Now(), func(a *agent.Agent, c *adminclient.Client) {
		d := vault.ApplicationDraft{Content: vault.Content{Title: "Diploma", Name: "Ada", Email: "ada@example.org"}, Evidence: evidence(t, a, "Ada")}
		for _, who := range []string{"nobody", "accounts"} {
			letIn(t, c, who, "Diploma")
			if err := a.Applications.ApplyByMail(t.Context(), d); !fault.Is(err, fault.Forbidden) {
				t.Errorf("where %s may apply: %v", who, err)
			}
		}
		letIn(t, c, "anyone", "Diploma")
		bad := d
		bad.Title, bad.Evidence, bad.Email = "Doctor of Everything", nil, "nobody"
		if got := fault.FieldsOf(a.Applications.ApplyByMail(t.Context(), bad)); len(got) != 3 {
			t.Errorf("complaints %+v", got)
		}
		for range vault.MaxUnconfirmedPerAddress + 2 { // more wait than may, and nobody is told
			if err := a.Applications.ApplyByMail(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
		secrets := confirmLinks(t, c, dir)
		if len(secrets) != vault.MaxUnconfirmedPerAddress {
			t.Fatalf("%d links were mailed", len(secrets))
		}
		queue := func() int {
			page, err := c.Applications(t.Context(), adminclient.ApplicationFilter{Status: "open"})
			if err != nil {
				t.Fatal(err)
			}
			return page.Meta.Total
		}
		if n := queue(); n != 0 {
			t.Errorf("staff see %d before the address is proven", n)
		}
		w, err := a.Applications.WaitingApplication(t.Context(), secrets[0])
		if err != nil || w.Title != "Diploma" || w.Email != d.Email {
			t.Errorf("waiting: %+v, %v", w, err)
		}
		one, err := a.Applications.ConfirmApplication(t.Context(), secrets[0])
		if err != nil || one.Status != vault.Pending || one.Application.Proof != vault.ProvenByMail {
			t.Fatalf("confirmed: %+v, %v", one, err)
		}
		if _, err := a.Applications.ConfirmApplication(t.Context(), secrets[0]); !fault.Is(err, fault.NotFound) {
			t.Errorf("confirmed twice: %v", err)
		}
		if _, err := a.Applications.ConfirmApplication(t.Context(), secrets[1]); !fault.Is(err, fault.Illegal) {
			t.Errorf("another for the same title: %v", err)
		}
		if n := queue(); n != 1 {
			t.Errorf("staff see %d after the address is proven", n)
		}
		mine, err := a.Applications.ApplicationsOf(t.Context(), vault.Account{Email: "ada@example.org"})
		if err != nil || len(mine) != 1 || mine[0].UUID != one.UUID {
			t.Errorf("theirs: %+v, %v", mine, err)
		}
		done, err := c.EraseRecipient(t.Context(), "ada@example.org", "")
		if err != nil || len(done.Certificates) != 1 {
			t.Fatalf("erased: %+v, %v", done, err)
		}
		if _, err := a.Applications.WaitingApplication(t.Context(), secrets[1]); !fault.Is(err, fault.NotFound) {
			t.Errorf("what waited was not erased: %v", err)
		}
		blobs, err := blob.OpenFolder(home.Dir(dir).Blobs())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := blobs.Open(t.Context(), d.Evidence.SHA256); err == nil {
			t.Error("the evidence was not erased")
		}
	})
}

// TestAccountHoldersApply needs no further proof of an address.
func TestAccountHoldersApply(t *testing.T) {
	t.Parallel()
	during(t, t.TempDir(), "UTC", time.Now(), func(a *agent.Agent, c *adminclient.Client) {
		who := vault.Account{ID: "x", Email: "ada@example.org"}
		d := vault.ApplicationDraft{Content: vault.Content{Title: "My own title", Name: "Ada", Email: "somebody.else@example.org"}, Evidence: evidence(t, a, "Ada")}
		if _, err := a.Applications.Apply(t.Context(), who, d); !fault.Is(err, fault.Forbidden) {
			t.Errorf("where nobody may apply: %v", err)
		}
		letIn(t, c, "accounts")
		one, err := a.Applications.Apply(t.Context(), who, d)
		if err != nil || one.Email != who.Email || one.Application.Proof != vault.ProvenByAccount || one.Status != vault.Pending {
			t.Fatalf("%+v, %v", one, err)
		}
		if _, err := a.Applications.Apply(t.Context(), who, d); !fault.Is(err, fault.Illegal) {
			t.Errorf("twice: %v", err)
		}
		for _, broken := range [][]byte{nil, []byte("no document"), []byte("%PDF-1.4\nbroken"), bytes.Repeat([]byte("%PDF-1.4\n"), vault.MaxFile/8)} {
			_, err := a.Applications.TakeEvidence(t.Context(), bytes.NewReader(broken), "scan.pdf")
			if message, ok := fault.Message(err); !fault.Is(err, fault.Invalid) || !ok {
				t.Errorf("evidence of %d bytes: %q, %v", len(broken), message, err)
			}
		}
	})
}

// TestTwoDecideAtOnce lets staff decide about applications in one moment. Of each
// one decision holds, and the others hear who was faster.
func TestTwoDecideAtOnce(t *testing.T) {
	t.Parallel()
	during(t, t.TempDir(), "UTC", time.Now(), func(a *agent.Agent, c *adminclient.Client) {
		const deciders = 6
		for _, name := range []string{"one", "two", "three"} {
			made, err := c.SubmitApplication(t.Context(), adminclient.NewApplication{Title: "Diploma", Name: name, Email: name + "@example.org",
				Evidence: &adminclient.NewFile{Name: "scan.pdf", Body: onePage(name)}})
			if err != nil {
				t.Fatal(err)
			}
			var held atomic.Int32
			var all sync.WaitGroup
			for n := range deciders {
				all.Go(func() {
					var err error
					if n%2 == 0 {
						_, err = c.ApproveApplication(t.Context(), made.UUID, adminclient.ApplicationApproval{Evidence: true})
					} else {
						_, err = c.RejectApplication(t.Context(), made.UUID, "no such course")
					}
					switch {
					case err == nil:
						held.Add(1)
					case !fault.Is(err, fault.Illegal) || !strings.Contains(err.Error(), "already, by staff on "):
						t.Errorf("the slower one hears: %v", err)
					}
				})
			}
			all.Wait()
			if n := held.Load(); n != 1 {
				t.Errorf("%d decisions held", n)
			}
			story, err := c.History(t.Context(), made.UUID)
			if err != nil {
				t.Fatal(err)
			}
			decided := 0
			for _, e := range story.Events {
				if e.Event == string(vault.EventProcessing) || e.Event == string(vault.EventRejected) {
					decided++
				}
			}
			if decided != 1 {
				t.Errorf("%d decisions are told of: %+v", decided, story.Events)
			}
		}
	})
}

// TestEventsOfApplications follows an application that fails at first, and holds the
// events to the guide's table and to what webhooks are told.
func TestEventsOfApplications(t *testing.T) {
	t.Parallel()
	var works atomic.Bool
	a, err := agent.Open(t.Context(), agent.Options{
		Home: home.Dir(t.TempDir()), Institution: vault.Institution{Name: "Test University", TimeZone: "UTC"},
		Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
		ImageToPDF: func(w io.Writer, r io.ReaderAt, size int64) error {
			if !works.Load() {
				return fault.New(fault.Damaged, "the image cannot be drawn")
			}
			return pdf.FromImage(w, r, size)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	defer func() {
		stop()
		if err := errors.Join(<-ended, a.Close()); err != nil {
			t.Error(err)
		}
	}()
	c, err := adminclient.New("http://vecctl.test", client.InProcess(a.Handler()))
	if err != nil {
		t.Fatal(err)
	}
	hook := "https://hooks.example.invalid/x"
	active := true
	if _, err := c.CreateWebhook(t.Context(), adminclient.WebhookEdit{URL: &hook, IsActive: &active, Events: []string{
		"certificate_application.created", "certificate_application.processing", "certificate_application.rejected",
		"certificate_application.approved", "certificate_application.failed", "certificate_application.retried"}}); err != nil {
		t.Fatal(err)
	}
	submit := func(name string) adminclient.Application {
		made, err := c.SubmitApplication(t.Context(), adminclient.NewApplication{Title: "Diploma", Name: name, Email: name + "@example.org",
			Evidence: &adminclient.NewFile{Name: "scan.png", Body: onePixel()}})
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	one, other := submit("one"), submit("other")
	if _, err := c.ReviewApplication(t.Context(), one.UUID); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ApproveApplication(t.Context(), one.UUID, adminclient.ApplicationApproval{Evidence: true}); err != nil {
		t.Fatal(err)
	}
	becomes(t, c, one.UUID, vault.Failed)
	works.Store(true)
	if _, err := c.Retry(t.Context(), one.UUID); err != nil {
		t.Fatal(err)
	}
	becomes(t, c, one.UUID, vault.Approved)
	if _, err := c.RejectApplication(t.Context(), other.UUID, "no such course"); err != nil {
		t.Fatal(err)
	}
	const all = "certificate_application."
	wantEvents(t, c, one.UUID, true, all+"created", all+"in_review", all+"processing", all+"failed", all+"retried", all+"approved")
	wantEvents(t, c, one.UUID, false, all+"created", all+"processing", all+"failed", all+"retried", all+"approved")
	wantEvents(t, c, other.UUID, true, all+"created", all+"rejected")
	wantEvents(t, c, other.UUID, false, all+"created", all+"rejected")
}

// wantEvents compares the events of an application's story, or those that webhooks
// are told, with those wanted.
func wantEvents(t *testing.T, c *adminclient.Client, uuid string, story bool, want ...string) {
	t.Helper()
	var got []string
	if story {
		s, err := c.History(t.Context(), uuid)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range s.Events {
			got = append(got, e.Event)
			if e.Source != "customer" || e.Event == string(vault.EventCreated) && e.Trigger != "customer_submission" {
				t.Errorf("%+v", e)
			}
		}
	} else {
		told, err := c.Deliveries(t.Context(), adminclient.DeliveryFilter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range slices.Backward(told) {
			if d.UUID == uuid {
				got = append(got, d.Event)
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
}

// becomes waits until a certificate is in a state.
func becomes(t *testing.T, c *adminclient.Client, uuid string, want vault.Status) {
	t.Helper()
	for {
		found, err := c.Certificate(t.Context(), uuid)
		if err != nil {
			t.Fatal(err)
		}
		if found.Status.Value == string(want) {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatalf("it is %s still", found.Status.Value)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// onePixel is a small PNG.
func onePixel() []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 100, 100))); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// TestApplicationsAreUnknownToThePublic shows nothing of an application until it is
// a certificate, and then at once.
func TestApplicationsAreUnknownToThePublic(t *testing.T) {
	t.Parallel()
	during(t, t.TempDir(), "UTC", time.Now(), func(a *agent.Agent, c *adminclient.Client) {
		made, err := c.SubmitApplication(t.Context(), adminclient.NewApplication{Title: "Diploma", Name: "Ada Lovelace", Email: "ada@example.org",
			Evidence: &adminclient.NewFile{Name: "scan.pdf", Body: onePage("Ada")}})
		if err != nil {
			t.Fatal(err)
		}
		share := made.ShareURL[strings.LastIndex(made.ShareURL, "/c/"):]
		look := func(when string, status int) {
			t.Helper()
			for _, path := range []string{"/v/" + made.ReferenceID, share} {
				w := httptest.NewRecorder()
				r := httptest.NewRequest(http.MethodGet, path, nil)
				r.RemoteAddr = "127.0.0.1:1"
				a.PublicHandler().ServeHTTP(w, r)
				if shown := strings.Contains(w.Body.String(), "Lovelace"); w.Code != status || shown != (status == http.StatusOK) {
					t.Errorf("%s: %s answers %d, and shows the name: %v", when, path, w.Code, shown)
				}
			}
		}
		look("pending", http.StatusNotFound)
		if _, err := c.ReviewApplication(t.Context(), made.UUID); err != nil {
			t.Fatal(err)
		}
		look("in review", http.StatusNotFound)
		if _, err := c.ApproveApplication(t.Context(), made.UUID, adminclient.ApplicationApproval{Evidence: true}); err != nil {
			t.Fatal(err)
		}
		becomes(t, c, made.UUID, vault.Approved)
		look("approved", http.StatusOK)
	})
}
