package config

import (
	"cmp"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// edit is a new value for a setting of the file; "" leaves it as it is.
type edit struct{ key, value string }

// editsOf are those of the settings that stand in config.yaml.
func editsOf(s adminclient.Settings) []edit {
	return []edit{{"base_url", s.BaseURL}, {"mail.smtp_url", s.MailServer}, {"listen", s.Listen}}
}

// CheckSettings checks the settings that are given.
func CheckSettings(s adminclient.Settings) error {
	var c Config
	for _, e := range editsOf(s) {
		if e.value == "" {
			continue
		}
		one, _ := c.find(e.key)
		if err := one.set(e.value, "as given"); err != nil {
			return err
		}
	}
	if s.Institution != "" && vault.Clean(s.Institution) == "" {
		return fault.New(fault.Invalid, "the institution's name is blank; give the name that signatures are to show")
	}
	if s.Sender != "" && !vault.ValidEmail(s.Sender) {
		return fault.Newf(fault.Invalid, "%q is not an e-mail address", s.Sender)
	}
	return vault.Institution{Name: cmp.Or(vault.Clean(s.Institution), "-"), TimeZone: cmp.Or(s.TimeZone, "UTC")}.Validate()
}

// SaveSettings writes those of the settings into the file that stand there.
func (f File) SaveSettings(s adminclient.Settings) error {
	for _, e := range editsOf(s) {
		if e.value == "" {
			continue
		}
		if err := f.Set(e.key, e.value); err != nil {
			return err
		}
	}
	return nil
}
