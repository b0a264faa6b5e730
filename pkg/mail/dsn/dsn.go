// Package dsn reads what mail servers send back when a mail does not arrive:
// delivery status notifications (RFC 3464), out of mailbox files too.
package dsn

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
)

// Report says what became of a mail to one recipient.
type Report struct {
	MessageID string // of the mail, without brackets
	Recipient string // as the reporting server knows it
	Failed    bool   // for good; else it is delayed, or has arrived after all
	Status    string // RFC 3463, "5.1.1"
	Reason    string // the server's words; "" for none
}

// ErrNone is a message that is no delivery status notification.
var ErrNone = errors.New("this is no delivery status notification")

// maxMessage is how much of a message is looked at: a notification's own parts come
// first and are short, the returned mail may be long.
const maxMessage = 1 << 20

// Parse reads one message.
func Parse(r io.Reader) ([]Report, error) {
	m, err := mail.ReadMessage(bufio.NewReader(io.LimitReader(r, maxMessage)))
	if err != nil {
		return nil, ErrNone
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || !strings.EqualFold(params["report-type"], "delivery-status") {
		return nil, ErrNone
	}
	var reports []Report
	messageID := ""
	parts := multipart.NewReader(m.Body, params["boundary"])
	for range 16 { // three are usual
		p, err := parts.NextRawPart()
		if err != nil {
			break // at its end, or cut off: what was read counts
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		switch kind {
		case "message/delivery-status", "message/global-delivery-status":
			reports = append(reports, parseStatuses(decoded(p))...)
		case "message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global", "message/global-headers":
			if h := readHeaders(decoded(p)); messageID == "" {
				messageID = trimID(h.Get("Message-Id"))
			}
		}
	}
	if len(reports) == 0 {
		return nil, ErrNone
	}
	for i := range reports {
		reports[i].MessageID = messageID
	}
	return reports, nil
}

func trimID(id string) string { return strings.Trim(strings.TrimSpace(id), "<>") }

func decoded(p *multipart.Part) io.Reader {
	switch strings.ToLower(p.Header.Get("Content-Transfer-Encoding")) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, p)
	case "quoted-printable":
		return quotedprintable.NewReader(p)
	}
	return p
}

// readHeaders reads fields up to an empty line; what is damaged ends them.
func readHeaders(r io.Reader) textproto.MIMEHeader {
	h, _ := textproto.NewReader(bufio.NewReader(r)).ReadMIMEHeader()
	return h
}

// parseStatuses reads the groups of fields about each recipient, which follow the one
// about the whole (RFC 3464, section 2.1).
func parseStatuses(r io.Reader) []Report {
	var all []Report
	fields := textproto.NewReader(bufio.NewReader(r))
	for range 1000 {
		h, err := fields.ReadMIMEHeader()
		if h.Get("Final-Recipient") != "" && h.Get("Action") != "" {
			all = append(all, Report{
				Recipient: typedValue(h.Get("Final-Recipient")), Failed: strings.EqualFold(h.Get("Action"), "failed"),
				Status: firstWord(h.Get("Status")), Reason: typedValue(h.Get("Diagnostic-Code")),
			})
		}
		if err != nil {
			break
		}
	}
	return all
}

// typedValue is the value behind "smtp;" or "rfc822;".
func typedValue(value string) string {
	if _, after, found := strings.Cut(value, ";"); found {
		value = after
	}
	return strings.TrimSpace(value)
}

func firstWord(s string) string {
	if words := strings.Fields(s); len(words) > 0 {
		return words[0]
	}
	return ""
}

// isSeparator reports whether a line stands between two messages: "From", an address,
// and a time. Not every program quotes lines of a text that begin with "From".
func isSeparator(line []byte) bool {
	rest, found := bytes.CutPrefix(line, []byte("From "))
	if !found {
		return false
	}
	_, date, _ := bytes.Cut(bytes.TrimLeft(rest, " "), []byte(" "))
	i := bytes.IndexByte(date, ':')
	return i > 0 && i+1 < len(date) && isDigit(date[i-1]) && isDigit(date[i+1])
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// Mailbox goes through the messages of a file in mbox form (RFC 4155), and returns
// where in it the last one begins: who comes again later begins there, since it
// may not have been complete.
func Mailbox(r io.Reader, each func(message []byte)) (last int64, err error) {
	lines := bufio.NewReaderSize(r, 64<<10)
	var message bytes.Buffer
	at, blank, begun := int64(0), true, false
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			err = nil // a long line comes in pieces
		}
		if blank && isSeparator(line) {
			if begun {
				each(message.Bytes())
			}
			message.Reset()
			begun, last = true, at
		} else if begun && message.Len()+len(line) <= maxMessage {
			message.Write(line)
		}
		at += int64(len(line))
		blank = len(bytes.TrimRight(line, "\r\n")) == 0
		if err != nil {
			if begun {
				each(message.Bytes())
			}
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return last, err
		}
	}
}
