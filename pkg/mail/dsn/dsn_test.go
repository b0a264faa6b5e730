package dsn_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/mail/dsn"
)

// crlf writes line ends as they come over the wire.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// The forms are those of Postfix, Exim and Exchange.
const (
	postfix = `From MAILER-DAEMON Mon Jun  1 12:00:00 2026
From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
To: office@university.example
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status;
	boundary="B1/mx.example.org"
Auto-Submitted: auto-replied

--B1/mx.example.org
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--B1/mx.example.org
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
Arrival-Date: Mon,  1 Jun 2026 12:00:00 +0000

Final-Recipient: rfc822; jane@example.org
Original-Recipient: rfc822;jane@example.org
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.example.org
Diagnostic-Code: smtp; 550 5.1.1 <jane@example.org>: Recipient address
    rejected: User unknown

--B1/mx.example.org
Content-Type: message/rfc822

Return-Path: <office@university.example>
Message-ID: <42.abcdef@university.example>
To: jane@example.org
Subject: Your certificate

From here on it is the mail's own text.
--B1/mx.example.org--

`
	delayed = `From MAILER-DAEMON Mon Jun  1 12:00:00 2026
Content-Type: multipart/report; report-type="delivery-status"; boundary=x

--x
Content-Type: message/delivery-status
Content-Transfer-Encoding: base64

UmVwb3J0aW5nLU1UQTogZG5zO214CgpGaW5hbC1SZWNpcGllbnQ6IHJmYzgyMjtqYW5lQGV4YW1w
bGUub3JnCkFjdGlvbjogZGVsYXllZApTdGF0dXM6IDQuNC4xIChubyBhbnN3ZXIpCg==
--x
Content-Type: text/rfc822-headers

Message-ID: <43.abcdef@university.example>
Subject: x
--x--

`
	reply = `From jane Mon Jun  1 12:00:00 2026
Content-Type: text/plain
Subject: Re: Your certificate

Thank you!

`
)

func TestMailbox(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{"lf": postfix + reply + delayed, "crlf": crlf(postfix + reply + delayed)} {
		var got []dsn.Report
		none := 0
		last, err := dsn.Mailbox(strings.NewReader(file), func(message []byte) {
			found, err := dsn.Parse(strings.NewReader(string(message)))
			if errors.Is(err, dsn.ErrNone) {
				none++
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			got = append(got, found...)
		})
		want := []dsn.Report{
			{MessageID: "42.abcdef@university.example", Recipient: "jane@example.org", Failed: true, Status: "5.1.1",
				Reason: "550 5.1.1 <jane@example.org>: Recipient address rejected: User unknown"},
			{MessageID: "43.abcdef@university.example", Recipient: "jane@example.org", Status: "4.4.1"},
		}
		if err != nil || none != 1 || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %d others\n got %+v\nwant %+v", name, err, none, got, want)
		}
		if !strings.HasPrefix(file[last:], "From MAILER-DAEMON") || strings.Count(file[last:], "--x--") != 1 || strings.Contains(file[last:], "B1/mx") {
			t.Errorf("%s: the last one begins at %d of %d", name, last, len(file))
		}
	}
}

func TestNoNotification(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "no header", "Content-Type: multipart/report; report-type=delivery-status\n\n",
		"Content-Type: multipart/report; report-type=disposition-notification; boundary=x\n\n--x\n\n--x--\n",
		"Content-Type: multipart/report; report-type=delivery-status; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n--x--\n"} {
		if found, err := dsn.Parse(strings.NewReader(text)); !errors.Is(err, dsn.ErrNone) {
			t.Errorf("%q: %+v, %v", text, found, err)
		}
	}
	last, err := dsn.Mailbox(strings.NewReader("no mailbox\n\nat all"), func([]byte) { t.Error("a message") })
	if last != 0 || err != nil {
		t.Errorf("%d, %v", last, err)
	}
}

func FuzzMailbox(f *testing.F) {
	f.Add(postfix + reply + delayed)
	f.Add(crlf(postfix))
	f.Add("From \n\nFrom \n")
	f.Fuzz(func(t *testing.T, file string) {
		last, err := dsn.Mailbox(strings.NewReader(file), func(message []byte) {
			found, err := dsn.Parse(strings.NewReader(string(message)))
			if (err == nil) != (len(found) > 0) {
				t.Errorf("%d reports, %v", len(found), err)
			}
			for _, r := range found {
				if r.Recipient == "" {
					t.Errorf("a report about nobody: %+v", r)
				}
			}
		})
		if err != nil || last < 0 || last > int64(len(file)) {
			t.Errorf("the last begins at %d of %d, %v", last, len(file), err)
		}
	})
}
