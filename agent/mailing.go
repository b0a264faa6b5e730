package agent

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/post"
	"github.com/vecctl/vecctl/agent/process"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
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
}

// loadMailing reads the settings.
func (a *Agent) loadMailing(config home.Config) (m mailing, err error) {
	var address, lines, perMinute, hold string
	for key, to := range map[string]*string{"mail.smtp_url": &address, "mail.lines": &lines,
		"mail.per_minute": &perMinute, "mail.hold": &hold, "mail.staff": &m.staff} {
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
	return m, nil
}

// mailProblem is the name under which held-up mails are shown.
const mailProblem = "mail"

func (a *Agent) newPost() *post.Post {
	return post.New(a.store, post.Options{
		Write: a.writer().Write, NewCarrier: a.newCarrier,
		Lines: a.mailing.lines, PerMinute: a.mailing.perMinute,
		Now: a.Now, Log: a.Log, Trouble: a.mailsHeld,
	})
}

func (a *Agent) newCarrier() post.Carrier {
	if a.mailing.server == nil {
		return post.Spool{Folder: a.Home.Mail()}
	}
	return mail.NewLine(*a.mailing.server)
}

// writer makes the agent's mails.
func (a *Agent) writer() *post.Writer {
	return &post.Writer{
		Templates: a.mailTemplates(), BaseURL: a.BaseURL,
		Institution: a.InstitutionByID, Find: a.store.Certificate, Accounts: a.store,
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

// mailsHeld is told why mails do not go out, and when they do again.
func (a *Agent) mailsHeld(err error) {
	if err == nil {
		if a.health.Clear(mailProblem) {
			a.Log.Info("mails go out again")
			a.feed.notice(client.Notice{Level: "info", Message: "mails go out again"})
		}
		return
	}
	message := mailTrouble(err)
	if a.health.Raise(health.Problem{Name: mailProblem, Message: message}) {
		a.Log.Error("mails are held up", "reason", message)
		a.feed.notice(client.Notice{Level: "error", Message: message})
	}
}

// mailTrouble says why mails wait, without what a server said.
func mailTrouble(err error) string {
	if message, ok := fault.Message(err); ok {
		return "mails wait: " + message
	}
	return fmt.Sprintf("mails wait: %v", err)
}

// settled is told which certificates' processing has ended: there may be mails.
func (a *Agent) settled(ids []uint64) {
	a.post.Wake()
	a.feed.settled(ids)
}

// SendMails waits until all mails that are due have gone out, unless they are held
// up or ctx ends.
func (a *Agent) SendMails(ctx context.Context) { a.post.Drain(ctx) }
