package mailer_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vecctl/vecctl/agent/mailer"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/mail/mailtest"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// returned is what a mail server sends back of a mail.
func returned(messageID string) string {
	return fmt.Sprintf(`Content-Type: multipart/report; report-type=delivery-status; boundary=x

--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; x@example.org
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 unknown user

--x
Content-Type: text/rfc822-headers

Message-ID: <%s>
--x--
`, messageID)
}

// sent issues a certificate to each address and has the mails sent.
func (o *office) sent(to ...string) []vault.Mail {
	o.Helper()
	o.issue(asItIs, to...)
	server := (&mailtest.Fake{Discard: true}).Start(o.T)
	o.work(o.post(lineTo(o.T, server.Address()), plain))
	return o.mails(store.MailFilter{})
}

func (o *office) bounces() *mailer.BounceHandler {
	return &mailer.BounceHandler{Store: o.store, Now: o.clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

func (o *office) state(id uint64) vault.MailState {
	o.Helper()
	m, err := o.store.Mail(o.Context(), 1, id)
	o.check(err)
	return m.State
}

func TestBounceIsNoted(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	m := o.sent("x@example.org")[0]
	b := o.bounces()
	for name, forged := range map[string]string{
		"of no mail": "99." + strings.Repeat("a", 20) + "@university.example", "with a guessed end": fmt.Sprintf("%d.%s@university.example", m.ID, strings.Repeat("a", 20)),
		"of the number alone": fmt.Sprint(m.ID), "of nobody": "",
	} {
		if noted, err := b.Process(t.Context(), []byte(returned(forged))); noted || err != nil || o.state(m.ID) != vault.MailSent {
			t.Errorf("a bounce %s: %v, %v", name, noted, err)
		}
	}
	if noted, err := b.Process(t.Context(), []byte(returned(m.MessageID))); !noted || err != nil {
		t.Errorf("%v, %v", noted, err)
	}
	if noted, err := b.Process(t.Context(), []byte(returned(m.MessageID))); noted || err != nil {
		t.Errorf("a second time: %v, %v", noted, err)
	}
	c, err := o.store.ByID(t.Context(), m.Certificate)
	o.check(err)
	if u := c[0].Undelivered; o.state(m.ID) != vault.MailBounced || u == nil || u.Code != "5.1.1" || u.Reason != "550 5.1.1 unknown user" || u.Address != "x@example.org" {
		t.Errorf("%s, the certificate says %+v", o.state(m.ID), u)
	}
}

func TestMailboxIsWatched(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	all := o.sent("a@example.org", "b@example.org", "c@example.org")
	dir := t.TempDir()
	file, folder := filepath.Join(dir, "mbox"), filepath.Join(dir, "Maildir")
	o.check(os.MkdirAll(filepath.Join(folder, "new"), 0o700))
	o.check(os.MkdirAll(filepath.Join(folder, "cur"), 0o700))
	add := func(m vault.Mail, part func(string) string) {
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		o.check(err)
		_, err = f.WriteString(part("From MAILER-DAEMON Mon Jun  1 12:00:00 2026\n" + returned(m.MessageID) + "\n"))
		o.check(err)
		o.check(f.Close())
	}
	whole := func(s string) string { return s }
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 2)
		b := o.bounces()
		for _, box := range []string{file, folder} {
			go func() { ended <- b.Watch(ctx, box) }()
		}
		pass := func(want ...vault.MailState) {
			t.Helper()
			time.Sleep(time.Minute)
			synctest.Wait()
			for i, w := range want {
				if got := o.state(all[i].ID); got != w {
					t.Errorf("mail %d is %s, want %s", i, got, w)
				}
			}
		}
		pass(vault.MailSent, vault.MailSent, vault.MailSent)
		add(all[0], whole)
		add(all[1], func(s string) string { return s[:len(s)/2] })
		pass(vault.MailBounced, vault.MailSent, vault.MailSent)
		add(all[1], func(s string) string { return s[len(s)/2:] })
		pass(vault.MailBounced, vault.MailBounced, vault.MailSent)
		o.check(os.Truncate(file, 0))
		o.check(os.WriteFile(filepath.Join(folder, "new", "1.host:2,S"), []byte(returned(all[2].MessageID)), 0o600))
		pass(vault.MailBounced, vault.MailBounced, vault.MailBounced)
		stop()
		o.check(<-ended)
		o.check(<-ended)
	})
}

func TestHook(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	all := o.sent("a@example.org", "b@example.org")
	const secret = "a secret of some length"
	hook := o.bounces().WebhookHandler(secret, func(w http.ResponseWriter, _ *http.Request, err error) {
		status := http.StatusBadRequest
		if fault.Is(err, fault.Unauthenticated) {
			status = http.StatusUnauthorized
		}
		w.WriteHeader(status)
	})
	tests := []struct {
		name, secret, kind, body string
		status                   int
		answer                   string
	}{
		{"without the secret", "", "message/rfc822", returned(all[0].MessageID), http.StatusUnauthorized, ""},
		{"another secret", "Bearer another", "message/rfc822", returned(all[0].MessageID), http.StatusUnauthorized, ""},
		{"a message", "Bearer " + secret, "message/rfc822", returned(all[0].MessageID), http.StatusOK, `{"noted":true}`},
		{"a message about nobody", "Bearer " + secret, "message/rfc822", "hello", http.StatusOK, `{"noted":false}`},
		{"JSON", "Bearer " + secret, "application/json", `{"message_id":"<` + all[1].MessageID + `>","status":"5.2.2","reason":"full"}`, http.StatusOK, `{"noted":true}`},
		{"JSON without a message", "Bearer " + secret, "application/json", `{}`, http.StatusBadRequest, ""},
	}
	for _, tt := range tests {
		r := httptest.NewRequest(http.MethodPost, "/mail/bounces", strings.NewReader(tt.body))
		r.Header.Set("Authorization", tt.secret)
		r.Header.Set("Content-Type", tt.kind)
		w := httptest.NewRecorder()
		hook.ServeHTTP(w, r)
		if w.Code != tt.status || strings.TrimSpace(w.Body.String()) != tt.answer {
			t.Errorf("%s: %d %s", tt.name, w.Code, w.Body)
		}
	}
	for _, m := range all {
		if o.state(m.ID) != vault.MailBounced {
			t.Errorf("mail %d is %s", m.ID, o.state(m.ID))
		}
	}
}
