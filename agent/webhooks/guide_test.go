package webhooks_test

import (
	"bufio"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/webhooks"
	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// The guide's own examples, run by PHP and Node.js, believe what we deliver and
// nothing else.
func TestTheGuidesExamples(t *testing.T) {
	t.Parallel()
	for name, command := range map[string][]string{
		"php":  {"php", "-S", "127.0.0.1:0", "testdata/handler.php"},
		"node": {"node", "testdata/handler.js"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(command[0]); err != nil {
				t.Skip(err) // scripts/test installs both
			}
			address := serveExample(t, command)
			e := guideEndpoint(t, "http://"+address+"/hook")
			sender := webhooks.NewDispatcher(nil, webhooks.DispatcherOptions{
				Client:  ssrf.New(ssrf.Policy{AllowPrivate: true}),
				Secrets: plainSecrets{},
				Now:     time.Now, Log: slog.New(slog.DiscardHandler),
			})
			n := webhook.NotificationOf(vault.Event{Seq: 1, Type: vault.EventApproved, Institution: 1, Certificate: 42,
				UUID: "9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15", Title: "Świadectwo \"ukończenia\" <1>", Email: "jane@example.com", At: time.Now()})
			d, body, err := n.DeliveryTo(e, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			a, err := sender.Try(t.Context(), e, d, body)
			if want := "certificate_application.approved certificate_application.approved " + d.UUID; err != nil || !a.OK() || string(a.Response) != want {
				t.Errorf("%d %q %s %v, want %q", a.Status, a.Response, a.Error, err, want)
			}
			e.Secret = webhook.EncryptedSecret("another secret")
			if a, err := sender.Try(t.Context(), e, d, body); err != nil || a.Status != http.StatusUnauthorized {
				t.Errorf("with another secret: %d %q %v", a.Status, a.Response, err)
			}
		})
	}
}

func guideEndpoint(t *testing.T, address string) webhook.Endpoint {
	t.Helper()
	e, err := webhook.New("a1b2c3d4-e5f6-7890-abcd-ef1234567890", webhook.Subscriber{Institution: 1},
		webhook.Update{URL: &address, Events: []vault.EventType{vault.EventApproved}}, webhook.EncryptedSecret(secret), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var listening = regexp.MustCompile(`http://(127\.0\.0\.1:\d+)`)

// serveExample starts a server on a free port and waits until it says on which.
func serveExample(t *testing.T, command []string) string {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "WEBHOOK_SECRET="+secret)
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = cmd.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = cmd.Wait()
	})
	var heard strings.Builder
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			go func() {
				defer close(ended)
				_, _ = io.Copy(io.Discard, said)
			}()
			return found[1]
		}
		heard.WriteString(lines.Text() + "\n")
	}
	close(ended)
	t.Fatalf("the example does not say where it listens: %s", heard.String())
	return ""
}
