package agent

import (
	"cmp"
	"context"
	"maps"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// state is what settings decide, as one value: who works with it sees all of a
// change or nothing of it.
type state struct {
	institution vault.Institution // the current one
	baseURL     string
	seats       map[uint32]seat // of all institutions
}

// seat is an institution with what it seals documents with.
type seat struct {
	institution vault.Institution
	seal        *pdf.Seal
}

// with returns the state with another seat; the old one keeps its own.
func (s state) with(one seat) state {
	s.seats = maps.Clone(s.seats)
	if s.seats == nil {
		s.seats = map[uint32]seat{}
	}
	s.seats[one.institution.ID] = one
	return s
}

// Institution is the one whose staff the agent serves.
func (a *Agent) Institution() vault.Institution { return a.state.Load().institution }

// currentSeal is the current institution's.
func (a *Agent) currentSeal() *pdf.Seal {
	s := a.state.Load()
	return s.seats[s.institution.ID].seal
}

// BaseURL is what QR codes and links begin with.
func (a *Agent) BaseURL() string { return a.state.Load().baseURL }

// fileSettings are the settings that stand in config.yaml.
var fileSettings = [...]string{"base_url", "mail.smtp_url", "listen"}

// fileSetting is what is decided about one of them; "" leaves it as it is.
func fileSetting(s client.Settings, key string) string {
	switch key {
	case "base_url":
		return s.BaseURL
	case "mail.smtp_url":
		return s.MailServer
	case "listen":
		return s.Listen
	}
	return ""
}

// CheckSettings checks the settings that are given.
func CheckSettings(s client.Settings) error {
	for _, key := range fileSettings {
		one, _ := home.FindSetting(key)
		if err := one.Check(fileSetting(s, key), "as given"); err != nil {
			return err
		}
	}
	if s.Institution != "" && vault.Clean(s.Institution) == "" {
		return fault.New(fault.Invalid, "the institution's name is blank; give the one that signatures are to bear")
	}
	if s.Sender != "" && !vault.ValidEmail(s.Sender) {
		return fault.Newf(fault.Invalid, "%q is not an e-mail address", s.Sender)
	}
	return vault.Institution{Name: cmp.Or(vault.Clean(s.Institution), "-"), TimeZone: cmp.Or(s.TimeZone, "UTC")}.Validate()
}

// Configure changes the settings that are given. As long as nothing is issued, a
// new name also makes a new signing key, since the old one's certificate bears
// the old name.
func (a *Agent) Configure(ctx context.Context, s client.Settings) error {
	if err := CheckSettings(s); err != nil {
		return err
	}
	a.configuring.Lock()
	defer a.configuring.Unlock()
	next := *a.state.Load()
	renamed := s.Institution != "" && vault.Clean(s.Institution) != next.institution.Name
	next.institution.Name = cmp.Or(vault.Clean(s.Institution), next.institution.Name)
	next.institution.TimeZone = cmp.Or(s.TimeZone, next.institution.TimeZone)
	next.institution.Sender = cmp.Or(s.Sender, next.institution.Sender)
	if err := dress(&next.institution, s); err != nil {
		return err
	}
	if err := open(&next.institution, s.Applying); err != nil {
		return err
	}
	next.baseURL = cmp.Or(s.BaseURL, next.baseURL)
	if err := a.store.ChangeInstitution(ctx, next.institution); err != nil {
		return err
	}
	own := seat{next.institution, next.seats[next.institution.ID].seal}
	if renamed {
		if err := a.renewUnusedKey(ctx, &own); err != nil {
			return err
		}
	}
	next = next.with(own)
	for _, key := range fileSettings {
		if value := fileSetting(s, key); value != "" {
			if err := a.Home.SetConfig(key, value); err != nil {
				return err
			}
		}
	}
	a.state.Store(&next)
	return nil
}

func (a *Agent) renewUnusedKey(ctx context.Context, next *seat) error {
	issued, err := a.store.Counts(ctx, next.institution.ID)
	if err != nil || issued.Sum() > 0 {
		return err
	}
	signer, err := a.Home.MakeSigner(a.Random, next.institution.ID, next.institution.Name, a.Now())
	if err != nil {
		return err
	}
	next.seal = a.seal(signer)
	return nil
}
