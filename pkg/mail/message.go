package mail

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"
)

// Message is a mail as it is sent.
type Message struct {
	Rendered
	From, FromName string
	To, ToName     string
	ReplyTo        string // "" for none
	MessageID      string // without brackets
	Date           time.Time
}

// errAddress is an address that no mail can be sent to.
var errAddress = errors.New("the address cannot be written in a mail")

// address is a mailbox in the form in which it travels: its domain in ASCII.
func address(name, addr string) (*mail.Address, error) {
	at := strings.LastIndexByte(addr, '@')
	if at < 1 || strings.ContainsAny(addr, "\r\n\x00<>") {
		return nil, errAddress
	}
	domain, err := idna.Lookup.ToASCII(addr[at+1:])
	if err != nil {
		return nil, errAddress
	}
	parsed, err := mail.ParseAddress("<" + addr[:at+1] + domain + ">")
	if err != nil {
		return nil, errAddress
	}
	parsed.Name = OneLine(name)
	return parsed, nil
}

// needsUTF8 reports whether an address can only be given to a server that takes
// such ones (RFC 6531).
func needsUTF8(a *mail.Address) bool {
	return strings.ContainsFunc(a.Address, func(r rune) bool { return r > '~' })
}

// compose makes the library's message.
func (m Message) compose() (msg *gomail.Msg, beyondASCII bool, err error) {
	msg = gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	from, err := address(m.FromName, m.From)
	if err != nil {
		return nil, false, fmt.Errorf("the sender's address: %w", err)
	}
	to, err := address(m.ToName, m.To)
	if err != nil {
		return nil, false, fmt.Errorf("the recipient's address: %w", err)
	}
	msg.SetAddrHeaderFromMailAddress(gomail.HeaderFrom, from)
	msg.SetAddrHeaderFromMailAddress(gomail.HeaderTo, to)
	if m.ReplyTo != "" {
		// A visitor may have given anything; a mail without it is better than none.
		if reply, err := address("", m.ReplyTo); err == nil && !needsUTF8(reply) {
			msg.SetAddrHeaderFromMailAddress(gomail.HeaderReplyTo, reply)
		}
	}
	setSubject(msg, OneLine(m.Subject))
	msg.SetMessageIDWithValue(m.MessageID)
	msg.SetDateWithValue(m.Date)
	// RFC 3834: nobody's absence note is to answer this.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	return msg, needsUTF8(to) || needsUTF8(from), nil
}

// setSubject writes a subject so that it is read as it is: plain text that looks
// like an encoded word (RFC 2047) is encoded itself.
func setSubject(msg *gomail.Msg, subject string) {
	if !strings.Contains(subject, "=?") {
		msg.Subject(subject)
		return
	}
	const most = 42 // bytes of a word, so that it stays under 75 characters
	var words []string
	var word strings.Builder
	flush := func() {
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(word.String()))+"?=")
		word.Reset()
	}
	for _, r := range subject {
		if word.Len()+utf8.RuneLen(r) > most {
			flush()
		}
		word.WriteRune(r)
	}
	flush()
	msg.SetGenHeaderPreformatted(gomail.HeaderSubject, strings.Join(words, "\r\n "))
}

// WriteTo writes the message as a file of its own (RFC 5322), the .eml of mail
// programs. A message that cannot be written is a *DeliveryError.
func (m Message) WriteTo(w io.Writer) (int64, error) {
	msg, _, err := m.compose()
	if err != nil {
		return 0, &DeliveryError{Class: Permanent, Reason: err.Error(), err: err}
	}
	return msg.WriteTo(w)
}
