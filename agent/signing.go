package agent

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// timestampTime is how long a time stamp server may take; without its answer a
// document is signed all the same.
const timestampTime = 10 * time.Second

// signing is how documents are signed, as the settings say.
type signing struct {
	timestamps string // address of an RFC 3161 server, "" for none
	visible    bool   // the code is the signature's appearance
	restricted bool   // documents whose author forbids changes are stamped too
}

// setting reads one: the environment goes before the file.
func (a *Agent) setting(config home.Config, key string) (string, error) {
	one, _ := home.FindSetting(key)
	if value := a.Getenv(one.Env); value != "" {
		return value, one.Check(value, one.Env)
	}
	return cmp.Or(config.Get(key), one.Default), nil
}

// loadSigning reads the settings.
func (a *Agent) loadSigning(config home.Config) (signing, error) {
	var s signing
	var err error
	if s.timestamps, err = a.setting(config, "signing.timestamps"); err != nil {
		return s, err
	}
	for key, on := range map[string]*bool{"signing.visible": &s.visible, "signing.restricted": &s.restricted} {
		text, err := a.setting(config, key)
		if err != nil {
			return s, err
		}
		*on, _ = strconv.ParseBool(text) // checked already; "" is false
	}
	return s, nil
}

// seal makes the seal of a signer.
func (a *Agent) seal(signer *pdf.Signer) *pdf.Seal {
	var options []pdf.SealOption
	if a.signing.visible {
		options = append(options, pdf.WithVisibleSignature())
	}
	if a.signing.restricted {
		options = append(options, pdf.WithRestricted())
	}
	if a.signing.timestamps != "" {
		options = append(options, pdf.WithTimestamps(&http.Client{Timeout: timestampTime}, a.signing.timestamps))
	}
	return pdf.NewSeal(signer, options...)
}

// ImportKey has the current institution sign with a key of its own from now on;
// text is the key and its chain in PEM.
func (a *Agent) ImportKey(_ context.Context, text []byte) (client.SigningKey, error) {
	signer, err := pdf.LoadSigner(text, text)
	if err != nil {
		return client.SigningKey{}, err
	}
	certificate := signer.Certificate()
	if now := a.Now(); now.After(certificate.NotAfter) || now.Before(certificate.NotBefore) {
		return client.SigningKey{}, fault.Newf(fault.Invalid, "the certificate of this key is valid from %s to %s; want one that is valid now",
			certificate.NotBefore.Format(time.DateOnly), certificate.NotAfter.Format(time.DateOnly))
	}
	a.configuring.Lock()
	defer a.configuring.Unlock()
	return a.signWith(signer)
}

// signWith puts a key in place of the current institution's. What was signed with
// the one before carries its certificate, and stays valid.
func (a *Agent) signWith(signer *pdf.Signer) (client.SigningKey, error) {
	next := *a.state.Load()
	if err := a.Home.ReplaceSigner(next.institution.ID, signer, a.Now()); err != nil {
		return client.SigningKey{}, err
	}
	next = next.with(seat{next.institution, a.seal(signer)})
	a.state.Store(&next)
	return shapeKey(signer.Certificate()), nil
}
