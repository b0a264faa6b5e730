package web_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// desk takes applications in over the site's store, as the agent's does, but looks
// no deeper into a file than its first bytes.
type storeApplications struct{ *site }

func (d storeApplications) TakeEvidence(_ context.Context, r io.Reader, name string) (vault.File, error) {
	raw, err := io.ReadAll(io.LimitReader(r, vault.MaxFile+1))
	switch {
	case err != nil:
		return vault.File{}, err
	case len(raw) > vault.MaxFile:
		return vault.File{}, fault.New(fault.Invalid, "the file is larger than 20 MB")
	case !bytes.HasPrefix(raw, []byte("%PDF")):
		return vault.File{}, fault.New(fault.Invalid, "the file is neither a PDF nor a JPEG or PNG image")
	}
	d.taken.Add(1)
	return vault.File{Name: name, Format: "pdf", Size: int64(len(raw)), SHA256: vault.HashSecret(string(raw))}, nil
}

func (d storeApplications) Apply(ctx context.Context, who vault.Account, a vault.ApplicationDraft) (vault.Certificate, error) {
	a.Email = who.Email
	return d.submit(ctx, a, vault.ProvenByAccount, "")
}

func (d storeApplications) ApplyByMail(ctx context.Context, a vault.ApplicationDraft) error {
	w, secret, err := vault.NewUnconfirmedApplication(rand.Reader, 1, a, d.now())
	if err != nil {
		return err
	}
	err = d.store.AddUnconfirmed(ctx, w, w.ConfirmationMail(*d.base.Load()+"/apply/confirm/"+secret, d.institution.Load().ApplicationPolicy()))
	if fault.Is(err, fault.Illegal) {
		return nil
	}
	return err
}

func (d storeApplications) WaitingApplication(ctx context.Context, secret string) (vault.UnconfirmedApplication, error) {
	return d.store.Unconfirmed(ctx, vault.HashSecret(secret), d.now())
}

func (d storeApplications) ConfirmApplication(ctx context.Context, secret string) (vault.Certificate, error) {
	w, err := d.WaitingApplication(ctx, secret)
	if err != nil {
		return vault.Certificate{}, err
	}
	if d.institution.Load().ApplicationPolicy().Who != vault.AnyoneMayApply {
		return vault.Certificate{}, fault.New(fault.Forbidden, "no applications are taken here")
	}
	return d.submit(ctx, w.ApplicationDraft, vault.ProvenByMail, w.Hash)
}

func (d storeApplications) ApplicationsOf(ctx context.Context, who vault.Account) ([]vault.Certificate, error) {
	found, err := d.store.List(ctx, store.Filter{Institution: 1, Source: vault.FromCustomer, Email: who.Email}, 1, 100)
	return found.Certificates, err
}

func (d storeApplications) submit(ctx context.Context, a vault.ApplicationDraft, proof vault.Proof, hash string) (vault.Certificate, error) {
	id, err := vault.NewIdentity(rand.Reader, d.now(), 2026)
	if err != nil {
		return vault.Certificate{}, err
	}
	c, fx := vault.Submit(vault.Submission{ApplicationDraft: a, Proof: proof, Day: "2026-06-15"}, 1, id, d.now())
	return d.store.Submit(ctx, store.NewCertificate{Certificate: c, Effects: fx}, hash, d.now())
}
