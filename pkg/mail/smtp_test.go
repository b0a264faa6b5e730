package mail_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/mail/mailtest"
)

func message(to string) mail.Message {
	return mail.Message{
		Rendered: mail.Rendered{Subject: "Your certificate", Text: "Dear you,\n\n.dots at the start\n", HTML: "<p>Dear you,</p>"},
		From:     "office@university.example", FromName: "Universität", To: to, ToName: "Zoë, Müller",
		MessageID: "7.abc@university.example", Date: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC),
	}
}

func lineTo(t *testing.T, address string, edit func(*mail.Server)) *mail.SMTPConn {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	s := mail.Server{Host: host, Port: port, Security: mail.Plain, StepTimeout: 20 * time.Second}
	edit(&s)
	l := mail.NewSMTPConn(s)
	t.Cleanup(l.Close)
	return l
}

func asItIs(*mail.Server) {}

// blamed wants a trouble of a kind.
func blamed(t *testing.T, err error, want mail.ErrorClass, code string) {
	t.Helper()
	trouble, ok := errors.AsType[*mail.DeliveryError](err)
	if !ok || trouble.Class != want || trouble.Code != code {
		t.Errorf("trouble %+v of %v, want blame %d and code %q", trouble, err, want, code)
	}
}

func TestSecuredServers(t *testing.T) {
	t.Parallel()
	const user, password = "office@university.example", "p@ss word"
	for _, security := range []string{"starttls", "tls"} {
		t.Run(security, func(t *testing.T) {
			t.Parallel()
			server := mailtest.StartReal(t, mailtest.Options{Security: security, User: user, Password: password})
			kind := mail.StartTLS
			if security == "tls" {
				kind = mail.TLS
			}
			line := lineTo(t, server.Address, func(s *mail.Server) {
				s.Security, s.User, s.Password, s.Roots = kind, user, password, server.Roots
			})
			for _, to := range []string{"one@example.org", "two@bücher.example", "drei-ü@example.org"} {
				if err := line.Send(t.Context(), message(to)); err != nil {
					t.Errorf("%s: %v", to, err)
				}
			}
			got := server.Mails(t)
			if len(got) != 3 || !strings.Contains(got[0], "X-Rcpt: one@example.org\r\n") ||
				!strings.Contains(got[1], "X-Rcpt: two@xn--bcher-kva.example\r\n") || !strings.Contains(got[2], "X-Rcpt: drei-ü@example.org\r\n") {
				t.Errorf("got %q", got)
			}
			wrong := lineTo(t, server.Address, func(s *mail.Server) {
				s.Security, s.User, s.Password, s.Roots = kind, user, "wrong", server.Roots
			})
			err := wrong.Send(t.Context(), message("one@example.org"))
			blamed(t, err, mail.ServerUnavailable, "")
			if !strings.Contains(err.Error(), "name and password") || strings.Contains(err.Error(), "wrong") {
				t.Errorf("a wrong password is told as %v", err)
			}
			stranger := lineTo(t, server.Address, func(s *mail.Server) { s.Security, s.User, s.Password = kind, user, password })
			err = stranger.Send(t.Context(), message("one@example.org"))
			blamed(t, err, mail.ServerUnavailable, "")
			if !strings.Contains(err.Error(), "who it should be") {
				t.Errorf("a certificate of nobody is told as %v", err)
			}
			if n := len(server.Mails(t)); n != 3 {
				t.Errorf("%d mails after refused connections", n)
			}
		})
	}
}

func TestRealServerRefuses(t *testing.T) {
	t.Parallel()
	server := mailtest.StartReal(t, mailtest.Options{Security: "plain"})
	line := lineTo(t, server.Address, asItIs)
	blamed(t, line.Send(t.Context(), message("refuse-me@example.org")), mail.Permanent, "550")
	blamed(t, line.Send(t.Context(), message("later@example.org")), mail.Transient, "451")
	blamed(t, line.Send(t.Context(), message("drop@example.org")), mail.Transient, "")
	if err := line.Send(t.Context(), message("one@example.org")); err != nil {
		t.Error(err)
	}
	if n := len(server.Mails(t)); n != 1 {
		t.Errorf("%d mails, want 1", n)
	}
	noTLS := lineTo(t, server.Address, func(s *mail.Server) { s.Security = mail.StartTLS })
	err := noTLS.Send(t.Context(), message("one@example.org"))
	blamed(t, err, mail.ServerUnavailable, "")
	if !strings.Contains(err.Error(), "does not offer STARTTLS") {
		t.Errorf("missing STARTTLS is told as %v", err)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, command, answer string
		blame                 mail.ErrorClass
		code                  string
	}{
		{"no such user", "RCPT", "550 5.1.1 <x@example.org>: no such user", mail.Permanent, "5.1.1"},
		{"mailbox full", "RCPT", "452 4.2.2 mailbox full", mail.Transient, "4.2.2"},
		{"without an enhanced code", "RCPT", "550 no", mail.Permanent, "550"},
		{"the sender is refused", "MAIL", "550 5.7.1 not your address", mail.ServerUnavailable, "5.7.1"},
		{"too many mails", "MAIL", "450 4.7.0 too many", mail.ServerUnavailable, "4.7.0"},
		{"content refused", ".", "554 5.7.1 spam", mail.Permanent, "5.7.1"},
		{"content refused for now", ".", "451 4.7.1 greylisted", mail.Transient, "4.7.1"},
		{"data refused", "DATA", "554 5.5.1 no", mail.Permanent, "5.5.1"},
		{"the server goes", "RCPT", "421 4.3.2 shutting down", mail.ServerUnavailable, "4.3.2"},
		{"dropped at the greeting", "CONNECT", "drop", mail.ServerUnavailable, ""},
		{"turned away at the greeting", "CONNECT", "554 5.7.1 blocked", mail.ServerUnavailable, "554"},
		{"dropped at the sender", "MAIL", "drop", mail.ServerUnavailable, ""},
		{"dropped at the recipient", "RCPT", "drop", mail.Transient, ""},
		{"dropped at the data", "DATA", "drop", mail.Transient, ""},
		{"dropped at the end", ".", "drop", mail.Transient, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var willing atomic.Bool
			server := (&mailtest.Fake{Answer: func(command, _ string) string {
				if command == tt.command && !willing.Load() {
					return tt.answer
				}
				return ""
			}}).Start(t)
			line := lineTo(t, server.Address(), asItIs)
			blamed(t, line.Send(t.Context(), message("x@example.org")), tt.blame, tt.code)
			willing.Store(true)
			if err := line.Send(t.Context(), message("x@example.org")); err != nil {
				t.Errorf("the next mail: %v", err)
			}
		})
	}
}

func TestLineIsReused(t *testing.T) {
	t.Parallel()
	server := (&mailtest.Fake{}).Start(t)
	line := lineTo(t, server.Address(), asItIs)
	send := func() {
		t.Helper()
		if err := line.Send(t.Context(), message("x@example.org")); err != nil {
			t.Error(err)
		}
	}
	for range 20 {
		send()
	}
	if n := server.Connections(); n != 1 {
		t.Errorf("%d connections for 20 mails", n)
	}
	server.CloseConnections()
	send()
	line.Close()
	send()
	if calls, mails := server.Connections(), len(server.Received()); calls != 3 || mails != 22 {
		t.Errorf("%d connections, %d mails", calls, mails)
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	const nobody = "127.0.0.1:1"
	err := lineTo(t, nobody, asItIs).Send(t.Context(), message("x@example.org"))
	blamed(t, err, mail.ServerUnavailable, "")
	if !strings.Contains(err.Error(), nobody) || !strings.Contains(err.Error(), "mail.smtp_url") {
		t.Errorf("told as %v", err)
	}
}

// TestStopping has a server that never answers to a mail's end.
func TestStopping(t *testing.T) {
	t.Parallel()
	reached, release := make(chan struct{}), make(chan struct{})
	server := (&mailtest.Fake{Answer: func(command, _ string) string {
		if command == "." {
			close(reached)
			<-release
		}
		return ""
	}}).Start(t)
	line := lineTo(t, server.Address(), func(s *mail.Server) { s.StepTimeout, s.GracePeriod = time.Hour, time.Millisecond })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- line.Send(ctx, message("x@example.org")) }()
	<-reached
	stop()
	blamed(t, <-ended, mail.Transient, "")
	close(release)
}

// TestStoppingBeforeTheFirstWord has a server that takes connections and says nothing.
func TestStoppingBeforeTheFirstWord(t *testing.T) {
	t.Parallel()
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mute.Close() })
	line := lineTo(t, mute.Addr().String(), func(s *mail.Server) { s.StepTimeout = time.Hour })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- line.Send(ctx, message("x@example.org")) }()
	conn, err := mute.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	stop()
	blamed(t, <-ended, mail.ServerUnavailable, "")
}

func TestTurnedAway(t *testing.T) {
	t.Parallel()
	for _, greeting := range []string{"554 go away, zoe@example.org", "421 too busy"} {
		away, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { away.Close() })
		go func() {
			for {
				conn, err := away.Accept()
				if err != nil {
					return
				}
				_, _ = io.WriteString(conn, greeting+"\r\n")
				conn.Close()
			}
		}()
		err = lineTo(t, away.Addr().String(), asItIs).Send(t.Context(), message("x@example.org"))
		blamed(t, err, mail.ServerUnavailable, greeting[:3])
		for _, want := range []string{away.Addr().String(), greeting[:3], "check mail.smtp_url"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("told as %v, without %q", err, want)
			}
		}
		if strings.Contains(err.Error(), "zoe@") {
			t.Errorf("told with the server's own words: %v", err)
		}
	}
}

func TestParseServer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		url  string
		want mail.Server
	}{
		{"smtp://user:pass%40word@mail.example.org:2525", mail.Server{Host: "mail.example.org", Port: "2525", User: "user", Password: "pass@word"}},
		{"smtp://mail.example.org", mail.Server{Host: "mail.example.org", Port: "587"}},
		{"smtps://mail.example.org", mail.Server{Host: "mail.example.org", Port: "465", Security: mail.TLS}},
		{"smtp://localhost:25", mail.Server{Host: "localhost", Port: "25", Security: mail.Plain}},
		{"smtp://u:p@[::1]:25", mail.Server{Host: "::1", Port: "25", Security: mail.Plain, User: "u", Password: "p"}},
		{"smtp://localhost:25?tls=starttls", mail.Server{Host: "localhost", Port: "25"}},
		{"smtp://relay.internal:25?tls=off", mail.Server{Host: "relay.internal", Port: "25", Security: mail.Plain}},
	}
	for _, tt := range tests {
		if got, err := mail.ParseServer(tt.url); err != nil || got != tt.want {
			t.Errorf("%s: %+v, %v", tt.url, got, err)
		}
	}
	for _, bad := range []string{"", "mail.example.org", "http://x", "smtp://", "smtp://h:0", "smtp://h:99999", "smtp://h/path",
		"smtp://h?tls=perhaps", "smtps://h?tls=off", "smtp://u:secret@h?tls=off", "smtp://u:se cret\n@h"} {
		if _, err := mail.ParseServer(bad); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// FuzzParseServer holds that an address is taken with all that a line needs, that no
// password is shown, and that none would leave this machine in the open.
func FuzzParseServer(f *testing.F) {
	for _, seed := range []string{"smtp://user:pass%40word@mail.example.org:2525", "smtps://[::1", "smtp://u:p@[::1]:25", "smtp://h?tls=off", "smtp://u@h?tls=off&tls=", "smtp://h:+5", "smtp://h%0d%0a:25"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		got, err := mail.ParseServer(address)
		if u, parsed := url.Parse(address); err != nil && parsed == nil {
			if word, ok := u.User.Password(); ok && len(word) > 8 && strings.Contains(err.Error(), word) && !strings.Contains(mailServerWords, word) {
				t.Errorf("%q: a password is shown: %v", address, err)
			}
		}
		if err != nil {
			return
		}
		n, err := strconv.Atoi(got.Port)
		if got.Host == "" || err != nil || n < 1 || n > 65535 {
			t.Errorf("%q: %+v", address, got)
		}
		if ip := net.ParseIP(got.Host); got.User != "" && got.Security == mail.Plain && got.Host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			t.Errorf("%q: the password of %s would be sent in the open", address, got.Host)
		}
	})
}

// mailServerWords is what complaints about an address say anyway.
const mailServerWords = "the mail server's address is not one such as smtp://user:password@host:587; special characters in name and password are written as in %40 for @"
