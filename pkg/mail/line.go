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

// Line is a connection to a mail server. It is made when the first mail is sent,
// kept from one mail to the next, and made again when it breaks. It is for one
// caller at a time.
type Line struct {
	server Server
	client *gomail.Client
	utf8   bool // client announces addresses beyond ASCII
	open   *smtp.Client
	conn   net.Conn
	// unwatch ends the watch over a connection that was being made.
	unwatch func() bool
}

// NewLine makes a line; it connects to nobody yet.
func NewLine(s Server) *Line { return &Line{server: s} }

// Send hands a mail over. The error is a *Trouble.
func (l *Line) Send(ctx context.Context, m Message) error {
	msg, utf8, err := m.compose()
	if err != nil {
		return &Trouble{Blame: Lasting, Reason: err.Error(), err: err}
	}
	reused := l.open != nil && l.utf8 == utf8
	if !reused {
		if err := l.dial(ctx, utf8); err != nil {
			return err
		}
	}
	if utf8 && !l.takesUTF8() {
		return &Trouble{Blame: Lasting, Code: "5.6.7",
			Reason: "the mail server does not take addresses with such letters (SMTPUTF8); use another address of the recipient"}
	}
	trouble := l.hand(ctx, msg)
	// A server may hang up on a line that nobody used for a while; that says nothing
	// about the mail.
	if trouble != nil && reused && trouble.Blame == OfServer && (trouble.Code == "" || smtpCode(trouble.Code+" ") == "421") {
		if err := l.dial(ctx, utf8); err != nil {
			return err
		}
		trouble = l.hand(ctx, msg)
	}
	if trouble != nil {
		return trouble
	}
	return nil
}

// Try connects and signs in, sends nothing, and closes the line. The error is a
// *Trouble.
func (l *Line) Try(ctx context.Context) error {
	if err := l.dial(ctx, false); err != nil {
		return err
	}
	l.Close()
	return nil
}

// hand sends over the open connection, and closes it when it is of no use any more.
func (l *Line) hand(ctx context.Context, msg *gomail.Msg) *Trouble {
	conn := l.conn
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now().Add(l.server.grace())) })
	defer stop()
	err := l.client.SendWithSMTPClient(l.open, msg)
	if err == nil || msg.IsDelivered() {
		return nil
	}
	trouble := judge(err)
	if trouble.Code == "" || trouble.Blame == OfServer {
		l.drop()
	}
	return trouble
}

func (l *Line) takesUTF8() bool {
	ok, _ := l.open.Extension("SMTPUTF8")
	return ok
}

func (l *Line) dial(ctx context.Context, utf8 bool) error {
	l.Close()
	client, err := l.newClient(ctx, utf8)
	if err != nil {
		return l.server.unreachable(err)
	}
	l.client, l.utf8 = client, utf8
	open, err := client.DialToSMTPClientWithContext(ctx)
	if l.unwatch != nil {
		l.unwatch()
	}
	if err != nil {
		l.drop()
		return l.server.unreachable(err)
	}
	l.open = open
	return nil
}

func (l *Line) newClient(asked context.Context, utf8 bool) (*gomail.Client, error) {
	s := l.server
	config := &tls.Config{ServerName: s.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
	options := []gomail.Option{
		gomail.WithTimeout(s.patience()), gomail.WithTLSConfig(config),
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
				l.unwatch = context.AfterFunc(asked, func() { _ = conn.Close() })
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

// drop forgets a connection that is of no use.
func (l *Line) drop() {
	if l.conn != nil {
		_ = l.conn.Close() // it is broken, or the server's turn is over
	}
	l.conn, l.open = nil, nil
}

// Close says good-bye to the server, if there is a connection.
func (l *Line) Close() {
	if l.open != nil {
		_ = l.conn.SetDeadline(time.Now().Add(time.Second))
		err := l.open.Quit()
		if err != nil && !errors.Is(err, net.ErrClosed) {
			_ = l.conn.Close() // a server that does not answer is left without
		}
	}
	l.drop()
}
