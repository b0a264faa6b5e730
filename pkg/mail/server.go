package mail

import (
	"crypto/x509"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Security is how a connection to a mail server is protected.
type Security int

// The kinds of protection.
const (
	StartTLS Security = iota // plain at first, then TLS before anything else (RFC 3207)
	TLS                      // TLS from the first byte (RFC 8314)
	Plain                    // none: to a server on the same machine
)

// Server is a mail server that takes mails for the world.
type Server struct {
	Host, Port     string
	Security       Security
	User, Password string         // "" does not sign in
	Roots          *x509.CertPool // who vouches for the server; nil is the system's
	// StepTimeout is how long one step may take; 0 is a minute.
	StepTimeout time.Duration
	// GracePeriod is how long what is under way may take once it was asked to end; 0 is
	// five seconds.
	GracePeriod time.Duration
}

// ParseServer reads the address of a mail server:
//
//	smtp://user:password@host:587   STARTTLS; on this machine, no TLS
//	smtps://user:password@host:465  TLS from the first byte
//
// The query "?tls=off" or "?tls=starttls" decides otherwise for smtp.
func ParseServer(s string) (Server, error) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") ||
		(u.Path != "" && u.Path != "/") || u.Fragment != "" {
		// The address may hold a password, so it is not repeated.
		return Server{}, fault.New(fault.Invalid, "the mail server's address is not one such as smtp://user:password@host:587; "+
			"special characters in name and password are written as in %40 for @")
	}
	server := Server{Host: u.Hostname(), Port: u.Port(), User: u.User.Username()}
	server.Password, _ = u.User.Password()
	switch {
	case u.Scheme == "smtps":
		server.Security = TLS
	case u.Query().Get("tls") == "off", u.Query().Get("tls") == "" && isLocal(server.Host):
		server.Security = Plain
	}
	if tls := u.Query().Get("tls"); tls != "" && (tls != "off" && tls != "starttls" || u.Scheme == "smtps") {
		return Server{}, fault.New(fault.Invalid, `of the mail server's address: "tls" is "off" or "starttls", and for smtp:// alone`)
	}
	if server.Port == "" {
		server.Port = "587"
		if server.Security == TLS {
			server.Port = "465"
		}
	}
	if n, err := strconv.Atoi(server.Port); err != nil || n < 1 || n > 65535 {
		return Server{}, fault.New(fault.Invalid, "the mail server's port is no number from 1 to 65535")
	}
	if server.User != "" && server.Security == Plain && !isLocal(server.Host) {
		return Server{}, fault.New(fault.Invalid, "a password is not sent over the network without TLS; leave \"?tls=off\" out of the mail server's address")
	}
	return server, nil
}

// isLocal reports whether a host is this machine.
func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Address is host and port.
func (s Server) Address() string { return net.JoinHostPort(s.Host, s.Port) }

func (s Server) gracePeriod() time.Duration {
	if s.GracePeriod == 0 {
		return 5 * time.Second
	}
	return s.GracePeriod
}

func (s Server) stepTimeout() time.Duration {
	if s.StepTimeout == 0 {
		return time.Minute
	}
	return s.StepTimeout
}
