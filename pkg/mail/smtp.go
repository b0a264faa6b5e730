package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// SMTPConn is a connection to a mail server. It is made when the first mail is sent,
// kept from one mail to the next, and made again when it breaks. It is for one
// caller at a time.
type SMTPConn struct {
	server Server
	client *gomail.Client
	utf8   bool // client announces addresses beyond ASCII
	open   *smtp.Client
	conn   net.Conn
	// stopWatch ends the watch over a connection that was being made.
	stopWatch func() bool
}

// NewSMTPConn makes a line; it connects to nobody yet.
func NewSMTPConn(s Server) *SMTPConn { return &SMTPConn{server: s} }

// Send hands a mail over. The error is a *DeliveryError.
func (l *SMTPConn) Send(ctx context.Context, m Message) error {
	msg, utf8, err := m.compose()
	if err != nil {
		return &DeliveryError{Class: Permanent, Reason: err.Error(), err: err}
	}
	reused := l.open != nil && l.utf8 == utf8
	if !reused {
		if err := l.dial(ctx, utf8); err != nil {
			return err
		}
	}
	if utf8 && !l.takesUTF8() {
		return &DeliveryError{Class: Permanent, Code: "5.6.7",
			Reason: "the mail server does not take addresses with such letters (SMTPUTF8); use another address of the recipient"}
	}
	trouble := l.sendOpen(ctx, msg)
	// A server may hang up on a line that nobody used for a while; that says nothing
	// about the mail.
	if trouble != nil && reused && trouble.Class == ServerUnavailable && (trouble.Code == "" || smtpCode(trouble.Code+" ") == "421") {
		if err := l.dial(ctx, utf8); err != nil {
			return err
		}
		trouble = l.sendOpen(ctx, msg)
	}
	if trouble != nil {
		return trouble
	}
	return nil
}

// Check connects and signs in, sends nothing, and closes the line. The error is a
// *DeliveryError.
func (l *SMTPConn) Check(ctx context.Context) error {
	if err := l.dial(ctx, false); err != nil {
		return err
	}
	l.Close()
	return nil
}

// sendOpen sends over the open connection, and closes it when it is of no use any more.
func (l *SMTPConn) sendOpen(ctx context.Context, msg *gomail.Msg) *DeliveryError {
	conn := l.conn
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now().Add(l.server.gracePeriod())) })
	defer stop()
	err := l.client.SendWithSMTPClient(l.open, msg)
	if err == nil || msg.IsDelivered() {
		return nil
	}
	trouble := classify(err)
	if trouble.Code == "" || trouble.Class == ServerUnavailable {
		l.discard()
	}
	return trouble
}

func (l *SMTPConn) takesUTF8() bool {
	ok, _ := l.open.Extension("SMTPUTF8")
	return ok
}

func (l *SMTPConn) dial(ctx context.Context, utf8 bool) error {
	l.Close()
	client, err := l.newClient(ctx, utf8)
	if err != nil {
		return l.server.unreachable(err)
	}
	l.client, l.utf8 = client, utf8
	open, err := client.DialToSMTPClientWithContext(ctx)
	if l.stopWatch != nil {
		l.stopWatch()
	}
	if err != nil {
		l.discard()
		return l.server.unreachable(err)
	}
	l.open = open
	return nil
}

func (l *SMTPConn) newClient(asked context.Context, utf8 bool) (*gomail.Client, error) {
	s := l.server
	config := &tls.Config{ServerName: s.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
	options := []gomail.Option{
		gomail.WithTimeout(s.stepTimeout()), gomail.WithTLSConfig(config),
		gomail.WithoutNoop(), gomail.WithoutRset(),
		gomail.WithDialContextFunc(func(ctx context.Context, network, _ string) (conn net.Conn, err error) {
			if s.Security == TLS {
				conn, err = (&tls.Dialer{Config: config}).DialContext(ctx, network, s.Address())
			} else {
				conn, err = (&net.Dialer{}).DialContext(ctx, network, s.Address())
			}
			l.conn = conn
			if err == nil {
				// The library heeds a context until there is a connection; a server may then
				// take long to say its first word, and no mail is under way yet.
				l.stopWatch = context.AfterFunc(asked, func() { _ = conn.Close() })
			}
			return conn, err
		}),
	}
	if !utf8 {
		// Servers further on need not know such addresses where there are none.
		options = append(options, gomail.WithoutSMTPUTF8())
	}
	auth := []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin}
	switch s.Security {
	case StartTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case TLS:
		options = append(options, gomail.WithSSL())
	case Plain:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
		auth = []gomail.SMTPAuthType{gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc}
	}
	if s.User != "" {
		options = append(options, gomail.WithOpportunisticSMTPAuth(auth...),
			gomail.WithUsername(s.User), gomail.WithPassword(s.Password))
	}
	return gomail.NewClient(s.Host, options...)
}

// discard forgets a connection that is of no use.
func (l *SMTPConn) discard() {
	if l.conn != nil {
		_ = l.conn.Close() // it is broken, or the server's turn is over
	}
	l.conn, l.open = nil, nil
}

// Close says good-bye to the server, if there is a connection.
func (l *SMTPConn) Close() {
	if l.open != nil {
		_ = l.conn.SetDeadline(time.Now().Add(time.Second))
		err := l.open.Quit()
		if err != nil && !errors.Is(err, net.ErrClosed) {
			_ = l.conn.Close() // a server that does not answer is left without
		}
	}
	l.discard()
}
