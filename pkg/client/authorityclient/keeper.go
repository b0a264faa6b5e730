package authorityclient

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/webhook"
)

// How a Keeper behaves unless it is told otherwise (contract, "SDK Implementation
// Notes").
const (
	DefaultTTL  = time.Hour
	renewWithin = 30 * 24 * time.Hour
	callTimeout = 10 * time.Second
)

// BadgeKeeper knows the certification of one domain for a program that works without
// one, too: whatever goes wrong, it answers, and says what went wrong through Log
// alone. It is safe for concurrent use.
type BadgeKeeper struct {
	Client *Client
	Domain string
	// Cache keeps what is known; nil is memory.
	Cache Cache
	// TTL is how long an answer is taken for the present one; 0 is DefaultTTL.
	TTL time.Duration
	// Renew, when set, describes the integration, and certifications are renewed
	// with that from 30 days before their end.
	Renew func() Snapshot
	// Log is told what was tried and why it failed; nil is told nothing.
	Log func(doing string, err error)
	// Now is the clock; nil is time.Now.
	Now func() time.Time

	mu     sync.Mutex
	memory MemoryCache
}

// Status is the domain's certification, asked for when what is known is too old.
// When the authority cannot be asked, its status is Unknown, or Revoked where that
// was known: a revocation is never forgotten for want of an answer.
func (k *BadgeKeeper) Status(ctx context.Context) Certification {
	k.mu.Lock()
	defer k.mu.Unlock()
	known, ok := k.load()
	if ok && k.fresh(known) {
		return known.Certification
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c, err := k.Client.Status(ctx, k.Domain)
	switch {
	case fault.Is(err, fault.NotFound):
		// There is none, which the authority knows.
		k.log("asking for the certification", err)
		return k.save(CacheEntry{Certification: Certification{Status: Unknown}, At: k.now()})
	case err != nil:
		k.log("asking for the certification", err)
		if ok && known.Certification.Status == Revoked {
			return known.Certification
		}
		return Certification{Status: Unknown}
	}
	return k.save(k.renewed(ctx, CacheEntry{Certification: c, At: k.now(), RenewedAt: known.RenewedAt}))
}

// fresh reports whether what is known can be answered without asking. A certification
// that has ended since, is not.
func (k *BadgeKeeper) fresh(r CacheEntry) bool {
	ttl := k.TTL
	if ttl == 0 {
		ttl = DefaultTTL
	}
	age := k.now().Sub(r.At)
	ended := r.Certification.Status == Active && r.Certification.ExpiresAt != nil && !k.now().Before(*r.Certification.ExpiresAt)
	return age >= 0 && age < ttl && !ended
}

// renewEvery is how often a renewal is tried; the contract allows five a day.
const renewEvery = 6 * time.Hour

// renewed renews a certification that ends soon, if it may.
func (k *BadgeKeeper) renewed(ctx context.Context, r CacheEntry) CacheEntry {
	c := r.Certification
	if k.Renew == nil || c.Status != Active || c.ExpiresAt == nil || c.ExpiresAt.Sub(k.now()) > renewWithin || k.now().Sub(r.RenewedAt).Abs() < renewEvery {
		return r
	}
	r.RenewedAt = k.now()
	next, err := k.Client.Renew(ctx, c.VerificationHash, k.Renew())
	if err != nil {
		k.log("renewing the certification", err)
		return r
	}
	r.Certification = next
	return r
}

// Webhook takes the authority's events, signed with any of the secrets. A
// revocation is known from then on, whatever was cached.
func (k *BadgeKeeper) Webhook(secrets ...string) http.Handler {
	return webhook.Handler(webhook.Verifier{Secrets: secrets, Now: k.Now}, func(_ context.Context, d webhook.Delivery) error {
		var event struct {
			Event     string    `json:"event"`
			Timestamp time.Time `json:"timestamp"`
			Data      struct {
				Domain string `json:"domain"`
				Hash   string `json:"verification_hash"`
				Reason string `json:"reason"`
			} `json:"data"`
		}
		if err := json.Unmarshal(d.Body, &event); err != nil {
			k.log("reading an event of the authority", err)
			return nil // a second attempt would not read better
		}
		if event.Event == "certification.revoked" && event.Data.Domain == k.Domain {
			k.revoked(event.Data.Hash, event.Data.Reason, event.Timestamp)
		}
		return nil
	})
}

// revoked notes a revocation, unless it is one of an earlier certification.
func (k *BadgeKeeper) revoked(hash, reason string, at time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	known, ok := k.load()
	if ok && known.Certification.VerificationHash != "" && known.Certification.VerificationHash != hash {
		return
	}
	k.save(CacheEntry{At: k.now(), Certification: Certification{
		Status: Revoked, Domain: k.Domain, VerificationHash: hash, RevokedAt: &at, RevokeReason: reason,
	}})
}

func (k *BadgeKeeper) cache() Cache {
	if k.Cache != nil {
		return k.Cache
	}
	return &k.memory
}

func (k *BadgeKeeper) load() (CacheEntry, bool) {
	r, ok, err := k.cache().Load(k.Domain)
	if err != nil {
		k.log("looking into the cache", err)
	}
	return r, ok && err == nil
}

func (k *BadgeKeeper) save(r CacheEntry) Certification {
	if err := k.cache().Save(k.Domain, r); err != nil {
		k.log("keeping what was learnt", err)
	}
	return r.Certification
}

func (k *BadgeKeeper) now() time.Time {
	if k.Now != nil {
		return k.Now()
	}
	return time.Now()
}

func (k *BadgeKeeper) log(doing string, err error) {
	if k.Log != nil {
		k.Log(doing, err)
	}
}
