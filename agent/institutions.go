package agent

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/vault"
)

// setting reads one: the environment goes before the file.
func (a *Agent) setting(config home.Config, key string) (string, error) {
	one, _ := home.FindSetting(key)
	if value := a.Getenv(one.Env); value != "" {
		return value, one.Check(value, one.Env)
	}
	return cmp.Or(config.Get(key), one.Default), nil
}

// loadSigning reads the settings.
func (a *Agent) loadSigning(config home.Config) (institutions.SigningOptions, error) {
	var s institutions.SigningOptions
	var err error
	if s.TimestampServer, err = a.setting(config, "signing.timestamps"); err != nil {
		return s, err
	}
	for key, on := range map[string]*bool{"signing.visible": &s.Visible, "signing.restricted": &s.Restricted} {
		text, err := a.setting(config, key)
		if err != nil {
			return s, err
		}
		*on, _ = strconv.ParseBool(text) // checked already; "" is false
	}
	return s, nil
}

// openInstitutions readies every institution of the home; a new home gets one.
func (a *Agent) openInstitutions(ctx context.Context, baseURL string, signing institutions.SigningOptions) (err error) {
	a.institutions, err = institutions.Open(ctx, institutions.Options{
		Store: a.store, KeyStore: a.Home, Signing: signing, CheckSettings: home.CheckSettings, SaveSettings: a.Home.SaveSettings,
		Changed: a.events.PublishChange, Now: a.Now, Random: a.Random,
	}, baseURL, a.Options.Institution)
	return err
}

// Institution is the one whose staff the agent serves.
func (a *Agent) Institution() vault.Institution { return a.institutions.Current() }

// currentID is the institution whose staff the agent serves.
func (a *Agent) currentID() uint32 { return a.Institution().ID }

// BaseURL is what QR codes and links begin with.
func (a *Agent) BaseURL() string { return a.institutions.BaseURL() }

// resultsFolder is the folder of an institution's outcomes; two of them may have
// batches of one name.
func (a *Agent) resultsFolder(institution uint32) string {
	if institution <= 1 {
		return a.Home.Verified()
	}
	return filepath.Join(a.Home.Verified(), fmt.Sprintf("institution-%d", institution))
}
