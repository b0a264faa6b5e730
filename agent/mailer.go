package agent

import (
	"context"

	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/mailer"
	"github.com/vecctl/vecctl/pkg/mail"
)

// newMailQueue makes what sends mails; it starts nothing.
func (a *Agent) newMailQueue() *mailer.Queue {
	outage := &mailer.OutageAlarm{Alarm: health.Alarm{Health: a.health, Name: "mail"}, Events: &a.events, Log: a.Log}
	o := mailer.QueueOptions{Owner: a.owner, Compose: a.newComposer().Compose, Now: a.Now, Log: a.Log, OnOutage: outage.Report, CountResult: a.health.CountMail}
	if a.config.Mail.Server == nil {
		spool := mailer.NewSpool(a.Home.Mail())
		o.Connections, o.NewTransport = mailer.SpoolConnections, func() mailer.Transport { return spool }
	} else {
		o.Connections, o.PerMinute = a.config.Mail.Connections, a.config.Mail.PerMinute
		o.NewTransport = func() mailer.Transport { return mail.NewSMTPConn(*a.config.Mail.Server) }
	}
	return mailer.NewQueue(a.store, o)
}

// newComposer makes the agent's mails.
func (a *Agent) newComposer() *mailer.Composer {
	return &mailer.Composer{
		Store: a.store, Institutions: a.institutions, Templates: mailer.NewTemplateCache(a.Home),
		Staff: a.config.Mail.Staff, AllowNoSender: a.config.Mail.Server == nil, Now: a.Now,
	}
}

// bounceHandler notes what came back.
func (a *Agent) bounceHandler() *mailer.BounceHandler {
	return &mailer.BounceHandler{Store: a.store, Now: a.Now, Log: a.Log, Work: &a.events}
}

// watchBounces reads the mailbox of returned mails, where there is one.
func (a *Agent) watchBounces(ctx context.Context) error {
	if a.config.Mail.Bounces == "" {
		return nil
	}
	return a.bounceHandler().Watch(ctx, a.config.Mail.Bounces)
}

// notifySettled is told which certificates' processing has ended: there may be mails.
func (a *Agent) notifySettled(ids []uint64) {
	a.mailQueue.Wake()
	a.preserve.Wake()
	a.events.PublishSettled(ids)
}

// newExpiryReminders makes what reminds people of certificates that end.
func (a *Agent) newExpiryReminders() *mailer.ExpiryReminders {
	return &mailer.ExpiryReminders{Composer: a.newComposer(), Days: a.config.Expiry.Remind, Mails: a.mailQueue, Log: a.Log}
}

// runDigest tells staff of applications that wait, where somebody is to be told.
func (a *Agent) runDigest(ctx context.Context) error {
	to := a.config.Mail.DigestTo()
	if len(to) == 0 {
		return nil
	}
	rows, err := a.store.Rows(mailer.DigestTable)
	if err != nil {
		return err
	}
	d := mailer.Digest{Store: a.store, Rows: rows, Institutions: a.institutions, To: to, Every: a.config.Mail.ApplicationsEvery,
		Mails: a.mailQueue, Now: a.Now, Log: a.Log}
	return d.Run(ctx)
}
