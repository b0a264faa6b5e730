package deliver_test

import (
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/deliver"
	"github.com/vecctl/vecctl/pkg/outbound"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/hook"
)

// The guide's own examples, run by PHP and Node.js, believe what we deliver and
// nothing else.
func TestTheGuidesExamples(t *testing.T) {
	t.Parallel()
	for name, command := range map[string][]string{
		"php":  {"php", "-S", "127.0.0.1:PORT", "testdata/handler.php"},
		"node": {"node", "testdata/handler.js", "PORT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(command[0]); err != nil {
				t.Skip(err) // scripts/test installs both
			}
			address := serveExample(t, command)
			e := guideEndpoint(t, "http://"+address+"/hook")
			sender := deliver.New(nil, deliver.Options{
				Client: outbound.New(outbound.Rules{Private: true}),
				Open:   func(_ string, sealed hook.Sealed) (string, error) { return string(sealed), nil },
				Now:    time.Now, Log: slog.New(slog.DiscardHandler),
			})
			n := hook.NewsOf(vault.Event{Seq: 1, Type: vault.EventApproved, Institution: 1, Certificate: 42,
				UUID: "9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15", Title: "Świadectwo \"ukończenia\" <1>", Email: "jane@example.com", At: time.Now()})
			d, body, err := n.To(e, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			a, err := sender.Try(t.Context(), e, d, body)
			if want := "certificate_application.approved certificate_application.approved " + d.UUID; err != nil || !a.OK() || string(a.Answer) != want {
				t.Errorf("%d %q %s %v, want %q", a.Status, a.Answer, a.Error, err, want)
			}
			e.Secret = hook.Sealed("another secret")
			if a, err := sender.Try(t.Context(), e, d, body); err != nil || a.Status != http.StatusUnauthorized {
				t.Errorf("with another secret: %d %q %v", a.Status, a.Answer, err)
			}
		})
	}
}

func guideEndpoint(t *testing.T, address string) hook.Endpoint {
	t.Helper()
	e, err := hook.New("a1b2c3d4-e5f6-7890-abcd-ef1234567890", hook.Owner{Institution: 1},
		hook.Edit{URL: &address, Events: []vault.EventType{vault.EventApproved}}, hook.Sealed(secret), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// serveExample starts a server on a free port and waits until it answers.
func serveExample(t *testing.T, command []string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(address)
	args := make([]string, len(command))
	for i, one := range command {
		args[i] = strings.ReplaceAll(one, "PORT", port)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "WEBHOOK_SECRET="+secret)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return address
		}
		if time.Now().After(deadline) {
			t.Fatal("the example does not answer")
		}
	}
}
