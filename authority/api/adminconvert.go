package api

import (
	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

func convertAll[T, U any](all []T, shape func(T) U) []U {
	shown := make([]U, len(all))
	for i, one := range all {
		shown[i] = shape(one)
	}
	return shown
}

func (*AdminHandler) store(a authority.Account) adminclient.Store {
	return adminclient.Store{Slug: a.Slug, Review: a.Review, Disabled: a.Disabled, CreatedAt: a.CreatedAt, RotatedAt: client.TimeOrNull(a.RotatedAt)}
}

func (c *AdminHandler) withKey(a authority.Account, key string) adminclient.Store {
	shown := c.store(a)
	shown.APIKey = key
	return shown
}

func (*AdminHandler) domain(d authority.Domain) adminclient.StoreDomain {
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

func (c *AdminHandler) certification(one authority.Certification) adminclient.StoreCertification {
	shown := adminclient.StoreCertification{
		RequestID: one.ID, Status: string(one.At(c.Service.Now())), Store: one.Store, Domain: one.Domain, Project: one.Project, Badge: string(one.Badge),
		SDKVersion: one.SDKVersion, Hash: one.Hash, RequestedAt: one.RequestedAt, IssuedAt: client.TimeOrNull(one.IssuedAt),
		ExpiresAt: client.TimeOrNull(one.ExpiresAt), RevokedAt: client.TimeOrNull(one.RevokedAt), Reason: one.Reason,
	}
	if one.State == authority.Pending {
		shown.WaitsFor = []string{"proof"}
		if one.Review {
			shown.WaitsFor = []string{"review"}
		}
	}
	return shown
}

func (*AdminHandler) entry(e authority.AuditEntry) adminclient.AuditEntry {
	return adminclient.AuditEntry{Seq: e.Seq, At: e.At, Who: e.Who, What: e.What, Subject: e.Subject, Why: e.Why, Before: e.Before, Hash: e.Hash}
}
