package office

import (
	"context"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/authority/ledger"
	"github.com/vecctl/vecctl/pkg/fault"
)

// AddStore registers a store. Its API key is in the answer alone.
func (o *Office) AddStore(ctx context.Context, slug string, review bool) (authority.Account, string, error) {
	a, err := authority.NewAccount(slug, review, o.Now().UTC())
	if err != nil {
		return a, "", err
	}
	a, key, err := a.NewKey(o.Random, o.Now().UTC())
	if err != nil {
		return a, "", err
	}
	return a, key, o.Ledger.Write(ctx, func(w *ledger.Writer) error {
		if _, ok, err := w.Account(slug); err != nil || ok {
			if ok {
				err = fault.Newf(fault.Conflict, "there is a store %q already; a new key for it: vecctl authority store rotate-key %s", slug, slug)
			}
			return err
		}
		if err := w.PutAccount(a); err != nil {
			return err
		}
		return w.Note(authority.Staff, "store.added", slug, "")
	})
}

// Stores lists the stores by name.
func (o *Office) Stores(ctx context.Context) (all []authority.Account, err error) {
	err = o.Ledger.Read(ctx, func(r ledger.Reader) error { all, err = r.Accounts(); return err })
	return all, err
}

// RotateKey gives a store a new API key; the old one opens nothing from then on.
func (o *Office) RotateKey(ctx context.Context, slug string) (authority.Account, string, error) {
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
func (o *Office) DisableStore(ctx context.Context, slug string, disabled bool) (authority.Account, error) {
	what := "store.disabled"
	if !disabled {
		what = "store.enabled"
	}
	return o.changeStore(ctx, slug, what, func(a *authority.Account) { a.Disabled = disabled })
}

// ReviewStore says whether staff look at a store's requests from now on.
func (o *Office) ReviewStore(ctx context.Context, slug string, review bool) (authority.Account, error) {
	what := "store.review_on"
	if !review {
		what = "store.review_off"
	}
	return o.changeStore(ctx, slug, what, func(a *authority.Account) { a.Review = review })
}

func (o *Office) changeStore(ctx context.Context, slug, what string, change func(*authority.Account)) (authority.Account, error) {
	var a authority.Account
	err := o.Ledger.Write(ctx, func(w *ledger.Writer) error {
		var err error
		if a, err = account(w.Reader, slug); err != nil {
			return err
		}
		change(&a)
		if err := w.PutAccount(a); err != nil {
			return err
		}
		return w.Note(authority.Staff, what, slug, "")
	})
	return a, err
}

func account(r ledger.Reader, slug string) (authority.Account, error) {
	a, ok, err := r.Account(slug)
	if err == nil && !ok {
		err = fault.Newf(fault.NotFound, "there is no store %q; see: vecctl authority store list", slug)
	}
	return a, err
}

// AddDomain registers a domain for a store. A domain that the store has already
// stays as it is.
func (o *Office) AddDomain(ctx context.Context, name, slug string) (authority.Domain, error) {
	d, err := authority.NewDomain(o.Random, name, slug, o.Now().UTC())
	if err != nil {
		return d, err
	}
	err = o.Ledger.Write(ctx, func(w *ledger.Writer) error {
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
		return w.Note(authority.Staff, "domain.added", d.Name, "for store "+slug)
	})
	o.nudge()
	return d, err
}

// Domains lists the domains by name.
func (o *Office) Domains(ctx context.Context) (all []authority.Domain, err error) {
	err = o.Ledger.Read(ctx, func(r ledger.Reader) error { all, err = r.Domains(); return err })
	return all, err
}

func (o *Office) domain(ctx context.Context, name string) (d authority.Domain, err error) {
	err = o.Ledger.Read(ctx, func(r ledger.Reader) error { d, err = domain(r, name); return err })
	return d, err
}

func domain(r ledger.Reader, name string) (authority.Domain, error) {
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
func (o *Office) CheckDomain(ctx context.Context, name string) (authority.Domain, error) {
	d, err := o.domain(ctx, name)
	if err != nil || authority.IsAppID(d.Name) || d.Proof == authority.ByStaff {
		return d, err
	}
	proof, found := o.Prover.Prove(ctx, d)
	if err := ctx.Err(); err != nil {
		return d, err // it was broken off, which says nothing about the domain
	}
	return o.checked(ctx, d, proof, found)
}

// checked keeps what a check found. A domain that was proven stays so: what a
// check cannot find today may be a fault on the way.
func (o *Office) checked(ctx context.Context, d authority.Domain, proof authority.Proof, found string) (authority.Domain, error) {
	if proof != "" {
		return o.prove(ctx, d.Name, d.Token, proof, authority.Self)
	}
	err := o.Ledger.Write(ctx, func(w *ledger.Writer) error {
		now, ok, err := w.Domain(d.Name)
		if err != nil || !ok || now.Token != d.Token {
			return err
		}
		d = now.Disprove(found, w.Now.UTC())
		if d.Proven() {
			d.NextCheck = now.NextCheck
		}
		return w.PutDomain(d)
	})
	return d, err
}

// TrustDomain takes staff's word for a domain or App ID.
func (o *Office) TrustDomain(ctx context.Context, name string) (authority.Domain, error) {
	return o.prove(ctx, name, "", authority.ByStaff, authority.Staff)
}

// prove notes the proof of a domain and grants what waited for it. A token says
// which registration was looked at; it may have been made anew meanwhile.
func (o *Office) prove(ctx context.Context, name, token string, proof authority.Proof, who string) (authority.Domain, error) {
	var d authority.Domain
	s, err := o.stamp()
	if err != nil {
		return d, err
	}
	err = o.Ledger.Write(ctx, func(w *ledger.Writer) error {
		if d, err = domain(w.Reader, name); err != nil || token != "" && d.Token != token {
			return err
		}
		if d.Proof != proof {
			if err := w.Note(who, "domain.proven", d.Name, "by "+string(proof)); err != nil {
				return err
			}
		}
		d = d.Prove(proof, w.Now.UTC())
		if err := w.PutDomain(d); err != nil {
			return err
		}
		c, ok, err := w.Latest(d.Name)
		if err != nil || !ok || !c.Ready(d) || c.Store != d.Store {
			return err
		}
		return o.settle(w, &c, d, s, who)
	})
	return d, err
}

// RemoveDomain forgets a domain, unless a certification stands on it.
func (o *Office) RemoveDomain(ctx context.Context, name string) (authority.Domain, error) {
	var d authority.Domain
	err := o.Ledger.Write(ctx, func(w *ledger.Writer) error {
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
		return w.Note(authority.Staff, "domain.removed", d.Name, "from store "+d.Store)
	})
	return d, err
}

// Latests lists each domain's latest certification, by domain; of one store where
// that is named.
func (o *Office) Latests(ctx context.Context, store string) (all []authority.Certification, err error) {
	err = o.Ledger.Read(ctx, func(r ledger.Reader) error {
		return r.Latests(func(c authority.Certification) {
			if store == "" || c.Store == store {
				all = append(all, c)
			}
		})
	})
	return all, err
}

// Pending lists the pending requests, oldest first.
func (o *Office) Pending(ctx context.Context) (all []authority.Certification, err error) {
	err = o.Ledger.Read(ctx, func(r ledger.Reader) error { all, err = r.Pending(); return err })
	return all, err
}

// Approve is staff's yes to a pending request. An App ID is thereby vouched for; a
// domain must still be proven.
func (o *Office) Approve(ctx context.Context, id string) (authority.Certification, error) {
	s, err := o.stamp()
	if err != nil {
		return authority.Certification{}, err
	}
	return o.decide(ctx, id, func(w *ledger.Writer, c *authority.Certification) error {
		if *c, err = c.Approve(); err != nil {
			return err
		}
		if err := w.Note(authority.Staff, "certification.approved", subject(*c), ""); err != nil {
			return err
		}
		d, err := domain(w.Reader, c.Domain)
		if err != nil {
			return err
		}
		if !d.Proven() && authority.IsAppID(d.Name) {
			d = d.Prove(authority.ByStaff, w.Now.UTC())
			if err := w.PutDomain(d); err != nil {
				return err
			}
		}
		return o.settle(w, c, d, s, authority.Staff)
	})
}

// Reject is staff's no.
func (o *Office) Reject(ctx context.Context, id, reason string) (authority.Certification, error) {
	return o.decide(ctx, id, func(w *ledger.Writer, c *authority.Certification) error {
		var err error
		if *c, err = c.Reject(reason); err != nil {
			return err
		}
		if err := w.PutCertification(*c); err != nil {
			return err
		}
		return w.Note(authority.Staff, "certification.rejected", subject(*c), c.Reason)
	})
}

func (o *Office) decide(ctx context.Context, id string, act func(*ledger.Writer, *authority.Certification) error) (authority.Certification, error) {
	var c authority.Certification
	err := o.Ledger.Write(ctx, func(w *ledger.Writer) error {
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
func (o *Office) RotateSecret(ctx context.Context) (string, error) {
	id, err := o.Keys.Rotate()
	if err != nil {
		return "", err
	}
	return id, o.Ledger.Write(ctx, func(w *ledger.Writer) error { return w.Note(authority.Staff, "secret.rotated", id, "") })
}

// Entries lists up to n of the audit list after a number.
func (o *Office) Entries(ctx context.Context, after uint64, n int) (list []authority.Entry, err error) {
	err = o.Ledger.Read(ctx, func(r ledger.Reader) error {
		return r.Entries(after, func(e authority.Entry) (bool, error) {
			list = append(list, e)
			return len(list) == n, nil
		})
	})
	return list, err
}

// VerifyLog checks the whole audit list and returns its last entry.
func (o *Office) VerifyLog(ctx context.Context) (authority.Entry, error) {
	var last authority.Entry
	err := o.Ledger.Read(ctx, func(r ledger.Reader) error {
		err := r.Entries(0, func(e authority.Entry) (bool, error) {
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
