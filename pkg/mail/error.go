package mail

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
)

// ErrorClass says whose fault it is that a mail was not taken.
type ErrorClass int

// Who can be to blame.
const (
	// OfServer: nothing was said about the mail; no other will fare better now.
	ServerUnavailable ErrorClass = iota
	// Passing: the server may take the mail later, or the connection broke while it
	// was being sent, so that nobody knows.
	Transient
	// Lasting: the mail, or its recipient, is refused for good.
	Permanent
)

// DeliveryError is why a mail was not taken.
type DeliveryError struct {
	Class  ErrorClass
	Code   string // RFC 3463, "5.1.1", or SMTP's, "550"; "" where the server said none
	Reason string // the server's words, or ours; may hold addresses, so it is not for logs
	local  bool   // Reason holds nothing that the server said but its code
	err    error
}

// Error is the code that the server said; where it said none, the reason. Where the
// server is to blame, it names nobody, so it may stand in a log.
func (t *DeliveryError) Error() string {
	if t.Code != "" && !t.local {
		return fmt.Sprintf("the mail server answered %s", t.Code)
	}
	return t.Reason
}

// Unwrap is what the mail library or the network said.
func (t *DeliveryError) Unwrap() error { return t.err }

// unreachable explains why there is no connection.
func (s Server) unreachable(err error) *DeliveryError {
	t := &DeliveryError{Class: ServerUnavailable, err: err}
	code := smtpCode(err.Error())
	var unknown x509.UnknownAuthorityError
	var wrongName x509.HostnameError
	var record tls.RecordHeaderError
	_, isNet := errors.AsType[net.Error](err)
	switch {
	case strings.HasPrefix(err.Error(), "SMTP AUTH failed"), strings.Contains(err.Error(), "AUTH"):
		t.Reason = fmt.Sprintf("the mail server %s does not accept the name and password (%s); check mail.smtp_url", s.Address(), orUnknown(code))
	case strings.Contains(err.Error(), "STARTTLS"):
		t.Reason = fmt.Sprintf("the mail server %s does not offer STARTTLS; if it is on a trusted network, put ?tls=off behind its address in mail.smtp_url", s.Address())
	case errors.As(err, &unknown), errors.As(err, &wrongName), errors.As(err, &record), isCertificate(err):
		t.Reason = fmt.Sprintf("the mail server %s cannot show that it is who it should be (%v); check its name, its certificate, and smtp or smtps in mail.smtp_url", s.Address(), err)
	case code != "":
		t.Code, t.local = code, true
		t.Reason = fmt.Sprintf("the mail server %s refuses us (%s); check mail.smtp_url, and ask the server's operator whether this machine may send through it", s.Address(), code)
	case isNet:
		t.Reason = fmt.Sprintf("the mail server %s cannot be reached; check mail.smtp_url and that it runs", s.Address())
	default:
		t.Reason = fmt.Sprintf("the mail server %s cannot be talked to; check mail.smtp_url and that it runs", s.Address())
	}
	return t
}

func isCertificate(err error) bool {
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	return errors.As(err, &invalid) || errors.As(err, &verification)
}

func orUnknown(code string) string {
	if code == "" {
		return "no reason given"
	}
	return code
}

// classify says who is to blame for what the library reports of a mail.
func classify(err error) *DeliveryError {
	t := &DeliveryError{Class: Transient, err: err}
	se, ok := errors.AsType[*gomail.SendError](err)
	if !ok {
		t.Reason = "the connection broke"
		return t
	}
	t.Reason = serverText(se)
	code := se.ErrorCode()
	if code != 0 {
		t.Code = fmt.Sprint(code)
	}
	if e := se.EnhancedStatusCode(); e != "" {
		t.Code = e
	}
	switch se.Reason {
	case gomail.ErrConnCheck:
		t.Class, t.Reason = ServerUnavailable, "the connection broke"
	case gomail.ErrSMTPMailFrom:
		// About the sender, so about every mail. What the server says stays out of it.
		t.Class = ServerUnavailable
		if code == 0 {
			t.Reason = "the connection broke"
		}
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		switch {
		case code == 421:
			t.Class = ServerUnavailable
		case code >= 500:
			t.Class = Permanent
		case code == 0:
			t.Reason = "the connection broke while the mail was being sent"
		}
	case gomail.ErrGetRcpts, gomail.ErrGetSender, gomail.ErrNoUnencoded:
		t.Class = Permanent
	case gomail.ErrWriteContent, gomail.ErrSMTPReset, gomail.ErrAmbiguous:
		t.Reason = "the connection broke while the mail was being sent"
	}
	return t
}

// serverText is what the server said, without what the library puts around them.
func serverText(se *gomail.SendError) string {
	text := strings.TrimPrefix(se.Error(), se.Reason.String()+":")
	text, _, _ = strings.Cut(text, ", affected ")
	return Shorten(text)
}

// Shorten is a text of somebody else's, of one line and no great length.
func Shorten(text string) string {
	const most = 300
	text = strings.Join(strings.Fields(OneLine(text)), " ")
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most]) + "..."
}

// smtpCode is the reply code at the beginning of a text, or behind a colon; "" for none.
func smtpCode(text string) string {
	for part := range strings.SplitSeq(text, ": ") {
		if len(part) >= 4 && (part[0] == '4' || part[0] == '5') && isDigit(part[1]) && isDigit(part[2]) && part[3] == ' ' {
			return part[:3]
		}
	}
	return ""
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }
