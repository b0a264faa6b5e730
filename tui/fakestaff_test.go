package tui

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

func (f *fake) Webhooks(context.Context) ([]adminclient.Webhook, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hooks, f.enter("webhooks")
}

func (f *fake) Deliveries(_ context.Context, q adminclient.DeliveryFilter) ([]adminclient.WebhookDelivery, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []adminclient.WebhookDelivery
	for _, d := range f.sent {
		if d.WebhookID == q.Webhook && (q.Status == "" || d.Status == q.Status) && (q.Before == 0 || d.Number < q.Before) && len(found) < q.Limit {
			found = append(found, d)
		}
	}
	return found, f.enter(fmt.Sprintf("deliveries %s %d", q.Status, q.Before))
}

func (f *fake) Delivery(_ context.Context, id string) (adminclient.WebhookDelivery, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range f.sent {
		if d.ID == id {
			d.Body = `{"event":"certificate_application.approved"}`
			return d, nil
		}
	}
	return adminclient.WebhookDelivery{}, fault.New(fault.NotFound, "there is no such delivery")
}

func (f *fake) TestWebhook(_ context.Context, id string) (adminclient.WebhookDelivery, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return adminclient.WebhookDelivery{Status: "failed", Attempts: []adminclient.DeliveryAttempt{{Status: 503}}}, f.enter("test " + id)
}

func (f *fake) Redeliver(_ context.Context, r adminclient.Redelivery) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(r.Deliveries), f.enter(fmt.Sprintf("redeliver %d", len(r.Deliveries)))
}

func (f *fake) LatestAudit(_ context.Context, before uint64) ([]audit.Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []audit.Entry
	for _, e := range f.trail {
		if (before == 0 || e.Seq < before) && len(found) < 100 {
			found = append(found, e)
		}
	}
	return found, f.enter(fmt.Sprintf("audit %d", before))
}

// audited has a long audit trail.
func audited() *fake {
	f := busy()
	for i := uint64(250); i > 0; i-- {
		e := audit.Entry{Seq: i, At: begun.Add(time.Duration(i) * time.Minute), Hash: "9f2c4e", Action: audit.Action{Actor: "staff (registrar)", Request: "POST /panel/certificates/VEC-IC-1/revoke", RemoteAddr: "local",
			Subject: audit.Subject{Institution: "universität-łódź", Object: fmt.Sprintf("certificate VEC-IC-2026%013d", i), Person: "8d1f0a6c2b3e4f50"}}}
		switch i % 5 {
		case 1:
			e.Action = audit.Action{Actor: "agent", Request: "retention run", RemoteAddr: "local", Subject: audit.Subject{Object: "home; mails: 12, verified PDFs: 3"}}
		case 3:
			e.Action = audit.Action{Actor: "token lms (3f)", Request: "POST /business/certificate-vault/bulk", RemoteAddr: "192.0.2.7", Subject: audit.Subject{Institution: "law", Object: "batch b-9"}}
		}
		f.trail = append(f.trail, e)
	}
	return f
}

func (f *fake) Stores(context.Context) ([]adminclient.Store, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stores, f.enter("stores")
}

func (f *fake) StoreCertifications(context.Context, string) ([]adminclient.StoreCertification, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.certified), f.enter("certifications")
}

func (f *fake) decided(id, status, reason string) (adminclient.StoreCertification, error) {
	for i := range f.certified {
		if c := &f.certified[i]; c.RequestID == id || c.Hash == id {
			c.Status, c.Reason, c.WaitsFor = status, reason, nil
			return *c, nil
		}
	}
	return adminclient.StoreCertification{}, fault.New(fault.NotFound, "there is no such certification")
}

func (f *fake) DecideRequest(_ context.Context, id, act, reason string) (adminclient.StoreCertification, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = f.enter(act + " " + id + " " + reason)
	return f.decided(id, map[string]string{"approve": "active", "reject": "rejected"}[act], reason)
}

func (f *fake) RevokeCertification(_ context.Context, hash, reason string) (adminclient.StoreCertification, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = f.enter("revoke " + hash + " " + reason)
	return f.decided(hash, "revoked", reason)
}

// certifying is an authority with two stores.
func certifying() *fake {
	f := busy()
	f.stores = []adminclient.Store{{Slug: "kantor", Review: true}, {Slug: "sklep-łódź"}}
	at := func(days int) *time.Time { t := begun.AddDate(0, 0, days); return &t }
	f.certified = []adminclient.StoreCertification{
		{RequestID: "r-1", Status: "active", Store: "kantor", Domain: "kantor.example.com", Project: "Kantor", Badge: "VW-CERT-FIN", SDKVersion: "1.4.0", Hash: "5a5a", RequestedAt: *at(-100), IssuedAt: at(-100), ExpiresAt: at(265)},
		{RequestID: "r-2", Status: "active", Store: "sklep-łódź", Domain: "sklep.example.com", Project: "Sklep", Badge: "VW-CERT-REF", SDKVersion: "1.3.2", Hash: "6b6b", RequestedAt: *at(-350), IssuedAt: at(-350), ExpiresAt: at(15)},
		{RequestID: "r-3", Status: "pending", Store: "kantor", Domain: "nowy.example.com", Project: "Nowy Kantor", Badge: "VW-CERT-GOV", SDKVersion: "1.4.0", RequestedAt: *at(-1), WaitsFor: []string{"proof", "review"}},
		{RequestID: "r-4", Status: "revoked", Store: "sklep-łódź", Domain: "stary.example.com", Project: "Stary", Badge: "VW-CERT-BASE", SDKVersion: "1.0.0", Hash: "7c7c", RequestedAt: *at(-500), IssuedAt: at(-500), RevokedAt: at(-200), Reason: "the shop was closed"},
	}
	return f
}

// hooked has two endpoints and many deliveries to the first.
func hooked() *fake {
	f := busy()
	later := begun.Add(time.Hour)
	f.hooks = []adminclient.Webhook{
		{ID: "w-1", URL: "https://registry.example.edu/hooks/vec", Events: []string{"certificate_application.approved", "certificate_application.failed"}, IsActive: true, LastDeliveryStatus: "success"},
		{ID: "w-2", URL: "https://old.example.edu/hook", Events: []string{"certificate_application.approved"}, IsActive: true, LastDeliveryStatus: "failed", ConsecutiveFailures: 12, SuspendedAt: &later},
	}
	for i := 250; i > 0; i-- {
		d := adminclient.WebhookDelivery{ID: fmt.Sprintf("d-%d", i), Number: uint64(i), WebhookID: "w-1", Event: "certificate_application.approved",
			UUID: certificate(i, "").UUID, Status: "success", CreatedAt: begun.Add(time.Duration(i-250) * time.Second),
			Attempts: []adminclient.DeliveryAttempt{{At: begun, DurationMS: 41, Status: 200, Response: "thank you"}}}
		if i%50 == 0 {
			d.Status = "failed"
			d.Attempts = []adminclient.DeliveryAttempt{{At: begun, DurationMS: 10000, Error: "no answer came within 10 s"}, {At: begun, DurationMS: 12, Status: 500, Response: "oops"}}
		}
		f.sent = append(f.sent, d)
	}
	return f
}
