package institutions

import (
	"cmp"
	"context"
	"crypto/x509/pkix"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Configure changes the settings that are given: those of the institution that acts, and
// those of the home. As long as nothing is issued, a new name also makes a new signing
// key, since the old one's certificate has the old name; a key that was imported stays.
//
// Files are written first, the records last: whatever interrupts it, the same
// settings given again make all of them so.
func (s *Registry) Configure(ctx context.Context, q adminclient.Settings) error {
	if err := s.CheckSettings(q); err != nil {
		return err
	}
	s.configuring.Lock()
	defer s.configuring.Unlock()
	next := *s.state.Load()
	next = next.withBaseURL(cmp.Or(q.BaseURL, next.baseURL))
	if q.OfHomeAlone() {
		if err := s.SaveSettings(q); err != nil {
			return err
		}
		s.state.Store(&next)
		return nil
	}
	before, err := s.ActingNow(ctx)
	if err != nil {
		return err
	}
	own, err := next.changed(before, q)
	if err != nil {
		return err
	}
	if err := s.SaveSettings(q); err != nil {
		return err
	}
	if own.institution.Name != before.Name {
		if err := s.renewUnusedKey(ctx, &own, before.Name); err != nil {
			return err
		}
	}
	if err := s.Store.ChangeInstitution(ctx, own.institution); err != nil {
		return err
	}
	next = next.with(own)
	if next.primary.ID == own.institution.ID {
		next.primary = own.institution
	}
	s.state.Store(&next)
	return nil
}

// changed returns an institution with other settings.
func (s state) changed(before vault.Institution, q adminclient.Settings) (tenant, error) {
	own := s.tenants[before.ID]
	own.institution.Name = cmp.Or(vault.Clean(q.Institution), before.Name)
	own.institution.TimeZone = cmp.Or(q.TimeZone, before.TimeZone)
	own.institution.Sender = cmp.Or(q.Sender, before.Sender)
	if own.institution.Name != before.Name {
		if err := s.checkNameFree(own.institution.Name, before.ID); err != nil {
			return own, err
		}
		// As long as nobody has to tell it from others, the slug follows the name.
		if len(s.tenants) == 1 && before.Slug == vault.SlugOf(before.Name, before.ID) {
			own.institution.Slug = vault.SlugOf(own.institution.Name, before.ID)
		}
	}
	if err := applyBranding(&own.institution, q); err != nil {
		return own, err
	}
	return own, applyApplicationPolicy(&own.institution, q.ApplicationPolicy)
}

// renewUnusedKey has an institution that has issued nothing sign under its new
// name, where it signed with a key of our own making under the one before.
func (s *Registry) renewUnusedKey(ctx context.Context, next *tenant, before string) error {
	key := next.certificate()
	if key == nil || next.key != nil {
		return nil
	}
	if own := (pkix.Name{CommonName: before}).String(); key.Subject.String() != own || key.Issuer.String() != own {
		return nil
	}
	issued, err := s.Store.Counts(ctx, next.institution.ID)
	if err != nil || issued.Sum() > 0 {
		return err
	}
	signer, err := s.KeyStore.MakeSigner(s.Random, next.institution.ID, sameKind(key, s.Signing.kind()), next.institution.Name, s.Now())
	if err != nil {
		return err
	}
	next.stamper = s.newStamper(signer)
	return nil
}

// applyApplicationPolicy changes what people may apply for, as far as settings say so.
func applyApplicationPolicy(i *vault.Institution, s *adminclient.ApplicationPolicy) error {
	if s == nil {
		return nil
	}
	who, err := vault.ParseWhoMayApply(s.Who)
	if err != nil {
		return err
	}
	next := vault.ApplicationPolicy{Who: who, FreeTitle: s.FreeTitle, EvidenceOptional: s.EvidenceOptional}
	for _, title := range s.Titles {
		next.Titles = append(next.Titles, vault.Clean(title))
	}
	if err := next.Validate(); err != nil {
		return err
	}
	i.Policy = &next
	return nil
}

func applicationPolicyToAPI(a vault.ApplicationPolicy) adminclient.ApplicationPolicy {
	return adminclient.ApplicationPolicy{Who: a.Who.String(), Titles: append([]string{}, a.Titles...), FreeTitle: a.FreeTitle, EvidenceOptional: a.EvidenceOptional}
}
