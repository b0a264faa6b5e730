package adminclient

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Mail is a mail as staff see it.
type Mail struct {
	ID          uint64     `json:"id"`
	Kind        string     `json:"kind"`  // issued, reissued, revoked, sign_in, correction, key_end
	State       string     `json:"state"` // waiting, sent, refused, bounced, cancelled
	To          string     `json:"to"`    // "" is staff
	ReferenceID string     `json:"reference_id"`
	UUID        string     `json:"uuid"` // of the certificate
	BatchID     *string    `json:"batch_id"`
	MessageID   string     `json:"message_id"`
	Attempts    int        `json:"attempts"`
	Code        string     `json:"code"`   // why it did not arrive, "5.1.1"
	Reason      string     `json:"reason"` // the same in words
	Resends     *uint64    `json:"resends"`
	CreatedAt   time.Time  `json:"created_at"`
	NotBefore   *time.Time `json:"not_before"` // held until then
	SentAt      *time.Time `json:"sent_at"`
}

// MailFilter selects mails; empty fields do not restrict.
type MailFilter struct {
	State, Batch string
	Certificate  string // UUID or reference ID
	Bounced      bool   // refused or bounced, and not sent again
	Limit        int    // 0 is all
}

// Mails lists an institution's mails, newest first.
func (c *Client) Mails(ctx context.Context, f MailFilter) ([]Mail, error) {
	q := url.Values{"state": {f.State}, "batch_id": {f.Batch}, "certificate": {f.Certificate},
		"bounced": {strconv.FormatBool(f.Bounced)}, "limit": {strconv.Itoa(f.Limit)}}
	var all []Mail
	err := c.Call(ctx, http.MethodGet, "/panel/mails?"+q.Encode(), nil, &all)
	return all, err
}

// ResendMail sends a mail again: one by its number, or the latest about a
// certificate by UUID or reference ID; to another address where one is given.
func (c *Client) ResendMail(ctx context.Context, name, to string) (Mail, error) {
	var m Mail
	err := c.Post(ctx, "/panel/mails/resend", map[string]string{"name": name, "to": to}, &m)
	return m, err
}

// CancelMail cancels a mail that waits.
func (c *Client) CancelMail(ctx context.Context, id uint64) (Mail, error) {
	var m Mail
	err := c.Post(ctx, "/panel/mails/"+strconv.FormatUint(id, 10)+"/cancel", struct{}{}, &m)
	return m, err
}

// CancelMails cancels all mails of a batch that wait and returns how many.
func (c *Client) CancelMails(ctx context.Context, batch string) (int, error) {
	var answer struct{ Cancelled int }
	err := c.Post(ctx, "/panel/mails/cancel", map[string]string{"batch_id": batch}, &answer)
	return answer.Cancelled, err
}

// SendMails sends what is due and returns how many wait after that.
func (c *Client) SendMails(ctx context.Context) (waiting int, err error) {
	var answer struct{ Waiting int }
	err = c.Post(ctx, "/panel/mails/send", struct{}{}, &answer)
	return answer.Waiting, err
}

// MailPreview is a mail as it would be sent.
type MailPreview struct {
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html"`
	Message string `json:"message"` // all of it, as a .eml file holds it
}

// PreviewMail makes a mail of a template: about a certificate by UUID or
// reference ID, or about one that does not exist.
func (c *Client) PreviewMail(ctx context.Context, template, certificate string) (MailPreview, error) {
	q := url.Values{"template": {template}, "certificate": {certificate}}
	var p MailPreview
	err := c.Call(ctx, http.MethodGet, "/panel/mails/preview?"+q.Encode(), nil, &p)
	return p, err
}
