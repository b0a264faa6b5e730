package admin

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Mails lists the institution's mails.
func (s *Service) Mails(ctx context.Context, f adminclient.MailFilter) ([]adminclient.Mail, error) {
	who := s.institutionID(ctx)
	filter := store.MailFilter{Institution: who, Batch: f.Batch, State: vault.MailState(f.State), Returned: f.Bounced}
	if f.Certificate != "" {
		c, err := s.store.Certificate(ctx, who, f.Certificate)
		if err != nil {
			return nil, err
		}
		filter.Certificate = c.ID
	}
	found, err := s.store.ListMails(ctx, filter, cmp.Or(max(f.Limit, 0), math.MaxInt32))
	if err != nil {
		return nil, err
	}
	return s.mailsToAPI(ctx, found)
}

// mailsToAPI returns mails as staff see them, with the certificates that they are about.
func (s *Service) mailsToAPI(ctx context.Context, mails []vault.Mail) ([]adminclient.Mail, error) {
	about, err := s.certificatesOf(ctx, mails)
	if err != nil {
		return nil, err
	}
	shown := make([]adminclient.Mail, len(mails))
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
			c := about[m.Certificate]
			one.UUID, one.ReferenceID = c.UUID, c.Reference
		}
		shown[i] = one
	}
	return shown, nil
}

// certificatesOf reads the certificates that mails are about, all in one transaction.
func (s *Service) certificatesOf(ctx context.Context, mails []vault.Mail) (map[uint64]vault.Certificate, error) {
	about := map[uint64]vault.Certificate{}
	for _, m := range mails {
		if m.Certificate != 0 {
			about[m.Certificate] = vault.Certificate{}
		}
	}
	found, err := s.store.ByID(ctx, slices.Sorted(maps.Keys(about))...)
	for _, c := range found {
		about[c.ID] = c
	}
	return about, err
}

func (s *Service) mailToAPI(ctx context.Context, m vault.Mail, err error) (adminclient.Mail, error) {
	if err != nil {
		return adminclient.Mail{}, err
	}
	shown, err := s.mailsToAPI(ctx, []vault.Mail{m})
	if err != nil {
		return adminclient.Mail{}, err
	}
	return shown[0], nil
}

// ResendMail sends a mail again: one by its number, or the latest to the recipient
// of a certificate.
func (s *Service) ResendMail(ctx context.Context, name, to string) (adminclient.Mail, error) {
	who := s.institutionID(ctx)
	id, err := strconv.ParseUint(name, 10, 64)
	if err != nil {
		if id, err = s.latestMail(ctx, who, name); err != nil {
			return adminclient.Mail{}, err
		}
	}
	m, err := s.store.RepeatMail(ctx, who, id, func(m vault.Mail) (vault.Mail, error) {
		return m.Repeat(vault.Clean(to), s.now())
	})
	s.mailQueue.Wake()
	return s.mailToAPI(ctx, m, err)
}

// latestMail is the number of the latest mail to the recipient of a certificate.
func (s *Service) latestMail(ctx context.Context, who uint32, name string) (uint64, error) {
	c, err := s.store.Certificate(ctx, who, name)
	if err != nil {
		return 0, err
	}
	all, err := s.store.ListMails(ctx, store.MailFilter{Institution: who, Certificate: c.ID}, math.MaxInt32)
	if err != nil {
		return 0, err
	}
	for _, m := range all {
		if m.ToRecipient() {
			return m.ID, nil
		}
	}
	return 0, fault.Newf(fault.NotFound, "there is no mail about %s yet; it is made when the certificate is approved", c.Reference)
}

// cancelled is why staff's cancelling ends a mail.
func (s *Service) cancelled(m vault.Mail) (vault.Mail, error) {
	return m.Cancel("cancelled by staff", s.now())
}

// CancelMail cancels a mail that waits.
func (s *Service) CancelMail(ctx context.Context, id uint64) (adminclient.Mail, error) {
	if _, err := s.store.Mail(ctx, s.institutionID(ctx), id); err != nil {
		return adminclient.Mail{}, err
	}
	m, err := s.store.ChangeMail(ctx, id, s.cancelled)
	return s.mailToAPI(ctx, m, err)
}

// CancelMails cancels a batch's mails that wait.
func (s *Service) CancelMails(ctx context.Context, batch string) (int, error) {
	who := s.institutionID(ctx)
	if _, err := s.store.Batch(ctx, who, batch); err != nil {
		return 0, err
	}
	return s.store.CancelMails(ctx, who, batch, s.cancelled)
}

// FlushMails sends what is due and returns how many wait after that.
func (s *Service) FlushMails(ctx context.Context) (int, error) {
	s.mailQueue.Drain(ctx)
	queues, err := s.store.Queues(ctx, s.now())
	if err != nil {
		return 0, err
	}
	q := queues[vault.JobMail]
	return q.Waiting + q.Later, nil
}

// PreviewMail makes a mail of a template.
func (s *Service) PreviewMail(ctx context.Context, template, certificate string) (adminclient.MailPreview, error) {
	who := s.institutions.Acting(ctx)
	letter := mail.SampleData(who.Name, s.institutions.BaseURL())
	to := "zoe@example.org"
	if certificate != "" {
		c, err := s.store.Certificate(ctx, who.ID, certificate)
		if err != nil {
			return adminclient.MailPreview{}, err
		}
		own, err := s.composer.TemplateData(ctx, c)
		if err != nil {
			return adminclient.MailPreview{}, err
		}
		letter.Content, letter.Reference = own.Content, own.Reference
		letter.Share, letter.Verify, to = own.Share, own.Verify, c.Email
	}
	own, all := s.home.MailTemplates(who.ID)
	content, err := mail.NewTemplates(own, all).Render(cmp.Or(template, mail.Issued), letter)
	if err != nil {
		return adminclient.MailPreview{}, err
	}
	var raw bytes.Buffer
	message := mail.Message{Rendered: content, From: cmp.Or(who.Sender, "no-reply@example.org"), FromName: who.Name, To: to, ToName: letter.Name,
		MessageID: "0.preview@example.org", Date: s.now()}
	if _, err := message.WriteTo(&raw); err != nil {
		return adminclient.MailPreview{}, err
	}
	return adminclient.MailPreview{Subject: content.Subject, Text: content.Text, HTML: content.HTML, Message: raw.String()}, nil
}
