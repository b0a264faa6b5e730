package mailer

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Composer makes mails of what is kept about them.
type Composer struct {
	Store        store.Store
	Institutions institutions.Directory
	Templates    *TemplateCache
	Staff        string // where mails to staff go; "" is the institution's sender
	// AllowNoSender lets mails go out from a stand-in where the institution has no sender:
	// they only go into a folder.
	AllowNoSender bool
	Now           func() time.Time
}

// Compose makes a mail.
func (w *Composer) Compose(ctx context.Context, m vault.Mail, c vault.Certificate) (mail.Message, error) {
	who, found := w.Institutions.ByID(m.Institution)
	if !found {
		return mail.Message{}, fault.New(fault.Invalid, "a mail belongs to an institution that does not exist")
	}
	from, err := w.sender(who)
	if err != nil {
		return mail.Message{}, err
	}
	name, err := w.templateName(ctx, m)
	if err != nil {
		return mail.Message{}, err
	}
	letter, err := w.templateData(ctx, m, c, who)
	if err != nil {
		return mail.Message{}, err
	}
	content, err := w.Templates.For(m.Institution).Render(name, letter)
	if err != nil {
		return mail.Message{}, err
	}
	message := mail.Message{Rendered: content, From: from, FromName: who.Name, To: m.To, ToName: letter.Name,
		ReplyTo: m.From, Date: w.Now().In(who.Zone()), MessageID: m.MakeMessageID(c, from[strings.LastIndexByte(from, '@')+1:])}
	switch m.Kind { //nolint:exhaustive // the others go to people
	case vault.MailDigest, vault.MailOutcome:
		message.ToName = who.Name
	case vault.MailCorrection, vault.MailExpiryList, vault.MailKeyEnd:
		message.To, message.ToName = w.staffAddress(from), who.Name
	}
	return message, nil
}

// sender is the address that an institution's mails come from.
func (w *Composer) sender(who vault.Institution) (string, error) {
	switch {
	case who.Sender != "":
		return who.Sender, nil
	case !w.AllowNoSender:
		return "", fault.Newf(fault.Invalid,
			"mails of %s wait, since it has no sender address; set one with: vecctl init --sender ADDRESS", who.Name)
	}
	if u, err := url.Parse(w.Institutions.BaseURL()); err == nil && vault.ValidEmail("no-reply@"+u.Hostname()) {
		return "no-reply@" + u.Hostname(), nil
	}
	return "no-reply@localhost.localdomain", nil
}

func (w *Composer) staffAddress(sender string) string {
	if w.Staff != "" {
		return w.Staff
	}
	return sender
}

// templateName is the name of a mail's template.
func (w *Composer) templateName(ctx context.Context, m vault.Mail) (string, error) {
	switch m.Kind {
	case vault.MailReissued:
		return mail.Reissued, nil
	case vault.MailRevoked:
		return mail.Revoked, nil
	case vault.MailSignIn:
		return mail.SignIn, nil
	case vault.MailCorrection:
		return mail.Correction, nil
	case vault.MailConfirm:
		return mail.Confirm, nil
	case vault.MailReceived:
		return mail.Received, nil
	case vault.MailRejected:
		return mail.Rejected, nil
	case vault.MailDigest:
		return mail.Digest, nil
	case vault.MailOutcome:
		return mail.Outcome, nil
	case vault.MailExpiring:
		return mail.Expiring, nil
	case vault.MailExpiryList:
		return mail.ExpiryList, nil
	case vault.MailKeyEnd:
		return mail.KeyEnd, nil
	case vault.MailIssued:
	}
	switch _, err := w.Store.AccountByEmail(ctx, m.To); {
	case err == nil:
		return mail.Assigned, nil
	case fault.Is(err, fault.NotFound):
		return mail.Issued, nil
	default:
		return "", err
	}
}

// TemplateData is what mails say about a certificate.
func (w *Composer) TemplateData(ctx context.Context, c vault.Certificate) (mail.TemplateData, error) {
	who, _ := w.Institutions.ByID(c.Institution)
	return w.templateData(ctx, vault.Mail{Certificate: c.ID}, c, who)
}

func (w *Composer) templateData(ctx context.Context, m vault.Mail, c vault.Certificate, who vault.Institution) (mail.TemplateData, error) {
	l := mail.TemplateData{
		Institution: who.Name, Account: strings.TrimRight(w.Institutions.BaseURL(), "/") + "/me",
		SignIn: m.Link, Minutes: int(m.Expires.Sub(m.CreatedAt).Minutes()), Text: m.Text, From: m.From, Count: m.Count,
	}
	if m.Kind == vault.MailConfirm {
		l.Title, l.Text, l.SignIn, l.Minutes = m.Text, "", "", 0
		l.Confirm, l.Hours = m.Link, int(m.Expires.Sub(m.CreatedAt).Hours())
	}
	if m.Kind == vault.MailOutcome || m.Kind == vault.MailKeyEnd {
		l.Title, l.Text, _ = strings.Cut(m.Text, "\n")
	}
	if m.Certificate == 0 {
		return l, nil
	}
	l.Content, l.Reference = c.Content, c.Reference
	l.Share, l.Verify = w.Institutions.Links().Share(c), w.Institutions.Links().Verify(c.Reference)
	if c.Revocation != nil {
		l.Reason = c.Revocation.Reason
	}
	if a := c.Application; a != nil && a.Decision != nil && c.Status == vault.Rejected {
		l.Reason = a.Decision.Reason
	}
	if c.Supersedes != "" {
		old, err := w.Store.Certificate(ctx, c.Institution, c.Supersedes)
		if err != nil {
			return l, err
		}
		l.Old = old.Reference
	}
	return l, nil
}
