package institutions

import (
	"cmp"
	"context"
	"crypto/x509/pkix"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Configure changes the settings that are given. As long as nothing is issued, a
// new name also makes a new signing key, since the old one's certificate has
// the old name; a key that was imported stays.
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
	renamed := q.Institution != "" && vault.Clean(q.Institution) != next.institution.Name
	if renamed {
		if err := next.checkNameFree(q.Institution, next.institution.ID); err != nil {
			return err
		}
	}
	next.institution.Name = cmp.Or(vault.Clean(q.Institution), next.institution.Name)
	next.institution.TimeZone = cmp.Or(q.TimeZone, next.institution.TimeZone)
	next.institution.Sender = cmp.Or(q.Sender, next.institution.Sender)
	if err := applyBranding(&next.institution, q); err != nil {
		return err
	}
	if err := applyApplicationPolicy(&next.institution, q.ApplicationPolicy); err != nil {
		return err
	}
	next = next.withBaseURL(cmp.Or(q.BaseURL, next.baseURL))
	if err := s.SaveSettings(q); err != nil {
		return err
	}
	own := tenant{next.institution, s.CurrentStamper()}
	if renamed {
		if err := s.renewUnusedKey(ctx, &own, s.Current().Name); err != nil {
			return err
		}
	}
	if err := s.Store.ChangeInstitution(ctx, next.institution); err != nil {
		return err
	}
	next = next.with(own)
	s.state.Store(&next)
	return nil
}

// renewUnusedKey has an institution that has issued nothing sign under its new
// name, where it signed with a key of our own making under the one before.
func (s *Registry) renewUnusedKey(ctx context.Context, next *tenant, before string) error {
	key := next.stamper.Certificate()
	if own := (pkix.Name{CommonName: before}).String(); key.Subject.String() != own || key.Issuer.String() != own {
		return nil
	}
	issued, err := s.Store.Counts(ctx, next.institution.ID)
	if err != nil || issued.Sum() > 0 {
		return err
	}
	signer, err := s.KeyStore.MakeSigner(s.Random, next.institution.ID, next.institution.Name, s.Now())
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
