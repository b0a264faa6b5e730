package api

import (
	"time"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// Converter brings records into the form in which staff see them.
type Converter struct{ Now func() time.Time }

func convertAll[T, U any](all []T, shape func(T) U) []U {
	shown := make([]U, len(all))
	for i, one := range all {
		shown[i] = shape(one)
	}
	return shown
}

func (Converter) store(a authority.Account) adminclient.Store {
	return adminclient.Store{Slug: a.Slug, Review: a.Review, Disabled: a.Disabled, CreatedAt: a.CreatedAt, RotatedAt: client.TimeOrNull(a.RotatedAt)}
}

func (s Converter) withKey(a authority.Account, key string) adminclient.Store {
	shown := s.store(a)
	shown.APIKey = key
	return shown
}

func (Converter) domain(d authority.Domain) adminclient.StoreDomain {
	shown := adminclient.StoreDomain{
		Domain: d.Name, Store: d.Store, ProvenAt: client.TimeOrNull(d.ProvenAt), CheckedAt: client.TimeOrNull(d.CheckedAt),
		NextCheck: client.TimeOrNull(d.NextCheck), Found: d.Found,
	}
	if d.Verified() {
		proof := string(d.Proof)
		shown.Proof = &proof
	}
	if !authority.IsAppID(d.Name) && d.Name != "" {
		shown.RecordName, shown.Record, shown.Tag = d.RecordName(), d.Record(), d.Tag()
	}
	return shown
}

func (s Converter) certification(c authority.Certification) adminclient.StoreCertification {
	shown := adminclient.StoreCertification{
		RequestID: c.ID, Status: string(c.At(s.Now())), Store: c.Store, Domain: c.Domain, Project: c.Project, Badge: string(c.Badge),
		SDKVersion: c.SDKVersion, Hash: c.Hash, RequestedAt: c.RequestedAt, IssuedAt: client.TimeOrNull(c.IssuedAt),
		ExpiresAt: client.TimeOrNull(c.ExpiresAt), RevokedAt: client.TimeOrNull(c.RevokedAt), Reason: c.Reason,
	}
	if c.State == authority.Pending {
		shown.WaitsFor = []string{"proof"}
		if c.Review {
			shown.WaitsFor = []string{"review"}
		}
	}
	return shown
}

func (Converter) entry(e authority.AuditEntry) adminclient.AuditEntry {
	return adminclient.AuditEntry{Seq: e.Seq, At: e.At, Who: e.Who, What: e.What, Subject: e.Subject, Why: e.Why, Before: e.Before, Hash: e.Hash}
}
