package institutions

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Open readies every institution of the home; a home without any gets the first.
func Open(ctx context.Context, o Options, baseURL string, first vault.Institution) (*Registry, error) {
	s := &Registry{Options: o}
	s.inspector = s.newStamper(nil)
	all, err := s.Store.Institutions(ctx)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		first.CreatedAt = s.Now()
		made, err := s.Store.AddInstitution(ctx, first)
		if err != nil {
			return nil, err
		}
		all = append(all, made)
	}
	now := state{}.withBaseURL(baseURL)
	for _, i := range all {
		one, err := s.loadTenant(ctx, i)
		if err != nil {
			return nil, err
		}
		now = now.with(one)
	}
	primary, err := s.Store.CurrentInstitution(ctx)
	if err != nil {
		return nil, err
	}
	if now, err = s.giveSlugs(ctx, now); err != nil {
		return nil, err
	}
	now.primary = now.tenants[primary.ID].institution
	s.state.Store(&now)
	return s, nil
}

// giveSlugs gives the institutions of an earlier version's home their slugs, in order of
// their IDs.
func (s *Registry) giveSlugs(ctx context.Context, now state) (state, error) {
	for _, id := range slices.Sorted(maps.Keys(now.tenants)) {
		one := now.tenants[id]
		if one.institution.Slug != "" {
			continue
		}
		one.institution.Slug = now.freeSlug(vault.SlugOf(one.institution.Name, id), id)
		// On a full disk the home can be read; the slug is the same at the next start.
		if err := s.Store.ChangeInstitution(ctx, one.institution); err != nil && !fault.Is(err, fault.Full) {
			return now, err
		}
		now = now.with(one)
	}
	return now, nil
}

// loadTenant loads an institution's signing key. One that has issued nothing yet gets
// its key here. Where the key was lost or is damaged, all but signing works.
func (s *Registry) loadTenant(ctx context.Context, i vault.Institution) (tenant, error) {
	has, err := s.KeyStore.HasSigner(i.ID)
	if err != nil {
		return tenant{}, err
	}
	if !has {
		return s.newTenant(ctx, i)
	}
	return s.openKey(ctx, i)
}

// newTenant makes the signing key of an institution that has issued nothing.
func (s *Registry) newTenant(ctx context.Context, i vault.Institution) (tenant, error) {
	issued, err := s.Store.Counts(ctx, i.ID)
	if err != nil {
		return tenant{}, err
	}
	if issued.Approved+issued.Revoked > 0 {
		return tenant{institution: i, keyError: s.KeyStore.MissingSignerError(i.ID)}, nil
	}
	signer, err := s.KeyStore.MakeSigner(s.Random, i.ID, s.Signing.kind(), i.Name, s.Now())
	if err != nil {
		return tenant{}, err
	}
	return tenant{institution: i, stamper: s.newStamper(signer)}, nil
}

// Institutions lists the home's institutions in order of their IDs.
func (s *Registry) Institutions(ctx context.Context) ([]adminclient.Institution, error) {
	all, err := s.Store.Institutions(ctx)
	if err != nil {
		return nil, err
	}
	shown := make([]adminclient.Institution, len(all))
	for n, i := range all {
		shown[n] = s.institutionToAPI(ctx, i)
	}
	return shown, nil
}

// AddInstitution makes an institution with a signing key of its own.
func (s *Registry) AddInstitution(ctx context.Context, q adminclient.Settings) (adminclient.Institution, error) {
	if vault.Clean(q.Institution) == "" {
		return adminclient.Institution{}, fault.New(fault.Invalid, "an institution needs a name")
	}
	if err := s.CheckSettings(q); err != nil {
		return adminclient.Institution{}, err
	}
	s.configuring.Lock()
	defer s.configuring.Unlock()
	now := s.state.Load()
	if err := now.checkNameFree(q.Institution, 0); err != nil {
		return adminclient.Institution{}, err
	}
	if q.Slug != "" && now.hasSlug(q.Slug, 0) {
		return adminclient.Institution{}, fault.Newf(fault.Conflict, "there is an institution with the slug %q already", q.Slug)
	}
	made, err := s.Store.AddInstitution(ctx, vault.Institution{
		Name: vault.Clean(q.Institution), TimeZone: cmp.Or(q.TimeZone, now.primary.TimeZone),
		Slug: cmp.Or(q.Slug, now.freeSlug(vault.SlugOf(q.Institution, now.nextID()), 0)), Sender: q.Sender, CreatedAt: s.Now(),
	})
	if err != nil {
		return adminclient.Institution{}, err
	}
	one, err := s.loadTenant(ctx, made)
	if err != nil {
		return adminclient.Institution{}, err
	}
	next := now.with(one)
	s.state.Store(&next)
	return s.institutionToAPI(ctx, made), nil
}

// UseInstitution makes an institution, named by slug, ID or name, the home's primary
// one: the public pages have its look where no certificate says whose they are.
func (s *Registry) UseInstitution(ctx context.Context, name string) (adminclient.Institution, error) {
	s.configuring.Lock()
	defer s.configuring.Unlock()
	one, err := s.Find(name)
	if err == nil {
		err = one.CheckOpen()
	}
	if err != nil {
		return adminclient.Institution{}, err
	}
	if err := s.Store.UseInstitution(ctx, one.ID); err != nil {
		return adminclient.Institution{}, err
	}
	next := *s.state.Load()
	next.primary = one
	s.state.Store(&next)
	s.Changed()
	return s.institutionToAPI(ctx, one), nil
}

// CloseInstitution makes an institution read-only: what it issued stays valid and can be
// read, nothing new is issued. ReopenInstitution ends that.
func (s *Registry) CloseInstitution(ctx context.Context, name string) (adminclient.Institution, error) {
	return s.setClosed(ctx, name, s.Now())
}

// ReopenInstitution opens an institution that was closed.
func (s *Registry) ReopenInstitution(ctx context.Context, name string) (adminclient.Institution, error) {
	return s.setClosed(ctx, name, time.Time{})
}

func (s *Registry) setClosed(ctx context.Context, name string, at time.Time) (adminclient.Institution, error) {
	s.configuring.Lock()
	defer s.configuring.Unlock()
	next := *s.state.Load()
	one, err := s.Find(name)
	if err != nil {
		return adminclient.Institution{}, err
	}
	if one.Closed() == !at.IsZero() {
		return s.institutionToAPI(ctx, one), nil
	}
	if !at.IsZero() && one.ID == next.primary.ID && len(next.tenants) > 1 {
		return adminclient.Institution{}, primaryError(one)
	}
	one.ClosedAt = at
	if err := s.Store.ChangeInstitution(ctx, one); err != nil {
		return adminclient.Institution{}, err
	}
	own := next.tenants[one.ID]
	own.institution = one
	next = next.with(own)
	s.state.Store(&next)
	s.Changed()
	return s.institutionToAPI(ctx, one), nil
}

func primaryError(one vault.Institution) error {
	return fault.Newf(fault.Illegal, "%s is the home's primary institution, whose look the public pages have; choose another first: vecctl institution primary SLUG", one.Name)
}

// RemoveInstitution removes an institution of which nothing is kept.
func (s *Registry) RemoveInstitution(ctx context.Context, name string) (adminclient.Institution, error) {
	s.configuring.Lock()
	defer s.configuring.Unlock()
	next := *s.state.Load()
	one, err := s.Find(name)
	if err != nil {
		return adminclient.Institution{}, err
	}
	if len(next.tenants) == 1 {
		return adminclient.Institution{}, fault.Newf(fault.Illegal, "%s is the home's only institution; it cannot be removed", one.Name)
	}
	if one.ID == next.primary.ID {
		return adminclient.Institution{}, primaryError(one)
	}
	shown, own := s.institutionToAPI(ctx, one), next.tenants[one.ID]
	if err := s.Store.RemoveInstitution(ctx, one.ID); err != nil {
		return adminclient.Institution{}, err
	}
	next.tenants = maps.Clone(next.tenants)
	delete(next.tenants, one.ID)
	s.state.Store(&next)
	s.Changed()
	return shown, errors.Join(own.closeKey(), s.KeyStore.RemoveSigner(one.ID))
}

func (s *Registry) institutionToAPI(ctx context.Context, i vault.Institution) adminclient.Institution {
	return adminclient.Institution{
		ID: i.ID, Name: i.Name, Slug: i.Slug, TimeZone: i.TimeZone, Sender: i.Sender, PartialNames: i.PartialNames, SharedAddresses: i.SharedAddresses, Logo: i.Logo != nil,
		ApplicationPolicy: applicationPolicyToAPI(i.ApplicationPolicy()), CreatedAt: i.CreatedAt.UTC(), ClosedAt: client.TimeOrNull(i.ClosedAt.UTC()),
		Current: i.ID == s.Acting(ctx).ID, Primary: i.ID == s.Primary().ID,
	}
}
