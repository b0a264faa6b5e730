package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/agent/mailer"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
)

// benchMail sends the notification mails of a batch to a server on loopback:
// from the store, each with its outcome kept, against the same library sending
// finished texts in a bare loop over one connection.
func benchMail(s setup, t *table) error {
	sink, err := startSink()
	if err != nil {
		return err
	}
	defer sink.listener.Close()
	var ours, peers []float64
	for i := range s.repeat {
		peer, err := timed(func() error { return bareLoop(sink.listener.Addr().String(), s.rows) })
		if err != nil {
			return fmt.Errorf("the bare loop: %w", err)
		}
		own, err := sendAll(sink.listener.Addr().String(), filepath.Join(s.dir, fmt.Sprintf("mail-%d-%d", os.Getpid(), i)), s.rows)
		if err != nil {
			return fmt.Errorf("sending: %w", err)
		}
		ours, peers = append(ours, own), append(peers, peer)
	}
	if want := int64(2 * s.repeat * s.rows); sink.taken.Load() != want {
		return fmt.Errorf("the server took %d mails, not %d", sink.taken.Load(), want)
	}
	t.atMost(fmt.Sprintf("mail, %d notifications", s.rows), ours, peers, 2, seconds)
	return nil
}

// bareLoop sends n mails with the library alone.
func bareLoop(address string, n int) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	client, err := gomail.NewClient(host, gomail.WithPort(number), gomail.WithTLSPolicy(gomail.NoTLS))
	if err != nil {
		return err
	}
	if err := client.DialWithContext(context.Background()); err != nil {
		return err
	}
	content, err := mail.NewTemplates().Render(mail.Issued, mail.SampleData("University", "https://vault.example"))
	if err != nil {
		return err
	}
	for i := range n {
		m := gomail.NewMsg()
		if err := errors.Join(m.From("office@university.example"), m.To(fmt.Sprintf("person%d@example.org", i))); err != nil {
			return err
		}
		m.Subject(content.Subject)
		m.SetMessageID()
		m.SetDate()
		m.SetBodyString(gomail.TypeTextPlain, content.Text)
		m.AddAlternativeString(gomail.TypeTextHTML, content.HTML)
		if err := client.Send(m); err != nil {
			return err
		}
	}
	return client.Close()
}

// sendAll queues n mails in a store of its own and measures how long it takes
// until all are sent and noted as sent.
func sendAll(address, folder string, n int) (float64, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return 0, err
	}
	db, err := bolt.Open(filepath.Join(folder, "vault.db"), time.Second)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	ctx := context.Background()
	who, err := db.AddInstitution(ctx, vault.Institution{Name: "University", TimeZone: "UTC", Sender: "office@university.example"})
	if err != nil {
		return 0, err
	}
	const group = 1000
	for from := 0; from < n; from += group {
		if err := queueMails(ctx, db, who, from, min(group, n-from)); err != nil {
			return 0, err
		}
	}
	server, err := mail.ParseServer("smtp://" + address)
	if err != nil {
		return 0, err
	}
	composer := &mailer.Composer{
		Store: db, Templates: mailer.NewTemplateCache(home.Dir(folder)), Now: time.Now,
		Institutions: institutions.Fixed{All: []vault.Institution{who}, Base: "https://vault.example"},
	}
	p := mailer.NewQueue(db, mailer.QueueOptions{Compose: composer.Compose, NewTransport: func() mailer.Transport { return mail.NewSMTPConn(server) },
		Connections: 2, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	working, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	took, err := timed(func() error {
		go func() { ended <- p.Run(working) }()
		p.Drain(ctx)
		return nil
	})
	stop()
	err = errors.Join(err, <-ended)
	sent, listErr := db.ListMails(ctx, store.MailFilter{Institution: who.ID, State: vault.MailSent}, n+1)
	if err = errors.Join(err, listErr); err == nil && len(sent) != n {
		err = fmt.Errorf("%d of %d mails are noted as sent", len(sent), n)
	}
	return took, err
}

// queueMails approves certificates, which queues their mails.
func queueMails(ctx context.Context, db *bolt.Store, who vault.Institution, from, n int) error {
	now := time.Now()
	rows := make([]store.NewCertificate, n)
	for i := range rows {
		id, err := vault.NewIdentity(rand.Reader, now, 2026)
		if err != nil {
			return err
		}
		c, fx := vault.Accept(vault.Draft{
			Content: vault.Content{Title: "Certificate of Achievement", Name: "Zoë Müller", Email: fmt.Sprintf("person%d@example.org", from+i),
				IssueDate: "2026-06-01"}, File: vault.File{Name: "c.pdf", Format: "pdf", SHA256: vault.HashSecret(strconv.Itoa(from + i))},
		}, who.ID, id, now)
		rows[i] = store.NewCertificate{Certificate: c, Effects: fx}
	}
	if _, err := db.Insert(ctx, rows); err != nil {
		return err
	}
	return settleAll(ctx, db, vault.JobSign, n, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Approve(vault.Verified{Document: vault.Document{SHA256: c.File.SHA256}, SHA256: c.File.SHA256}, []byte("tail"), now)
	})
}

// sink is a mail server that takes everything and keeps nothing.
type sink struct {
	listener net.Listener
	taken    atomic.Int64
}

func startSink() (*sink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{listener: l}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.talk(conn)
		}
	}()
	return s, nil
}

func (s *sink) talk(conn net.Conn) {
	defer conn.Close()
	w := bufio.NewWriter(conn)
	r := textproto.NewReader(bufio.NewReader(conn))
	say := func(line string) bool {
		_, _ = w.WriteString(line + "\r\n")
		return w.Flush() == nil
	}
	for ok := say("220 sink"); ok; {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		switch command, _, _ := strings.Cut(line, " "); strings.ToUpper(command) {
		case "EHLO":
			ok = say("250-sink\r\n250 8BITMIME")
		case "DATA":
			if ok = say("354 go on"); ok {
				if _, err := io.Copy(io.Discard, r.DotReader()); err != nil {
					return
				}
				s.taken.Add(1)
				ok = say("250 taken")
			}
		case "QUIT":
			_ = say("221 bye")
			return
		default:
			ok = say("250 ok")
		}
	}
}
