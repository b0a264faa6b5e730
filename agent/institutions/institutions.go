package institutions

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Open readies every institution of the home; a home without any gets the first.
func Open(ctx context.Context, o Options, baseURL string, first vault.Institution) (*Registry, error) {
	s := &Registry{Options: o}
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
	if now.institution, err = s.Store.CurrentInstitution(ctx); err != nil {
		return nil, err
	}
	s.state.Store(&now)
	return s, nil
}

// loadTenant loads an institution's signing key. One that has issued nothing yet gets
// its key here.
func (s *Registry) loadTenant(ctx context.Context, i vault.Institution) (tenant, error) {
	has, err := s.KeyStore.HasSigner(i.ID)
	if err != nil {
		return tenant{}, err
	}
	if !has {
		return s.newTenant(ctx, i)
	}
	signer, err := s.KeyStore.Signer(i.ID)
	if err != nil {
		return tenant{}, err
	}
	return tenant{i, s.newStamper(signer)}, nil
}

// newTenant makes the signing key of an institution that has issued nothing.
func (s *Registry) newTenant(ctx context.Context, i vault.Institution) (tenant, error) {
	issued, err := s.Store.Counts(ctx, i.ID)
	if err != nil {
		return tenant{}, err
	}
	if issued.Approved+issued.Revoked > 0 {
		return tenant{}, s.KeyStore.MissingSignerError(i.ID)
	}
	signer, err := s.KeyStore.MakeSigner(s.Random, i.ID, i.Name, s.Now())
	if err != nil {
		return tenant{}, err
	}
	return tenant{i, s.newStamper(signer)}, nil
}

// Institutions lists the home's institutions in order of their IDs.
func (s *Registry) Institutions(ctx context.Context) ([]adminclient.Institution, error) {
	all, err := s.Store.Institutions(ctx)
	if err != nil {
		return nil, err
	}
	shown := make([]adminclient.Institution, len(all))
	for n, i := range all {
		shown[n] = s.institutionToAPI(i)
	}
	return shown, nil
}

// AddInstitution makes an institution with a signing key of its own. The current
// one stays what it is.
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
	made, err := s.Store.AddInstitution(ctx, vault.Institution{
		Name: vault.Clean(q.Institution), TimeZone: cmp.Or(q.TimeZone, now.institution.TimeZone),
		Sender: q.Sender, CreatedAt: s.Now(),
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
	return s.institutionToAPI(made), nil
}

// UseInstitution makes an institution, named by ID or name, the one whose staff
// is served.
func (s *Registry) UseInstitution(ctx context.Context, name string) (adminclient.Institution, error) {
	s.configuring.Lock()
	defer s.configuring.Unlock()
	next := *s.state.Load()
	one, ok := next.find(name)
	if !ok {
		return adminclient.Institution{}, fault.Newf(fault.NotFound, "there is no institution %q; see: vecctl institution list", name)
	}
	if err := s.Store.UseInstitution(ctx, one.ID); err != nil {
		return adminclient.Institution{}, err
	}
	next.institution = one
	s.state.Store(&next)
	s.Changed()
	return s.institutionToAPI(one), nil
}

// find finds an institution by its ID or, where that is none's, by its name.
func (s state) find(name string) (vault.Institution, bool) {
	id, err := strconv.ParseUint(name, 10, 32)
	if one, ok := s.tenants[uint32(id)]; ok && err == nil {
		return one.institution, true
	}
	for _, one := range s.tenants {
		if strings.EqualFold(one.institution.Name, vault.Clean(name)) {
			return one.institution, true
		}
	}
	return vault.Institution{}, false
}

// checkNameFree refuses a name that an institution other than id has.
func (s state) checkNameFree(name string, id uint32) error {
	for _, one := range s.tenants {
		if one.institution.ID != id && strings.EqualFold(one.institution.Name, vault.Clean(name)) {
			return fault.Newf(fault.Conflict, "there is an institution %q already (%d)", one.institution.Name, one.institution.ID)
		}
	}
	return nil
}

func (s *Registry) institutionToAPI(i vault.Institution) adminclient.Institution {
	return adminclient.Institution{
		ID: i.ID, Name: i.Name, TimeZone: i.TimeZone, Sender: i.Sender, PartialNames: i.PartialNames, SharedAddresses: i.SharedAddresses, Logo: i.Logo != nil, ApplicationPolicy: applicationPolicyToAPI(i.ApplicationPolicy()), CreatedAt: i.CreatedAt.UTC(),
		Current: i.ID == s.Current().ID,
	}
}
