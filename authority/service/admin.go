package service

import (
	"context"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/authority/store"
	"github.com/vecctl/vecctl/pkg/fault"
)

// AddStore registers a store. Its API key is in the answer alone.
func (o *Service) AddStore(ctx context.Context, slug string, review bool) (authority.Account, string, error) {
	a, err := authority.NewAccount(slug, review, o.Now().UTC())
	if err != nil {
		return a, "", err
	}
	a, key, err := a.NewKey(o.Random, o.Now().UTC())
	if err != nil {
		return a, "", err
	}
	return a, key, o.Store.Write(ctx, func(w *store.Writer) error {
		if _, ok, err := w.Account(slug); err != nil || ok {
			if ok {
				err = fault.Newf(fault.Conflict, "there is a store %q already; a new key for it: vecctl authority store rotate-key %s", slug, slug)
			}
			return err
		}
		if err := w.PutAccount(a); err != nil {
			return err
		}
		return w.AppendAudit(authority.Staff, "store.added", slug, "")
	})
}

// Stores lists the stores by name.
func (o *Service) Stores(ctx context.Context) (all []authority.Account, err error) {
	err = o.Store.Read(ctx, func(r store.Reader) error { all, err = r.Accounts(); return err })
	return all, err
}

// RotateKey gives a store a new API key; the old one opens nothing from then on.
func (o *Service) RotateKey(ctx context.Context, slug string) (authority.Account, string, error) {
	// Drawn beforehand, since nothing but computing is done in a transaction.
	drawn, key, err := authority.Account{}.NewKey(o.Random, o.Now().UTC())
	if err != nil {
		return drawn, "", err
	}
	a, err := o.changeStore(ctx, slug, "store.key_rotated", func(a *authority.Account) {
		a.KeyHash, a.RotatedAt = drawn.KeyHash, o.Now().UTC()
	})
	return a, key, err
}

// DisableStore shuts a store out, or lets it in again. Its certifications stay.
func (o *Service) DisableStore(ctx context.Context, slug string, disabled bool) (authority.Account, error) {
	what := "store.disabled"
	if !disabled {
		what = "store.enabled"
	}
	return o.changeStore(ctx, slug, what, func(a *authority.Account) { a.Disabled = disabled })
}

// ReviewStore says whether staff look at a store's requests from now on.
func (o *Service) ReviewStore(ctx context.Context, slug string, review bool) (authority.Account, error) {
	what := "store.review_on"
	if !review {
		what = "store.review_off"
	}
	return o.changeStore(ctx, slug, what, func(a *authority.Account) { a.Review = review })
}

func (o *Service) changeStore(ctx context.Context, slug, what string, change func(*authority.Account)) (authority.Account, error) {
	var a authority.Account
	err := o.Store.Write(ctx, func(w *store.Writer) error {
		var err error
		if a, err = account(w.Reader, slug); err != nil {
			return err
		}
		change(&a)
		if err := w.PutAccount(a); err != nil {
			return err
		}
		return w.AppendAudit(authority.Staff, what, slug, "")
	})
	return a, err
}

func account(r store.Reader, slug string) (authority.Account, error) {
	a, ok, err := r.Account(slug)
	if err == nil && !ok {
		err = fault.Newf(fault.NotFound, "there is no store %q; see: vecctl authority store list", slug)
	}
	return a, err
}

// AddDomain registers a domain for a store. A domain that the store has already
// stays as it is.
func (o *Service) AddDomain(ctx context.Context, name, slug string) (authority.Domain, error) {
	d, err := authority.NewDomain(o.Random, name, slug, o.Now().UTC())
	if err != nil {
		return d, err
	}
	err = o.Store.Write(ctx, func(w *store.Writer) error {
		if _, err := account(w.Reader, slug); err != nil {
			return err
		}
		switch old, ok, err := w.Domain(d.Name); {
		case err != nil:
			return err
		case ok && old.Store == slug:
			d = old
			return nil
		case ok:
			return fault.Newf(fault.Conflict, "the domain %s is registered for the store %q; remove it there first", d.Name, old.Store)
		}
		if err := w.PutDomain(d); err != nil {
			return err
		}
		return w.AppendAudit(authority.Staff, "domain.added", d.Name, "for store "+slug)
	})
	o.wakeUp()
	return d, err
}

// Domains lists the domains by name.
func (o *Service) Domains(ctx context.Context) (all []authority.Domain, err error) {
	err = o.Store.Read(ctx, func(r store.Reader) error { all, err = r.Domains(); return err })
	return all, err
}

func (o *Service) domain(ctx context.Context, name string) (d authority.Domain, err error) {
	err = o.Store.Read(ctx, func(r store.Reader) error { d, err = domain(r, name); return err })
	return d, err
}

func domain(r store.Reader, name string) (authority.Domain, error) {
	parsed, err := authority.ParseDomain(name)
	if err != nil {
		parsed = ""
	}
	d, ok, err := r.Domain(parsed)
	if err == nil && !ok {
		err = fault.Newf(fault.NotFound, "the domain %q is not registered; see: vecctl authority domain list", name)
	}
	return d, err
}

// CheckDomain looks for the proof of a domain now. What waited for it is granted.
func (o *Service) CheckDomain(ctx context.Context, name string) (authority.Domain, error) {
	d, err := o.domain(ctx, name)
	if err != nil || authority.IsAppID(d.Name) || d.Proof == authority.ByStaff {
		return d, err
	}
	proof, found := o.Validator.Validate(ctx, d)
	if err := ctx.Err(); err != nil {
		return d, err // it was broken off, which says nothing about the domain
	}
	return o.saveCheck(ctx, d, proof, found)
}

// saveCheck keeps what a check found. A domain that was proven stays so: what a
// check cannot find today may be a fault on the way.
func (o *Service) saveCheck(ctx context.Context, d authority.Domain, proof authority.Proof, found string) (authority.Domain, error) {
	if proof != "" {
		return o.markVerified(ctx, d.Name, d.Token, proof, authority.System)
	}
	err := o.Store.Write(ctx, func(w *store.Writer) error {
		now, ok, err := w.Domain(d.Name)
		if err != nil || !ok || now.Token != d.Token {
			return err
		}
		d = now.MarkCheckFailed(found, w.Now.UTC())
		if d.Verified() {
			d.NextCheck = now.NextCheck
		}
		return w.PutDomain(d)
	})
	return d, err
}

// TrustDomain takes staff's word for a domain or App ID.
func (o *Service) TrustDomain(ctx context.Context, name string) (authority.Domain, error) {
	return o.markVerified(ctx, name, "", authority.ByStaff, authority.Staff)
}

// markVerified notes the proof of a domain and grants what waited for it. A token says
// which registration was looked at; it may have been made anew meanwhile.
func (o *Service) markVerified(ctx context.Context, name, token string, proof authority.Proof, who string) (authority.Domain, error) {
	var d authority.Domain
	s, err := o.newTermSecrets()
	if err != nil {
		return d, err
	}
	err = o.Store.Write(ctx, func(w *store.Writer) error {
		if d, err = domain(w.Reader, name); err != nil || token != "" && d.Token != token {
			return err
		}
		if d.Proof != proof {
			if err := w.AppendAudit(who, "domain.proven", d.Name, "by "+string(proof)); err != nil {
				return err
			}
		}
		d = d.MarkVerified(proof, w.Now.UTC())
		if err := w.PutDomain(d); err != nil {
			return err
		}
		c, ok, err := w.Latest(d.Name)
		if err != nil || !ok || !c.Ready(d) || c.Store != d.Store {
			return err
		}
		return o.saveRequest(w, &c, d, s, who)
	})
	return d, err
}

// RemoveDomain forgets a domain, unless a certification stands on it.
func (o *Service) RemoveDomain(ctx context.Context, name string) (authority.Domain, error) {
	var d authority.Domain
	err := o.Store.Write(ctx, func(w *store.Writer) error {
		var err error
		if d, err = domain(w.Reader, name); err != nil {
			return err
		}
		c, ok, err := w.Latest(d.Name)
		if err != nil {
			return err
		}
		if state := c.At(w.Now); ok && (state == authority.Active || state == authority.Pending) {
			return fault.Newf(fault.Illegal, "the domain %s has a certification that is %s (%s); revoke or reject it first", d.Name, state, c.ID)
		}
		if err := w.RemoveDomain(d.Name); err != nil {
			return err
		}
		return w.AppendAudit(authority.Staff, "domain.removed", d.Name, "from store "+d.Store)
	})
	return d, err
}

// LatestCertifications lists each domain's latest certification, by domain; of one store where
// that is named.
func (o *Service) LatestCertifications(ctx context.Context, slug string) (all []authority.Certification, err error) {
	err = o.Store.Read(ctx, func(r store.Reader) error {
		return r.EachLatest(func(c authority.Certification) {
			if slug == "" || c.Store == slug {
				all = append(all, c)
			}
		})
	})
	return all, err
}

// Pending lists the pending requests, oldest first.
func (o *Service) Pending(ctx context.Context) (all []authority.Certification, err error) {
	err = o.Store.Read(ctx, func(r store.Reader) error { all, err = r.Pending(); return err })
	return all, err
}

// Approve is staff's yes to a pending request. An App ID is thereby vouched for; a
// domain must still be proven.
func (o *Service) Approve(ctx context.Context, id string) (authority.Certification, error) {
	s, err := o.newTermSecrets()
	if err != nil {
		return authority.Certification{}, err
	}
	return o.decide(ctx, id, func(w *store.Writer, c *authority.Certification) error {
		if *c, err = c.Approve(); err != nil {
			return err
		}
		if err := w.AppendAudit(authority.Staff, "certification.approved", subject(*c), ""); err != nil {
			return err
		}
		d, err := domain(w.Reader, c.Domain)
		if err != nil {
			return err
		}
		if !d.Verified() && authority.IsAppID(d.Name) {
			d = d.MarkVerified(authority.ByStaff, w.Now.UTC())
			if err := w.PutDomain(d); err != nil {
				return err
			}
		}
		return o.saveRequest(w, c, d, s, authority.Staff)
	})
}

// Reject is staff's no.
func (o *Service) Reject(ctx context.Context, id, reason string) (authority.Certification, error) {
	return o.decide(ctx, id, func(w *store.Writer, c *authority.Certification) error {
		var err error
		if *c, err = c.Reject(reason); err != nil {
			return err
		}
		if err := w.PutCertification(*c); err != nil {
			return err
		}
		return w.AppendAudit(authority.Staff, "certification.rejected", subject(*c), c.Reason)
	})
}

func (o *Service) decide(ctx context.Context, id string, act func(*store.Writer, *authority.Certification) error) (authority.Certification, error) {
	var c authority.Certification
	err := o.Store.Write(ctx, func(w *store.Writer) error {
		var ok bool
		var err error
		if c, ok, err = w.Certification(id); err != nil {
			return err
		}
		if !ok {
			return fault.Newf(fault.NotFound, "there is no request %q; see: vecctl authority pending", id)
		}
		return act(w, &c)
	})
	return c, err
}

// RotateSecret makes new hashes under a new secret. Badges that were issued stay
// valid.
func (o *Service) RotateSecret(ctx context.Context) (string, error) {
	id, err := o.Secrets.Rotate()
	if err != nil {
		return "", err
	}
	return id, o.Store.Write(ctx, func(w *store.Writer) error { return w.AppendAudit(authority.Staff, "secret.rotated", id, "") })
}

// Entries lists up to n of the audit list after a number.
func (o *Service) Entries(ctx context.Context, after uint64, n int) (list []authority.AuditEntry, err error) {
	err = o.Store.Read(ctx, func(r store.Reader) error {
		return r.Entries(after, func(e authority.AuditEntry) (bool, error) {
			list = append(list, e)
			return len(list) == n, nil
		})
	})
	return list, err
}

// VerifyLog checks the whole audit list and returns its last entry.
func (o *Service) VerifyLog(ctx context.Context) (authority.AuditEntry, error) {
	var last authority.AuditEntry
	err := o.Store.Read(ctx, func(r store.Reader) error {
		err := r.Entries(0, func(e authority.AuditEntry) (bool, error) {
			if err := e.Follows(last); err != nil {
				return true, err
			}
			last = e
			return false, ctx.Err()
		})
		if err != nil {
			return err
		}
		known, err := r.LastEntry()
		if err == nil && known.Hash != last.Hash {
			err = fault.Newf(fault.Damaged, "the audit list ends with entry %d, but %d were written; entries are missing at its end", last.Seq, known.Seq)
		}
		return err
	})
	return last, err
}
