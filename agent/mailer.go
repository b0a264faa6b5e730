package agent

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/vecctl/vecctl/agent/admin"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/mailer"
	"github.com/vecctl/vecctl/agent/signing"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/vault"
)

// mailSettings is how mails leave, as the settings say.
type mailSettings struct {
	server       *mail.Server // nil: mails are written into the home
	perMinute    int
	connections  int
	hold         time.Duration
	staff        string
	bounces      string        // mailbox of returned mails; "" is none
	digestTo     []string      // who is told of applications that wait
	digestEvery  time.Duration // and how often at most
	bounceSecret string        // who knows it may hand returned mails in; "" is nobody
}

// loadMailSettings reads the settings.
func (a *Agent) loadMailSettings(config home.Config) (m mailSettings, err error) {
	var address, lines, perMinute, hold, about, every string
	for key, to := range map[string]*string{"mail.smtp_url": &address, "mail.lines": &lines,
		"mail.per_minute": &perMinute, "mail.hold": &hold, "mail.staff": &m.staff,
		"mail.applications": &about, "mail.applications_every": &every,
		"mail.bounces": &m.bounces, "mail.bounce_secret": &m.bounceSecret} {
		if *to, err = a.setting(config, key); err != nil {
			return m, err
		}
	}
	if address != "" {
		server, err := mail.ParseServer(address)
		if err != nil {
			return m, err
		}
		m.server = &server
	}
	// Checked already; "" is none.
	m.connections, _ = strconv.Atoi(lines)
	m.perMinute, _ = strconv.Atoi(perMinute)
	m.hold, _ = time.ParseDuration(hold)
	m.digestEvery, _ = time.ParseDuration(every)
	m.digestTo = mailer.DigestRecipients(about, m.staff)
	return m, nil
}

// wireMails makes the post, and what staff do to mails; it starts nothing.
func (a *Agent) wireMails() {
	a.mailQueue = a.newMailQueue()
	a.mailAdmin = admin.NewMails(admin.MailsOptions{
		Store: a.store, Certificates: a.store, Queue: a.mailQueue, TemplateData: a.newComposer().TemplateData, Institution: a.Institution,
		Templates: a.Home.MailTemplates, BaseURL: a.BaseURL, OutageAlarm: health.Alarm{Health: a.health, Name: "mail"}, Notify: a.events.PublishNotice, Now: a.Now, Log: a.Log,
	})
}

func (a *Agent) newMailQueue() *mailer.Queue {
	o := mailer.QueueOptions{Compose: a.newComposer().Compose, Now: a.Now, Log: a.Log, OnOutage: func(err error) { a.mailAdmin.ReportOutage(err) }, CountResult: a.health.CountMail}
	if a.mailSettings.server == nil {
		spool := mailer.NewSpool(a.Home.Mail())
		o.Connections, o.NewTransport = mailer.SpoolConnections, func() mailer.Transport { return spool }
	} else {
		o.Connections, o.PerMinute = a.mailSettings.connections, a.mailSettings.perMinute
		o.NewTransport = func() mailer.Transport { return mail.NewSMTPConn(*a.mailSettings.server) }
	}
	return mailer.NewQueue(a.store, o)
}

// newComposer makes the agent's mails.
func (a *Agent) newComposer() *mailer.Composer {
	return &mailer.Composer{
		Templates: a.mailTemplates(), BaseURL: a.BaseURL,
		Institution: a.institutions.ByID, FindCertificate: a.store.Certificate, Accounts: a.store,
		VerifyURL: func(c vault.Certificate) string { return signing.VerifyURL(a.BaseURL(), c.Reference) },
		ShareURL:  func(c vault.Certificate) string { return signing.ShareURL(a.BaseURL(), c) },
		Staff:     a.mailSettings.staff, AllowNoSender: a.mailSettings.server == nil, Now: a.Now,
	}
}

// mailTemplates keeps the templates of each institution.
func (a *Agent) mailTemplates() func(uint32) *mail.Templates {
	var mu sync.Mutex
	known := map[uint32]*mail.Templates{}
	return func(institution uint32) *mail.Templates {
		mu.Lock()
		defer mu.Unlock()
		if known[institution] == nil {
			own, all := a.Home.MailTemplates(institution)
			known[institution] = mail.NewTemplates(own, all)
		}
		return known[institution]
	}
}

// bounceHandler notes what came back.
func (a *Agent) bounceHandler() *mailer.BounceHandler {
	return &mailer.BounceHandler{Store: a.store, Now: a.Now, Log: a.Log, OnBounce: a.events.PublishChange}
}

// watchBounces reads the mailbox of returned mails, where there is one.
func (a *Agent) watchBounces(ctx context.Context) error {
	if a.mailSettings.bounces == "" {
		return nil
	}
	return a.bounceHandler().Watch(ctx, a.mailSettings.bounces)
}

// withBounceHandler lets those who know the secret hand returned mails in.
func (a *Agent) withBounceHandler(next http.Handler, fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
	if a.mailSettings.bounceSecret == "" {
		return next
	}
	mux := http.NewServeMux()
	mux.Handle("POST /mail/bounces", a.bounceHandler().WebhookHandler(a.mailSettings.bounceSecret, fail))
	mux.Handle("/", next)
	return mux
}

// notifySettled is told which certificates' processing has ended: there may be mails.
func (a *Agent) notifySettled(ids []uint64) {
	a.mailQueue.Wake()
	a.events.PublishSettled(ids)
}

// runDigest tells staff of applications that wait, where somebody is to be told.
func (a *Agent) runDigest(ctx context.Context) error {
	if len(a.mailSettings.digestTo) == 0 {
		return nil
	}
	rows, err := a.store.Rows(mailer.DigestTable)
	if err != nil {
		return err
	}
	d := mailer.Digest{Store: a.store, Rows: rows, Institutions: a.institutions.IDs, To: a.mailSettings.digestTo, Every: a.mailSettings.digestEvery,
		Wake: a.mailQueue.Wake, Now: a.Now, Log: a.Log}
	return d.Run(ctx)
}

// FlushMails sends what is due and returns how many wait after that.
func (a *Agent) FlushMails(ctx context.Context) (int, error) { return a.mailAdmin.FlushMails(ctx) }
