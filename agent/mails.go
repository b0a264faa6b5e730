package agent

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"strconv"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Mails lists the institution's mails.
func (a *Agent) Mails(ctx context.Context, f client.MailFilter) ([]client.Mail, error) {
	who := a.Institution().ID
	filter := store.MailFilter{Institution: who, Batch: f.Batch, State: vault.MailState(f.State), Returned: f.Bounced}
	if f.Certificate != "" {
		c, err := a.store.Certificate(ctx, who, f.Certificate)
		if err != nil {
			return nil, err
		}
		filter.Certificate = c.ID
	}
	found, _, err := a.store.ListMails(ctx, filter, 1, cmp.Or(max(f.Limit, 0), math.MaxInt32))
	if err != nil {
		return nil, err
	}
	return a.shapeMails(ctx, found)
}

// shapeMails is the JSON of mails.
func (a *Agent) shapeMails(ctx context.Context, mails []vault.Mail) ([]client.Mail, error) {
	shaped := make([]client.Mail, len(mails))
	for i, m := range mails {
		one := client.Mail{
			ID: m.ID, Kind: string(m.Kind), State: string(m.State), To: m.To, MessageID: m.MessageID, Attempts: m.Attempts,
			CreatedAt: m.CreatedAt.UTC(), NotBefore: client.TimeOrNull(m.NotBefore), SentAt: client.TimeOrNull(m.SentAt),
		}
		if m.Batch != "" {
			one.BatchID = &m.Batch
		}
		if m.Resends != 0 {
			one.Resends = &m.Resends
		}
		if m.Trouble != nil {
			one.Code, one.Reason = m.Trouble.Code, m.Trouble.Reason
		}
		if m.Certificate != 0 {
			c, err := a.store.ByID(ctx, m.Certificate)
			if err != nil {
				return nil, err
			}
			one.UUID, one.ReferenceID = c[0].UUID, c[0].Reference
		}
		shaped[i] = one
	}
	return shaped, nil
}

func (a *Agent) shapeMail(ctx context.Context, m vault.Mail, err error) (client.Mail, error) {
	if err != nil {
		return client.Mail{}, err
	}
	shaped, err := a.shapeMails(ctx, []vault.Mail{m})
	if err != nil {
		return client.Mail{}, err
	}
	return shaped[0], nil
}

// ResendMail sends a mail again: one by its number, or the latest to the recipient
// of a certificate.
func (a *Agent) ResendMail(ctx context.Context, name, to string) (client.Mail, error) {
	who := a.Institution().ID
	id, err := strconv.ParseUint(name, 10, 64)
	if err != nil {
		if id, err = a.latestMail(ctx, who, name); err != nil {
			return client.Mail{}, err
		}
	}
	m, err := a.store.RepeatMail(ctx, who, id, func(m vault.Mail) (vault.Mail, error) {
		return m.Repeat(vault.Clean(to), a.Now())
	})
	a.post.Wake()
	return a.shapeMail(ctx, m, err)
}

// latestMail is the number of the latest mail to the recipient of a certificate.
func (a *Agent) latestMail(ctx context.Context, who uint32, name string) (uint64, error) {
	c, err := a.store.Certificate(ctx, who, name)
	if err != nil {
		return 0, err
	}
	all, _, err := a.store.ListMails(ctx, store.MailFilter{Institution: who, Certificate: c.ID}, 1, math.MaxInt32)
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
func (a *Agent) cancelled(m vault.Mail) (vault.Mail, error) {
	return m.Cancel("cancelled by staff", a.Now())
}

// CancelMail cancels a mail that waits.
func (a *Agent) CancelMail(ctx context.Context, id uint64) (client.Mail, error) {
	if _, err := a.store.Mail(ctx, a.Institution().ID, id); err != nil {
		return client.Mail{}, err
	}
	m, err := a.store.ChangeMail(ctx, id, a.cancelled)
	return a.shapeMail(ctx, m, err)
}

// CancelMails cancels a batch's mails that wait.
func (a *Agent) CancelMails(ctx context.Context, batch string) (int, error) {
	who := a.Institution().ID
	if _, err := a.store.Batch(ctx, who, batch); err != nil {
		return 0, err
	}
	return a.store.CancelMails(ctx, who, batch, a.cancelled)
}

// FlushMails sends what is due and returns how many wait after that.
func (a *Agent) FlushMails(ctx context.Context) (int, error) {
	a.post.Drain(ctx)
	queues, err := a.store.Queues(ctx, a.Now())
	if err != nil {
		return 0, err
	}
	q := queues[vault.JobNotify]
	return q.Waiting + q.Later, nil
}

// PreviewMail makes a mail of a template.
func (a *Agent) PreviewMail(ctx context.Context, template, certificate string) (client.MailPreview, error) {
	who := a.Institution()
	letter := mail.Sample(who.Name, a.BaseURL())
	to := "zoe@example.org"
	if certificate != "" {
		c, err := a.store.Certificate(ctx, who.ID, certificate)
		if err != nil {
			return client.MailPreview{}, err
		}
		own, err := a.writer().About(ctx, c)
		if err != nil {
			return client.MailPreview{}, err
		}
		letter.Name, letter.Title, letter.Reference, letter.IssueDate = own.Name, own.Title, own.Reference, own.IssueDate
		letter.Share, letter.Verify, to = own.Share, own.Verify, c.Email
	}
	own, all := a.Home.MailTemplates(who.ID)
	content, err := mail.NewTemplates(own, all).Render(cmp.Or(template, mail.Issued), letter)
	if err != nil {
		return client.MailPreview{}, err
	}
	var raw bytes.Buffer
	message := mail.Message{Rendered: content, From: cmp.Or(who.Sender, "no-reply@example.org"), FromName: who.Name, To: to, ToName: letter.Name,
		MessageID: "0.preview@example.org", Date: a.Now()}
	if _, err := message.WriteTo(&raw); err != nil {
		return client.MailPreview{}, err
	}
	return client.MailPreview{Subject: content.Subject, Text: content.Text, HTML: content.HTML, Message: raw.String()}, nil
}
