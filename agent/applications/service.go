// Package applications takes applications for certificates, confirms the addresses
// of applicants, and carries out the decisions of staff.
package applications

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// Store is what is needed of the store.
type Store interface {
	List(ctx context.Context, f store.Filter, page, perPage int) (store.Page, error)
	AddUnconfirmed(ctx context.Context, w vault.UnconfirmedApplication, m vault.Mail) error
	Unconfirmed(ctx context.Context, hash string, now time.Time) (vault.UnconfirmedApplication, error)
	Submit(ctx context.Context, a store.NewCertificate, hash string, now time.Time) (vault.Certificate, error)
	Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error)
	Change(ctx context.Context, institution uint32, name string, change store.Change) (vault.Certificate, error)
}

// DocumentStore checks files and stores them. intake.Uploads is one.
type DocumentStore interface {
	// Accepting returns nil while new files are taken, else the reason.
	Accepting() error
	Keep(ctx context.Context, r io.Reader, name string) (vault.File, error)
	KeepPlaced(ctx context.Context, r io.Reader, name string, p vault.Placement) (vault.File, error)
	// Open opens a stored file. The caller closes it.
	Open(ctx context.Context, sum string) (io.ReadCloser, error)
	// RenderTemplate makes a document of a template for a person, and stores it. It also
	// returns where the code goes.
	RenderTemplate(ctx context.Context, user vault.Institution, template, person string, values map[string]string) (vault.File, vault.Placement, error)
}

// Options are what the service needs.
type Options struct {
	Store        Store
	Documents    DocumentStore
	Institutions institutions.Directory
	Mails        wake.Waker // woken when a mail was queued
	Work         wake.Waker // woken when an application was submitted
	Now          func() time.Time
	Random       io.Reader
	Log          *slog.Logger
}

// Service takes applications and decides them. Its methods without an institution
// serve the public pages, which are the primary one's.
type Service struct {
	Options
	slots chan struct{}
}

// maxConcurrentUploads is how many files of people whom nobody knows are taken in at once.
const maxConcurrentUploads = 16

// New makes the service; it starts nothing.
func New(o Options) *Service {
	return &Service{Options: o, slots: make(chan struct{}, maxConcurrentUploads)}
}

// TakeEvidence checks an applicant's file and stores it. It is Invalid, with words
// for a person, when it is no document, and Unavailable when too many are being
// taken in.
func (d *Service) TakeEvidence(ctx context.Context, r io.Reader, name string) (vault.File, error) {
	if err := d.Documents.Accepting(); err != nil {
		return vault.File{}, err
	}
	if err := ctx.Err(); err != nil {
		return vault.File{}, err
	}
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	default:
		return vault.File{}, fault.New(fault.Unavailable, "Too many files are being uploaded just now; try again in a minute.")
	}
	return d.Documents.Keep(ctx, r, name)
}

// Apply submits an application of somebody who is signed in.
func (d *Service) Apply(ctx context.Context, who vault.Account, a vault.ApplicationDraft) (vault.Certificate, error) {
	to := d.Institutions.Primary()
	if to.ApplicationPolicy().Who == vault.NobodyMayApply {
		return vault.Certificate{}, errNotOffered(to)
	}
	if vault.FoldEmail(a.Email) != who.Email {
		a.Email = who.Email
	}
	a = a.Clean()
	if err := to.ApplicationPolicy().Check(a); err != nil {
		return vault.Certificate{}, err
	}
	return d.submitted(d.submit(ctx, to, vault.Submission{ApplicationDraft: a, Proof: vault.ProvenByAccount}, ""))
}

func errNotOffered(to vault.Institution) error {
	return fault.Newf(fault.Forbidden, "%s takes no applications here.", to.Name)
}

// ApplyByMail keeps an application until its address is proven, and has the link
// mailed that proves it. The answer does not tell what is known of the address.
func (d *Service) ApplyByMail(ctx context.Context, a vault.ApplicationDraft) error {
	to := d.Institutions.Primary()
	if to.ApplicationPolicy().Who != vault.AnyoneMayApply {
		return errNotOffered(to)
	}
	a = a.Clean()
	if err := to.ApplicationPolicy().Check(a); err != nil {
		return err
	}
	w, secret, err := vault.NewUnconfirmedApplication(d.Random, to.ID, a, d.Now())
	if err != nil {
		return err
	}
	link := strings.TrimRight(d.Institutions.BaseURL(), "/") + "/apply/confirm/" + secret
	err = d.Store.AddUnconfirmed(ctx, w, w.ConfirmationMail(link, to.ApplicationPolicy()))
	d.Mails.Wake()
	if fault.Is(err, fault.Illegal) {
		return nil // that enough of this address wait is nobody's business
	}
	return err
}

// WaitingApplication finds an application by the secret of its link; NotFound when it
// was confirmed or is too old.
func (d *Service) WaitingApplication(ctx context.Context, secret string) (vault.UnconfirmedApplication, error) {
	return d.Store.Unconfirmed(ctx, vault.HashSecret(secret), d.Now())
}

// ConfirmApplication makes an application count, whose address is proven by the secret.
func (d *Service) ConfirmApplication(ctx context.Context, secret string) (vault.Certificate, error) {
	w, err := d.WaitingApplication(ctx, secret)
	if err != nil {
		return vault.Certificate{}, err
	}
	to, ok := d.Institutions.ByID(w.Institution)
	if !ok || to.ApplicationPolicy().Who != vault.AnyoneMayApply {
		return vault.Certificate{}, errNotOffered(to)
	}
	return d.submitted(d.submit(ctx, to, vault.Submission{ApplicationDraft: w.ApplicationDraft, Proof: vault.ProvenByMail}, w.Hash))
}

// submitted notes that somebody submitted an application.
func (d *Service) submitted(c vault.Certificate, err error) (vault.Certificate, error) {
	if err == nil {
		d.Work.Wake()
		d.Log.Info("an application was submitted", "certificate", c.UUID, "proof", c.Application.Proof)
	}
	return c, err
}

// ApplicationsOf lists what an account has applied for at the primary institution,
// the latest of it.
func (d *Service) ApplicationsOf(ctx context.Context, who vault.Account) ([]vault.Certificate, error) {
	const most = 100
	page, err := d.Store.List(ctx, store.Filter{Institution: d.Institutions.Primary().ID, Source: vault.FromCustomer, Email: who.Email}, 1, most)
	return page.Certificates, err
}

// SubmitFor submits an application for somebody whom staff know. Title and evidence
// are theirs to judge.
func (d *Service) SubmitFor(ctx context.Context, to vault.Institution, by string, a vault.ApplicationDraft) (vault.Certificate, error) {
	a = a.Clean()
	if err := fault.InvalidFields(a.Problems()); err != nil {
		return vault.Certificate{}, err
	}
	return d.submit(ctx, to, vault.Submission{ApplicationDraft: a, Proof: vault.ProvenByStaff, By: by}, "")
}

// submit keeps an application that counts. A hash names the waiting one that it was.
func (d *Service) submit(ctx context.Context, to vault.Institution, s vault.Submission, hash string) (vault.Certificate, error) {
	var made vault.Certificate
	err := vault.RetryOnCollision(func() error {
		now := d.Now()
		s.Day = to.Today(now)
		id, err := vault.NewIdentity(d.Random, now, to.Year(now))
		if err != nil {
			return err
		}
		c, fx := vault.Submit(s, to.ID, id, now)
		made, err = d.Store.Submit(ctx, store.NewCertificate{Certificate: c, Effects: fx}, hash, now)
		return err
	})
	return made, err
}
