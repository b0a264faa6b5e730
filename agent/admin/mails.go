package admin

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"math"
	"strconv"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// MailStore are what is needed of the store's mails.
type MailStore interface {
	Mail(ctx context.Context, institution uint32, id uint64) (vault.Mail, error)
	ListMails(ctx context.Context, f store.MailFilter, page, perPage int) ([]vault.Mail, int, error)
	ChangeMail(ctx context.Context, id uint64, change func(vault.Mail) (vault.Mail, error)) (vault.Mail, error)
	RepeatMail(ctx context.Context, institution uint32, id uint64, repeat func(vault.Mail) (vault.Mail, error)) (vault.Mail, error)
	CancelMails(ctx context.Context, institution uint32, batch string, cancel func(vault.Mail) (vault.Mail, error)) (int, error)
	Queues(ctx context.Context, now time.Time) (map[vault.JobKind]store.Queue, error)
}

// MailCertificateStore is where what mails are about is found.
type MailCertificateStore interface {
	Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error)
	ByID(ctx context.Context, ids ...uint64) ([]vault.Certificate, error)
	Batch(ctx context.Context, institution uint32, id string) (vault.Batch, error)
}

// MailQueue is who sends mails.
type MailQueue interface {
	// Wake says that there may be one.
	Wake()
	// Drain sends all that is due.
	Drain(ctx context.Context)
}

// MailAlarm is a problem that staff see as long as it lasts. Both report whether that
// is new.
type MailAlarm interface {
	Raise(message string) bool
	Clear() bool
}

// MailsOptions are what mails need.
type MailsOptions struct {
	Store        MailStore
	Certificates MailCertificateStore
	Queue        MailQueue
	// TemplateData is what a mail says of a certificate.
	TemplateData func(context.Context, vault.Certificate) (mail.TemplateData, error)
	Institution  func() vault.Institution // the one whose staff is served
	// Templates are the folders of an institution's templates, and of everyone's.
	Templates   func(institution uint32) (own, all string)
	BaseURL     func() string
	OutageAlarm MailAlarm // that mails do not go out
	Notify      func(adminclient.Notice)
	Now         func() time.Time
	Log         *slog.Logger
}

// Mails is where staff see to mails.
type Mails struct{ MailsOptions }

// NewMails makes it; it starts nothing.
func NewMails(o MailsOptions) *Mails { return &Mails{o} }

// Mails lists the institution's mails.
func (d *Mails) Mails(ctx context.Context, f adminclient.MailFilter) ([]adminclient.Mail, error) {
	who := d.Institution().ID
	filter := store.MailFilter{Institution: who, Batch: f.Batch, State: vault.MailState(f.State), Returned: f.Bounced}
	if f.Certificate != "" {
		c, err := d.Certificates.Certificate(ctx, who, f.Certificate)
		if err != nil {
			return nil, err
		}
		filter.Certificate = c.ID
	}
	found, _, err := d.Store.ListMails(ctx, filter, 1, cmp.Or(max(f.Limit, 0), math.MaxInt32))
	if err != nil {
		return nil, err
	}
	return d.mailsToAPI(ctx, found)
}

// mailsToAPI is the JSON of mails.
func (d *Mails) mailsToAPI(ctx context.Context, mails []vault.Mail) ([]adminclient.Mail, error) {
	shaped := make([]adminclient.Mail, len(mails))
	for i, m := range mails {
		one := adminclient.Mail{
			ID: m.ID, Kind: string(m.Kind), State: string(m.State), To: m.To, MessageID: m.MessageID, Attempts: m.Attempts,
			CreatedAt: m.CreatedAt.UTC(), NotBefore: client.TimeOrNull(m.NotBefore), SentAt: client.TimeOrNull(m.SentAt),
		}
		if m.Batch != "" {
			one.BatchID = &m.Batch
		}
		if m.Resends != 0 {
			one.Resends = &m.Resends
		}
		if m.Failure != nil {
			one.Code, one.Reason = m.Failure.Code, m.Failure.Reason
		}
		if m.Certificate != 0 {
			c, err := d.Certificates.ByID(ctx, m.Certificate)
			if err != nil {
				return nil, err
			}
			one.UUID, one.ReferenceID = c[0].UUID, c[0].Reference
		}
		shaped[i] = one
	}
	return shaped, nil
}

func (d *Mails) mailToAPI(ctx context.Context, m vault.Mail, err error) (adminclient.Mail, error) {
	if err != nil {
		return adminclient.Mail{}, err
	}
	shaped, err := d.mailsToAPI(ctx, []vault.Mail{m})
	if err != nil {
		return adminclient.Mail{}, err
	}
	return shaped[0], nil
}

// ResendMail sends a mail again: one by its number, or the latest to the recipient
// of a certificate.
func (d *Mails) ResendMail(ctx context.Context, name, to string) (adminclient.Mail, error) {
	who := d.Institution().ID
	id, err := strconv.ParseUint(name, 10, 64)
	if err != nil {
		if id, err = d.latestMail(ctx, who, name); err != nil {
			return adminclient.Mail{}, err
		}
	}
	m, err := d.Store.RepeatMail(ctx, who, id, func(m vault.Mail) (vault.Mail, error) {
		return m.Repeat(vault.Clean(to), d.Now())
	})
	d.Queue.Wake()
	return d.mailToAPI(ctx, m, err)
}

// latestMail is the number of the latest mail to the recipient of a certificate.
func (d *Mails) latestMail(ctx context.Context, who uint32, name string) (uint64, error) {
	c, err := d.Certificates.Certificate(ctx, who, name)
	if err != nil {
		return 0, err
	}
	all, _, err := d.Store.ListMails(ctx, store.MailFilter{Institution: who, Certificate: c.ID}, 1, math.MaxInt32)
	if err != nil {
		return 0, err
	}
	for _, m := range all {
		if m.ToRecipient() {
			return m.ID, nil
		}
	}
	return 0, fault.Newf(fault.NotFound, "no mail about %s has been made; it is when the certificate is approved", c.Reference)
}

// cancelled is why staff's cancelling ends a mail.
func (d *Mails) cancelled(m vault.Mail) (vault.Mail, error) {
	return m.Cancel("cancelled by staff", d.Now())
}

// CancelMail cancels a mail that waits.
func (d *Mails) CancelMail(ctx context.Context, id uint64) (adminclient.Mail, error) {
	if _, err := d.Store.Mail(ctx, d.Institution().ID, id); err != nil {
		return adminclient.Mail{}, err
	}
	m, err := d.Store.ChangeMail(ctx, id, d.cancelled)
	return d.mailToAPI(ctx, m, err)
}

// CancelMails cancels a batch's mails that wait.
func (d *Mails) CancelMails(ctx context.Context, batch string) (int, error) {
	who := d.Institution().ID
	if _, err := d.Certificates.Batch(ctx, who, batch); err != nil {
		return 0, err
	}
	return d.Store.CancelMails(ctx, who, batch, d.cancelled)
}

// FlushMails sends what is due and returns how many wait after that.
func (d *Mails) FlushMails(ctx context.Context) (int, error) {
	d.Queue.Drain(ctx)
	queues, err := d.Store.Queues(ctx, d.Now())
	if err != nil {
		return 0, err
	}
	q := queues[vault.JobNotify]
	return q.Waiting + q.Later, nil
}

// PreviewMail makes a mail of a template.
func (d *Mails) PreviewMail(ctx context.Context, template, certificate string) (adminclient.MailPreview, error) {
	who := d.Institution()
	letter := mail.SampleData(who.Name, d.BaseURL())
	to := "zoe@example.org"
	if certificate != "" {
		c, err := d.Certificates.Certificate(ctx, who.ID, certificate)
		if err != nil {
			return adminclient.MailPreview{}, err
		}
		own, err := d.TemplateData(ctx, c)
		if err != nil {
			return adminclient.MailPreview{}, err
		}
		letter.Name, letter.Title, letter.Reference, letter.IssueDate = own.Name, own.Title, own.Reference, own.IssueDate
		letter.Share, letter.Verify, to = own.Share, own.Verify, c.Email
	}
	own, all := d.Templates(who.ID)
	content, err := mail.NewTemplates(own, all).Render(cmp.Or(template, mail.Issued), letter)
	if err != nil {
		return adminclient.MailPreview{}, err
	}
	var raw bytes.Buffer
	message := mail.Message{Rendered: content, From: cmp.Or(who.Sender, "no-reply@example.org"), FromName: who.Name, To: to, ToName: letter.Name,
		MessageID: "0.preview@example.org", Date: d.Now()}
	if _, err := message.WriteTo(&raw); err != nil {
		return adminclient.MailPreview{}, err
	}
	return adminclient.MailPreview{Subject: content.Subject, Text: content.Text, HTML: content.HTML, Message: raw.String()}, nil
}
