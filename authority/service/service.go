// Package service has the authority's operations: the requests of stores, the decisions of
// staff, and scheduled work. Each is one transaction of the store. It also has the keyring of
// the secrets for hashes, the validation of domains, and rate limits.
package service

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/authority/store"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// Store has the authority's records.
type Store interface {
	Read(ctx context.Context, fn func(store.Reader) error) error
	Write(ctx context.Context, fn func(*store.Writer) error) error
	Public(ctx context.Context, hash string, judge func(authority.Certification) error) (authority.Certification, bool, error)
}

// Validator checks the proof of a domain on the network. If there is none, it returns what it
// found instead.
type Validator interface {
	Validate(ctx context.Context, d authority.Domain) (authority.Proof, string)
}

// EventSink passes events on to the sender. It may be given one twice, with
// the same number, and must then see to it that it is sent once.
type EventSink interface {
	Send(ctx context.Context, e authority.Event) error
}

// Options are the parts and settings of a service.
type Options struct {
	Store     Store
	Secrets   *Keyring
	Validator Validator
	Events    EventSink // nil: events wait
	MinSDK    string    // "" is authority.DefaultMinSDK
	Now       func() time.Time
	Random    io.Reader
	Log       *slog.Logger
}

// Service carries out the authority's operations.
type Service struct {
	Options
	wake wake.Signal
}

// New returns a service. It starts nothing.
func New(o Options) *Service {
	if o.MinSDK == "" {
		o.MinSDK = authority.DefaultMinSDK
	}
	return &Service{Options: o, wake: wake.New()}
}

// Authenticate returns the store with these credentials.
func (o *Service) Authenticate(ctx context.Context, slug, key string) (authority.Account, error) {
	var a authority.Account
	err := o.Store.Read(ctx, func(r store.Reader) (err error) {
		if !authority.ValidSlug(slug) {
			return nil
		}
		a, _, err = r.Account(slug)
		return err
	})
	if err == nil && (a.Slug == "" || !a.CheckKey(key)) {
		err = authority.ErrInvalidCredentials()
	}
	return a, err
}

// termSecrets are the random values and the secret of a new term.
type termSecrets struct {
	id, nonce string
	secret    authority.Secret
}

func (o *Service) newTermSecrets() (s termSecrets, err error) {
	if s.id, err = authority.NewRequestID(o.Random); err != nil {
		return s, err
	}
	if s.nonce, err = authority.NewNonce(o.Random); err != nil {
		return s, err
	}
	s.secret, err = o.Secrets.Current()
	return s, err
}

// subject returns the name of a certification in the audit log.
func subject(c authority.Certification) string { return c.Domain + " " + c.ID }

// Request requests a certification. The result is active, or pending until the domain is
// proven or staff have decided. A repeated request updates the pending one.
func (o *Service) Request(ctx context.Context, a authority.Account, claim authority.Claim) (authority.Certification, error) {
	var c authority.Certification
	name, err := authority.ParseDomain(claim.Domain)
	if err != nil {
		return c, err
	}
	claim.Domain = name
	s, err := o.newTermSecrets()
	if err != nil {
		return c, err
	}
	err = o.Store.Write(ctx, func(w *store.Writer) error {
		d, ok, err := w.Domain(name)
		if err != nil {
			return err
		}
		if !ok || d.Store != a.Slug {
			return authority.ErrDomainNotRegistered()
		}
		c, err = o.open(w, a, claim, s)
		if err != nil {
			return err
		}
		return o.saveRequest(w, &c, d, s, authority.StoreActor(a.Slug))
	})
	return c, err
}

// open finds a domain's pending request or opens one.
func (o *Service) open(w *store.Writer, a authority.Account, claim authority.Claim, s termSecrets) (authority.Certification, error) {
	c, ok, err := w.Latest(claim.Domain)
	if err != nil {
		return c, err
	}
	if ok {
		switch c.At(w.Now) {
		case authority.Active:
			return c, authority.NewContractError(authority.AlreadyCertified, "Domain already has active certification")
		case authority.Pending:
			return c.Update(claim, a, o.MinSDK)
		case authority.Expired, authority.Revoked, authority.Superseded, authority.Rejected:
		}
	}
	if c, err = claim.NewRequest(s.id, a, o.MinSDK, w.Now); err != nil {
		return c, err
	}
	return c, w.AppendAudit(authority.StoreActor(a.Slug), "certification.requested", subject(c), "")
}

// saveRequest stores a pending certification, and grants it if it is ready.
func (o *Service) saveRequest(w *store.Writer, c *authority.Certification, d authority.Domain, s termSecrets, who string) error {
	if !c.Ready(d) {
		return w.PutLatest(*c)
	}
	var err error
	if *c, err = c.Grant(s.secret, s.nonce, w.Now); err != nil {
		return err
	}
	if err := w.PutLatest(*c); err != nil {
		return err
	}
	return w.AppendAudit(who, "certification.granted", subject(*c), c.Badge.Name())
}

// Status returns a store's latest certification of a domain.
func (o *Service) Status(ctx context.Context, a authority.Account, domain string) (authority.Certification, error) {
	var c authority.Certification
	name, err := authority.ParseDomain(domain)
	if err != nil {
		return c, authority.ErrNoCertification()
	}
	err = o.Store.Read(ctx, func(r store.Reader) error {
		var ok bool
		if c, ok, err = r.Latest(name); err != nil {
			return err
		}
		if !ok || c.Store != a.Slug {
			return authority.ErrNoCertification()
		}
		if c.State == authority.Rejected {
			return authority.NewContractError(authority.NotFound, "Certification request was rejected: "+c.Reason)
		}
		return nil
	})
	return c, err
}

// Verify returns the public part of the certification of a hash. It checks that the record
// matches the hash.
func (o *Service) Verify(ctx context.Context, hash string) (authority.Certification, error) {
	c, ok, err := o.Store.Public(ctx, hash, o.checkHash)
	if err == nil && !ok {
		err = authority.NewContractError(authority.NotFound, "Badge hash not found")
	}
	return c, err
}

// checkHash checks that a record matches its hash.
func (o *Service) checkHash(c authority.Certification) error {
	secret, err := o.Secrets.ByID(c.Key)
	if err == nil && !c.Genuine(secret) {
		err = fault.Newf(fault.Damaged, "the record of the certification %s does not match its hash; restore the home from a backup", c.ID)
	}
	return err
}

// Revoke revokes a certification. A store can only revoke its own; staff ("") any.
func (o *Service) Revoke(ctx context.Context, slug, hash, reason string) (authority.Certification, error) {
	var c authority.Certification
	err := o.Store.Write(ctx, func(w *store.Writer) error {
		var err error
		if c, err = ownCertification(w.Reader, slug, hash); err != nil {
			return err
		}
		before := c.State
		if c, err = c.Revoke(reason, w.Now); err != nil || c.State == before {
			return err
		}
		if err := w.PutCertification(c); err != nil {
			return err
		}
		e, err := c.RevokedEvent()
		if err != nil {
			return err
		}
		if err := w.QueueEvent(e); err != nil {
			return err
		}
		who := authority.Staff
		if slug != "" {
			who = authority.StoreActor(slug)
		}
		return w.AppendAudit(who, "certification.revoked", subject(c), c.Reason)
	})
	o.wakeUp()
	return c, err
}

// ownCertification returns the certification of a hash; that of another store is not found.
func ownCertification(r store.Reader, slug, hash string) (authority.Certification, error) {
	c, ok, err := r.ByHash(hash)
	if err == nil && (!ok || slug != "" && c.Store != slug) {
		err = authority.NewContractError(authority.NotFound, "No certification found for this hash")
	}
	return c, err
}

// Renew creates the next term of a store's certification. If the same renewal is requested
// again, because its response was lost, it returns the same term.
func (o *Service) Renew(ctx context.Context, a authority.Account, hash string, snapshot authority.Snapshot) (authority.Certification, error) {
	var next authority.Certification
	proven, err := o.recheck(ctx, a, hash)
	if err != nil {
		return next, err
	}
	s, err := o.newTermSecrets()
	if err != nil {
		return next, err
	}
	err = o.Store.Write(ctx, func(w *store.Writer) error {
		c, err := ownCertification(w.Reader, a.Slug, hash)
		if err != nil {
			return err
		}
		if again, ok, err := repeatedRenewal(w.Reader, c, snapshot); err != nil || ok {
			next = again
			return err
		}
		var old authority.Certification
		if old, next, err = c.Renew(s.id, snapshot, s.secret, s.nonce, o.MinSDK, w.Now); err != nil {
			return err
		}
		if proven != nil {
			if err := w.PutDomain(*proven); err != nil {
				return err
			}
		}
		if err := w.PutCertification(old); err != nil {
			return err
		}
		if err := w.PutLatest(next); err != nil {
			return err
		}
		return w.AppendAudit(authority.StoreActor(a.Slug), "certification.renewed", subject(next), "after "+old.ID+", "+next.Badge.Name())
	})
	return next, err
}

// repeatedRenewal returns an existing renewal of a certification, if the snapshot is the same
// and the renewal is still active.
func repeatedRenewal(r store.Reader, c authority.Certification, s authority.Snapshot) (authority.Certification, bool, error) {
	if c.State != authority.Superseded {
		return c, false, nil
	}
	next, ok, err := r.Certification(c.Successor)
	return next, ok && next.State == authority.Active && next.Snapshot.Same(s), err
}

// recheck checks that a store still owns the domain of a certification. It returns the domain
// with its new proof, or nil if no check was needed.
func (o *Service) recheck(ctx context.Context, a authority.Account, hash string) (*authority.Domain, error) {
	var d authority.Domain
	err := o.Store.Read(ctx, func(r store.Reader) error {
		c, err := ownCertification(r, a.Slug, hash)
		if err != nil {
			return err
		}
		var ok bool
		if d, ok, err = r.Domain(c.Domain); err == nil && (!ok || d.Store != a.Slug) {
			err = authority.ErrDomainNotRegistered()
		}
		if c.At(o.Now()) != authority.Active {
			d.Proof = authority.ByStaff // no check: the renewal is refused anyway
		}
		return err
	})
	if err != nil || !d.MustRecheck(o.Now()) {
		return nil, err
	}
	proof, found := o.Validator.Validate(ctx, d)
	if proof == "" {
		return nil, authority.NewContractError(authority.CannotRenew, "Domain ownership could not be confirmed: "+found)
	}
	d = d.MarkVerified(proof, o.Now())
	return &d, nil
}
