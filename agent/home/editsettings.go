package home

import (
	"cmp"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// fileSettings are the settings that stand in config.yaml.
var fileSettings = [...]string{"base_url", "mail.smtp_url", "listen"}

// fileSetting is what is decided about one of them; "" leaves it as it is.
func fileSetting(s adminclient.Settings, key string) string {
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
func CheckSettings(s adminclient.Settings) error {
	for _, key := range fileSettings {
		one, _ := FindSetting(key)
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

// SaveSettings writes those of the settings into config.yaml that stand there.
func (d Dir) SaveSettings(s adminclient.Settings) error {
	for _, key := range fileSettings {
		if value := fileSetting(s, key); value != "" {
			if err := d.SetConfig(key, value); err != nil {
				return err
			}
		}
	}
	return nil
}
