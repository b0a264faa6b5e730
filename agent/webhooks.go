package agent

import (
	"cmp"
	"context"
	"strconv"

	"github.com/vecctl/vecctl/agent/deliver"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/hooks"
	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/vault/hook"
)

// prepareHooks reads the settings of webhooks.
func (a *Agent) prepareHooks(config home.Config) error {
	text, err := a.setting(config, "webhooks.allow_private")
	if err != nil {
		return err
	}
	a.privateHooks, _ = strconv.ParseBool(text) // checked already; "" is false
	return nil
}

// wireHooks makes the sender, and what staff do to webhooks; it starts nothing.
func (a *Agent) wireHooks() {
	client := ssrf.New(ssrf.Policy{
		AllowPrivate: a.privateHooks, Timeout: hook.AttemptTime, MaxBody: hook.ReadAnswer, MaxIdle: deliver.Idle})
	sealed := &hooks.Secrets{Random: a.Random, Box: func(mayMake bool) (hooks.Box, error) { return a.secrets.Open(mayMake) }}
	a.sender = deliver.New(a.store, deliver.Options{
		Client: client, Open: sealed.Open, Agent: "vecctl/" + cmp.Or(a.Build.Version, "0"),
		Now: a.Now, Log: a.Log, Ended: func(ctx context.Context) { a.hooks.Check(ctx) },
		Result: a.health.Told,
	})
	a.hooks = hooks.New(hooks.Options{
		Register: a.store, Ledger: a.store, Sender: a.sender, Secrets: sealed, Client: client, Private: a.privateHooks,
		Institution: a.currentID, Suspended: health.Alarm{Health: a.health, Name: "webhooks"}, Tell: a.feed.Notice,
		Now: a.Now, Random: a.Random, Log: a.Log,
	})
}

// wakeHooks tells the sender whenever something was committed, until ctx ends.
func (a *Agent) wakeHooks(ctx context.Context) error {
	news := a.feed.Follow()
	defer news.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-news.Ready():
			_, _ = news.Take() // nothing is to gather
			a.sender.Wake()
		}
	}
}
