package main

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/mail/mailtest"
)

// TestKilledWhileSending kills the program without warning while mails go out to
// a real server, again and again. No mail may be lost, and one that goes out
// twice must be the same mail to its recipient.
func TestKilledWhileSending(t *testing.T) {
	t.Parallel()
	rows, kills := 60, 6
	if long() {
		rows, kills = 1000, 60
	}
	random := rand.New(rand.NewPCG(7, 0))
	s := newSite(t)
	s.done("init", "--no-input", "--sender", "office@vec.example.edu")
	s.env = append(s.env, "VECCTL_MAIL_HOLD=1h")
	s.bulk(0, s.batch(rows))
	server := mailtest.StartReal(t, mailtest.Options{Security: "plain"})
	s.env = append(s.env, "VECCTL_MAIL_HOLD=0s", "VECCTL_SMTP_URL=smtp://"+server.Address)
	// Held mails are released by cancelling them and sending them again.
	s.done("mail", "cancel", "--batch", *s.all()[0].BatchID)
	var names []string
	for _, c := range s.all() {
		names = append(names, c.ReferenceID)
	}
	s.env = append(s.env, "VECCTL_SMTP_URL=smtp://127.0.0.1:1")
	s.done(append([]string{"mail", "resend"}, names...)...)
	s.env = append(s.env, "VECCTL_SMTP_URL=smtp://"+server.Address)

	for killed := 0; killed < kills; {
		cmd := s.command("mail", "send")
		started := s.start(cmd)
		ended := make(chan struct{})
		want := len(server.Mails(t)) + random.IntN(max(rows/kills, 1))
		go func() {
			defer close(ended)
			s.finish(cmd, started)
		}()
		for running := true; running; {
			select {
			case <-ended:
				running = false
			case <-time.After(time.Millisecond):
				if len(server.Mails(t)) > want {
					_ = cmd.Process.Kill() // it may have ended
				}
			}
		}
		if cmd.ProcessState.ExitCode() == 0 {
			break // all had gone out before
		}
		killed++
	}
	// Mails whose sender died several times wait a second, and are sent one by one.
	for tries := 0; !strings.Contains(s.done("mail", "send", "--json").stdout, `"waiting": 0`); tries++ {
		if tries == 500 {
			t.Fatal("mails still wait")
		}
	}
	var sent []adminclient.Mail
	must(t, json.Unmarshal([]byte(s.done("mail", "list", "--state", "sent", "-o", "json").stdout), &sent))
	if len(sent) != rows {
		t.Errorf("%d mails are noted as sent, want %d", len(sent), rows)
	}
	ids := map[string]string{}
	got := server.Mails(t)
	for _, m := range got {
		to, id := line(m, "X-Rcpt: "), line(m, "Message-ID: ")
		if ids[to] != "" && ids[to] != id {
			t.Errorf("%s got two mails: %s and %s", to, ids[to], id)
		}
		ids[to] = id
	}
	for _, m := range sent {
		if ids[m.To] != "<"+m.MessageID+">" {
			t.Errorf("%s got %q, want <%s>", m.To, ids[m.To], m.MessageID)
		}
	}
	t.Logf("%d mails for %d recipients", len(got), rows)
}

// line is the rest of the line of a mail that begins so.
func line(mail, begin string) string {
	for l := range strings.SplitSeq(mail, "\r\n") {
		if rest, ok := strings.CutPrefix(l, begin); ok {
			return rest
		}
	}
	return ""
}
