package agent

import (
	"context"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// openInstitutions readies every institution of the home; a new home gets one.
func (a *Agent) openInstitutions(ctx context.Context) (err error) {
	if err := a.config.Signing.Check(); err != nil {
		return err
	}
	signers, err := newSigners(a.config)
	if err != nil {
		return err
	}
	if a.timestamper, err = NewTimestamper(a.config, a.Now); err != nil {
		return err
	}
	a.institutions, err = institutions.Open(ctx, institutions.Options{
		Store: a.store, KeyStore: a.Home, Signing: institutions.SigningOptions{
			Timestamper: a.timestamper, Visible: a.config.Signing.Visible, Restricted: a.config.Signing.Restricted,
			Signers: signers, Algorithm: pdf.KeyAlgorithm(a.config.Signing.Algorithm),
		},
		CheckSettings: config.CheckSettings, SaveSettings: config.File(a.Home.Config()).SaveSettings,
		Changed: a.institutionsChanged, Now: a.Now, Random: a.Random,
	}, a.config.BaseURL, a.Options.Institution)
	return err
}

// institutionsChanged shows staff what changed, and has more documents in work where a key that lies
// elsewhere signs now.
func (a *Agent) institutionsChanged() {
	a.showKeyEnds()
	a.events.PublishChange()
	a.processor.AddWorkers(a.signingWorkers())
}

// Institution is the home's primary one.
func (a *Agent) Institution() vault.Institution { return a.institutions.Primary() }

// BaseURL is what QR codes and links begin with.
func (a *Agent) BaseURL() string { return a.institutions.BaseURL() }
