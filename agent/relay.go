package agent

import (
	"context"
	"fmt"
	"strings"

	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/signing"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/remotebulk"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// relayRetries are the attempts of one call to the vault behind this home. After them issuing is
// paused, which is shown, and resumes by itself.
func relayRetries() client.RetryPolicy {
	r := client.RetryTransient()
	r.Attempts = 3
	return r
}

// openRelay prepares issuing on the vault that the settings name, if any; it starts nothing.
func (a *Agent) openRelay(ctx context.Context, work signing.Options) error {
	o := a.config.Relay
	if o.URL == "" {
		return a.checkRelayed(ctx)
	}
	if o.Token == "" {
		return fault.New(fault.Invalid, "relay.url is set and relay.token is not; set the API token of that vault in relay.token, relay.token_file or the systemd credential relay.token")
	}
	var options []client.Option
	if a.config.InsecureHTTP {
		options = append(options, client.InsecureHTTP)
	}
	transport, err := client.NewTransport(client.TransportOptions{UserAgent: a.userAgent(), CA: a.config.CA, Timeout: a.config.Timeout})
	if err != nil {
		return err
	}
	remote, err := client.New(o.URL, o.Token, transport, options...)
	if err != nil {
		return fault.At("relay.url and relay.token", err)
	}
	if remote.Base() == strings.TrimSuffix(a.config.BaseURL, "/") {
		return fault.Newf(fault.Invalid, "relay.url is %s, which is the address of this home itself; set that of the vault that issues in its place", o.URL)
	}
	own := a.Institution()
	journal, err := remotebulk.OpenJournal(a.Home.RelayJournal(remote.Base()), string(own.Today(a.Now())))
	if err != nil {
		return err
	}
	a.relay, err = signing.NewRelay(ctx, signing.RelayOptions{
		Options: work, Store: a.store, Blobs: a.blobs, Client: remote.WithRetries(relayRetries()), Journal: journal,
		Institution: own.ID, Identity: []byte(a.institutions.HomeID()), SharedAddresses: a.config.Issuing.SharedAddresses,
		Unlisted: health.Alarm{Health: a.health, Name: "relay"},
	})
	return err
}

// checkRelayed shows staff that certificates are on their way on another vault, which nobody
// follows.
func (a *Agent) checkRelayed(ctx context.Context) error {
	queues, err := a.store.Queues(ctx, a.Now())
	if err != nil {
		return err
	}
	send, fetch := queues[vault.JobSend], queues[vault.JobFetch]
	n := send.Waiting + send.Later + fetch.Waiting + fetch.Later
	if n == 0 {
		return nil
	}
	a.health.Raise(health.Problem{Name: "relay", Message: fmt.Sprintf(
		"%d certificates are on their way to another vault, and relay.url is not set; set it again, so that they are sent and fetched", n)})
	return nil
}

// signingWork is what makes verified PDFs, or has them made.
func (a *Agent) signingWork() wake.Waker {
	if a.relay != nil {
		return a.relay
	}
	return a.processor
}

func (a *Agent) runSigning(ctx context.Context) error {
	if a.relay != nil {
		return a.relay.Run(ctx)
	}
	return a.processor.Run(ctx)
}

func (a *Agent) closeRelay() error {
	if a.relay == nil {
		return nil
	}
	return a.relay.Close()
}
