package agent

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/vecctl/vecctl/agent/digest"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/mails"
	"github.com/vecctl/vecctl/agent/post"
	"github.com/vecctl/vecctl/agent/process"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/vault"
)

// mailing is how mails leave, as the settings say.
type mailing struct {
	server    *mail.Server // nil: mails are written into the home
	perMinute int
	lines     int
	hold      time.Duration
	staff     string
	bounces   string        // mailbox of returned mails; "" is none
	about     []string      // who is told of applications that wait
	every     time.Duration // and how often at most
	secret    string        // who knows it may hand returned mails in; "" is nobody
}

// loadMailing reads the settings.
func (a *Agent) loadMailing(config home.Config) (m mailing, err error) {
	var address, lines, perMinute, hold, about, every string
	for key, to := range map[string]*string{"mail.smtp_url": &address, "mail.lines": &lines,
		"mail.per_minute": &perMinute, "mail.hold": &hold, "mail.staff": &m.staff,
		"mail.applications": &about, "mail.applications_every": &every,
		"mail.bounces": &m.bounces, "mail.bounce_secret": &m.secret} {
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
	m.lines, _ = strconv.Atoi(lines)
	m.perMinute, _ = strconv.Atoi(perMinute)
	m.hold, _ = time.ParseDuration(hold)
	m.every, _ = time.ParseDuration(every)
	m.about = digest.Addresses(about, m.staff)
	return m, nil
}

// wireMails makes the post, and what staff do to mails; it starts nothing.
func (a *Agent) wireMails() {
	a.post = a.newPost()
	a.mails = mails.New(mails.Options{
		Records: a.store, Vault: a.store, Post: a.post, About: a.writer().About, Institution: a.Institution,
		Templates: a.Home.MailTemplates, BaseURL: a.BaseURL, HeldUp: health.Alarm{Health: a.health, Name: "mail"}, Tell: a.feed.Notice, Now: a.Now, Log: a.Log,
	})
}

func (a *Agent) newPost() *post.Post {
	o := post.Options{Write: a.writer().Write, Now: a.Now, Log: a.Log, Trouble: func(err error) { a.mails.Held(err) }, Result: a.health.Mailed}
	if a.mailing.server == nil {
		spool := post.NewSpool(a.Home.Mail())
		o.Lines, o.NewCarrier = post.SpoolLines, func() post.Carrier { return spool }
	} else {
		o.Lines, o.PerMinute = a.mailing.lines, a.mailing.perMinute
		o.NewCarrier = func() post.Carrier { return mail.NewSMTPConn(*a.mailing.server) }
	}
	return post.New(a.store, o)
}

// writer makes the agent's mails.
func (a *Agent) writer() *post.Writer {
	return &post.Writer{
		Templates: a.mailTemplates(), BaseURL: a.BaseURL,
		Institution: a.seats.ByID, Find: a.store.Certificate, Accounts: a.store,
		VerifyURL: func(c vault.Certificate) string { return process.VerifyURL(a.BaseURL(), c.Reference) },
		ShareURL:  func(c vault.Certificate) string { return process.ShareURL(a.BaseURL(), c) },
		Staff:     a.mailing.staff, Anyone: a.mailing.server == nil, Now: a.Now,
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

// bounces notes what came back.
func (a *Agent) bounces() *post.Bounces {
	return &post.Bounces{Records: a.store, Now: a.Now, Log: a.Log, Noted: a.feed.News}
}

// watchBounces reads the mailbox of returned mails, where there is one.
func (a *Agent) watchBounces(ctx context.Context) error {
	if a.mailing.bounces == "" {
		return nil
	}
	return a.bounces().Watch(ctx, a.mailing.bounces)
}

// withBounces lets those who know the secret hand returned mails in.
func (a *Agent) withBounces(next http.Handler, fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
	if a.mailing.secret == "" {
		return next
	}
	mux := http.NewServeMux()
	mux.Handle("POST /mail/bounces", a.bounces().Hook(a.mailing.secret, fail))
	mux.Handle("/", next)
	return mux
}

// settled is told which certificates' processing has ended: there may be mails.
func (a *Agent) settled(ids []uint64) {
	a.post.Wake()
	a.feed.Settled(ids)
}

// tellOfApplications tells staff of applications that wait, where somebody is to be told.
func (a *Agent) tellOfApplications(ctx context.Context) error {
	if len(a.mailing.about) == 0 {
		return nil
	}
	rows, err := a.store.Rows(digest.Table)
	if err != nil {
		return err
	}
	d := digest.Digest{Records: a.store, Rows: rows, Institutions: a.seats.IDs, To: a.mailing.about, Every: a.mailing.every,
		Wake: a.post.Wake, Now: a.Now, Log: a.Log}
	return d.Run(ctx)
}

// FlushMails sends what is due and returns how many wait after that.
func (a *Agent) FlushMails(ctx context.Context) (int, error) { return a.mails.FlushMails(ctx) }
