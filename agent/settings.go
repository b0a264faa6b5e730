package agent

import (
	"cmp"
	"context"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Settings are what an institution decides about its home; an empty one stays
// as it is.
type Settings struct {
	Institution string // name
	TimeZone    string // IANA name
	Sender      string // address that mails come from
	BaseURL     string
}

// Validate checks the settings that are given.
func (s Settings) Validate() error {
	if s.BaseURL != "" {
		if err := home.CheckBaseURL(s.BaseURL); err != nil {
			return err
		}
	}
	if s.Sender != "" && !vault.ValidEmail(s.Sender) {
		return fault.Newf(fault.Invalid, "%q is not an e-mail address", s.Sender)
	}
	return vault.Institution{Name: cmp.Or(vault.Clean(s.Institution), "-"), TimeZone: cmp.Or(s.TimeZone, "UTC")}.Validate()
}

// Configure changes settings. As long as nothing is issued, a new name also
// makes a new signing key, since the old one's certificate bears the old name.
func (a *Agent) Configure(ctx context.Context, s Settings) error {
	if err := s.Validate(); err != nil {
		return err
	}
	changed := a.institution
	changed.Name = cmp.Or(vault.Clean(s.Institution), changed.Name)
	changed.TimeZone = cmp.Or(s.TimeZone, changed.TimeZone)
	changed.Sender = cmp.Or(s.Sender, changed.Sender)
	if err := a.store.ChangeInstitution(ctx, changed); err != nil {
		return err
	}
	if changed.Name != a.institution.Name {
		if err := a.renewUnusedKey(ctx, changed.Name); err != nil {
			return err
		}
	}
	a.institution = changed
	config, err := a.Home.LoadConfig()
	if err != nil {
		return err
	}
	config.BaseURL = cmp.Or(s.BaseURL, config.BaseURL)
	a.BaseURL = cmp.Or(s.BaseURL, a.BaseURL)
	return a.Home.SaveConfig(config)
}

func (a *Agent) renewUnusedKey(ctx context.Context, name string) error {
	issued, err := a.store.Counts(ctx, a.institution.ID)
	if err != nil || issued.Sum() > 0 {
		return err
	}
	_, err = a.Home.MakeSigner(a.Random, name, a.Now())
	return err
}
