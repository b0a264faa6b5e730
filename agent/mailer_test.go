package agent_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/mail/mailtest"
)

// TestMailsLeaveAndComeBack follows mails from a batch to a server, and one of
// them back into the API.
func TestMailsLeaveAndComeBack(t *testing.T) {
	t.Parallel()
	server := (&mailtest.Fake{Answer: func(command, argument string) string {
		if command == "RCPT" && strings.Contains(argument, "refused@") {
			return "550 5.1.1 nobody"
		}
		return ""
	}}).Start(t)
	dir := t.TempDir()
	const secret = "a secret of some length"
	config := fmt.Sprintf("mail:\n  smtp_url: smtp://%s\n  bounce_secret: %s\n", server.Address(), secret)
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	during(t, dir, "UTC", time.Now(), func(a *agent.Agent, c *adminclient.Client) {
		if _, err := c.Configure(t.Context(), adminclient.Settings{Sender: "office@university.example"}); err != nil {
			t.Fatal(err)
		}
		q := manifestOf(t, 2)
		q.NoWait = false
		bulk(t, c, q)
		if waiting, err := c.SendMails(t.Context()); err != nil || waiting != 0 {
			t.Fatalf("%d mails wait, %v", waiting, err)
		}
		sent, err := c.Mails(t.Context(), adminclient.MailFilter{State: "sent"})
		if err != nil || len(sent) != 2 || len(server.Received()) != 2 || server.Received()[0].From != "office@university.example" {
			t.Fatalf("%+v, %v; the server has %+v", sent, err, server.Received())
		}
		hand := func(authorization string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(http.MethodPost, "/mail/bounces",
				strings.NewReader(fmt.Sprintf(`{"message_id":%q,"status":"5.1.1","reason":"unknown user"}`, sent[0].MessageID)))
			r.RemoteAddr = "127.0.0.1:1"
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", authorization)
			w := httptest.NewRecorder()
			a.PublicHandler().ServeHTTP(w, r)
			return w
		}
		if w := hand("Bearer another"); w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), secret) {
			t.Errorf("without the secret: %d %s", w.Code, w.Body)
		}
		if w := hand("Bearer " + secret); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"noted":true`) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		one, err := c.Certificate(t.Context(), sent[0].UUID)
		if err != nil || one.Undelivered == nil || one.Undelivered.Code != "5.1.1" || one.Undelivered.Address != sent[0].To {
			t.Errorf("%+v, %v", one.Undelivered, err)
		}
		returned, err := c.Mails(t.Context(), adminclient.MailFilter{Bounced: true})
		if err != nil || len(returned) != 1 || returned[0].ID != sent[0].ID || returned[0].Reason != "unknown user" {
			t.Errorf("%+v, %v", returned, err)
		}
		// Corrected and sent again, it is as if nothing had been.
		if _, err := c.ResendMail(t.Context(), one.ReferenceID, "right@example.org"); err != nil {
			t.Fatal(err)
		}
		if waiting, err := c.SendMails(t.Context()); err != nil || waiting != 0 {
			t.Errorf("%d mails wait, %v", waiting, err)
		}
		if one, err = c.Certificate(t.Context(), one.UUID); err != nil || one.Undelivered != nil {
			t.Errorf("%+v, %v", one.Undelivered, err)
		}
		if got := server.Received(); len(got) != 3 || got[2].To != "right@example.org" {
			t.Errorf("the server has %d mails", len(got))
		}
		if _, err := c.ResendMail(t.Context(), one.ReferenceID, "refused@example.org"); err != nil {
			t.Fatal(err)
		}
		if waiting, err := c.SendMails(t.Context()); err != nil || waiting != 0 {
			t.Errorf("%d mails wait, %v", waiting, err)
		}
		metrics := ask(a.Handler(), http.MethodGet, "/metrics").Body.String()
		for _, line := range []string{`vecctl_mail_attempts_total{result="sent"} 3`, `vecctl_mail_attempts_total{result="failed"} 1`, "vecctl_mails_waiting 0",
			"vecctl_webhook_deliveries_waiting 0", "vecctl_applications_waiting 0"} {
			if !strings.Contains(metrics, line+"\n") {
				t.Errorf("the metrics lack %s", line)
			}
		}
	})
}

// TestMailsWithoutASender wait, and staff are told why.
func TestMailsWithoutASender(t *testing.T) {
	t.Parallel()
	server := (&mailtest.Fake{}).Start(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte("mail:\n  smtp_url: smtp://"+server.Address()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	during(t, dir, "UTC", time.Now(), func(_ *agent.Agent, c *adminclient.Client) {
		q := manifestOf(t, 1)
		q.NoWait = false
		bulk(t, c, q)
		waiting, err := c.SendMails(t.Context())
		if err != nil || waiting != 1 {
			t.Errorf("%d mails wait, %v", waiting, err)
		}
		s, err := c.AgentStatus(t.Context())
		if err != nil || len(s.Problems) != 1 || s.Problems[0].Kind != "mail" || !strings.Contains(s.Problems[0].Message, "vecctl init --sender") {
			t.Errorf("%+v, %v", s.Problems, err)
		}
	})
}
