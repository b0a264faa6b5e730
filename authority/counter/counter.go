// Package counter is the authority's staff API: stores, domains, decisions and the
// audit list. It is never served to the network.
package counter

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/pkg/client/registrar"
	"github.com/vecctl/vecctl/pkg/fault"
)

// Base is the path below which the calls are.
const Base = "/panel/authority/"

// Registry keeps stores and domains.
type Registry interface {
	AddStore(ctx context.Context, slug string, review bool) (authority.Account, string, error)
	Stores(ctx context.Context) ([]authority.Account, error)
	RotateKey(ctx context.Context, slug string) (authority.Account, string, error)
	DisableStore(ctx context.Context, slug string, disabled bool) (authority.Account, error)
	ReviewStore(ctx context.Context, slug string, review bool) (authority.Account, error)

	AddDomain(ctx context.Context, name, slug string) (authority.Domain, error)
	Domains(ctx context.Context) ([]authority.Domain, error)
	CheckDomain(ctx context.Context, name string) (authority.Domain, error)
	TrustDomain(ctx context.Context, name string) (authority.Domain, error)
	RemoveDomain(ctx context.Context, name string) (authority.Domain, error)
}

// Bench decides, and shows what was decided.
type Bench interface {
	Latests(ctx context.Context, store string) ([]authority.Certification, error)
	Pending(ctx context.Context) ([]authority.Certification, error)
	Approve(ctx context.Context, id string) (authority.Certification, error)
	Reject(ctx context.Context, id, reason string) (authority.Certification, error)
	Revoke(ctx context.Context, store, hash, reason string) (authority.Certification, error)
	Verify(ctx context.Context, hash string) (authority.Certification, error)
	Entries(ctx context.Context, after uint64, n int) ([]authority.Entry, error)
	VerifyLog(ctx context.Context) (authority.Entry, error)
	RotateSecret(ctx context.Context) (string, error)
}

// Counter answers staff.
type Counter struct {
	Registry Registry
	Bench    Bench
	Shape    Shape
	// Embed is the HTML of a badge.
	Embed func(c authority.Certification, size string) (string, error)
	// Fail answers with an error in the vault's dialect.
	Fail func(http.ResponseWriter, *http.Request, error)
}

// Handler routes the calls.
func (c *Counter) Handler() http.Handler {
	mux := http.NewServeMux()
	c.routeStores(mux)
	c.routeDomains(mux)
	c.routeDecisions(mux)
	mux.HandleFunc("GET "+Base+"log", func(w http.ResponseWriter, r *http.Request) {
		after, _ := strconv.ParseUint(r.URL.Query().Get("after"), 10, 64)
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		const most = 10_000
		list, err := c.Bench.Entries(r.Context(), after, max(1, min(n, most)))
		c.answer(w, r, each(list, c.Shape.entry), err)
	})
	mux.HandleFunc("GET "+Base+"log/verify", func(w http.ResponseWriter, r *http.Request) {
		last, err := c.Bench.VerifyLog(r.Context())
		c.answer(w, r, c.Shape.entry(last), err)
	})
	mux.HandleFunc("POST "+Base+"secret/rotate", func(w http.ResponseWriter, r *http.Request) {
		id, err := c.Bench.RotateSecret(r.Context())
		c.answer(w, r, map[string]string{"key_id": id}, err)
	})
	return mux
}

func (c *Counter) routeStores(mux *http.ServeMux) {
	mux.HandleFunc("GET "+Base+"stores", func(w http.ResponseWriter, r *http.Request) {
		all, err := c.Registry.Stores(r.Context())
		c.answer(w, r, each(all, c.Shape.store), err)
	})
	mux.HandleFunc("POST "+Base+"stores", func(w http.ResponseWriter, r *http.Request) {
		var q registrar.Store
		if err := read(r, &q); err != nil {
			c.Fail(w, r, err)
			return
		}
		a, key, err := c.Registry.AddStore(r.Context(), q.Slug, q.Review)
		c.answer(w, r, c.Shape.withKey(a, key), err)
	})
	mux.HandleFunc("POST "+Base+"stores/{slug}/{act}", func(w http.ResponseWriter, r *http.Request) {
		a, key, err := c.actOnStore(r.Context(), r.PathValue("slug"), r.PathValue("act"))
		c.answer(w, r, c.Shape.withKey(a, key), err)
	})
}

func (c *Counter) actOnStore(ctx context.Context, slug, act string) (a authority.Account, key string, err error) {
	switch act {
	case "rotate-key":
		return c.Registry.RotateKey(ctx, slug)
	case "disable", "enable":
		a, err = c.Registry.DisableStore(ctx, slug, act == "disable")
		return a, "", err
	case "review", "no-review":
		a, err = c.Registry.ReviewStore(ctx, slug, act == "review")
		return a, "", err
	}
	return a, "", fault.Newf(fault.NotFound, "there is no act %q on a store", act)
}

func (c *Counter) routeDomains(mux *http.ServeMux) {
	mux.HandleFunc("GET "+Base+"domains", func(w http.ResponseWriter, r *http.Request) {
		all, err := c.Registry.Domains(r.Context())
		c.answer(w, r, each(all, c.Shape.domain), err)
	})
	mux.HandleFunc("POST "+Base+"domains", func(w http.ResponseWriter, r *http.Request) {
		var q registrar.StoreDomain
		if err := read(r, &q); err != nil {
			c.Fail(w, r, err)
			return
		}
		d, err := c.Registry.AddDomain(r.Context(), q.Domain, q.Store)
		c.answer(w, r, c.Shape.domain(d), err)
	})
	for act, do := range map[string]func(context.Context, string) (authority.Domain, error){
		"check": c.Registry.CheckDomain, "trust": c.Registry.TrustDomain, "remove": c.Registry.RemoveDomain,
	} {
		mux.HandleFunc("POST "+Base+"domains/{name}/"+act, func(w http.ResponseWriter, r *http.Request) {
			d, err := do(r.Context(), r.PathValue("name"))
			c.answer(w, r, c.Shape.domain(d), err)
		})
	}
}

func (c *Counter) routeDecisions(mux *http.ServeMux) {
	mux.HandleFunc("GET "+Base+"pending", func(w http.ResponseWriter, r *http.Request) {
		all, err := c.Bench.Pending(r.Context())
		c.answer(w, r, each(all, c.Shape.certification), err)
	})
	mux.HandleFunc("GET "+Base+"certifications", func(w http.ResponseWriter, r *http.Request) {
		all, err := c.Bench.Latests(r.Context(), r.URL.Query().Get("store"))
		c.answer(w, r, each(all, c.Shape.certification), err)
	})
	decision := func(path string, do func(ctx context.Context, name, reason string) (authority.Certification, error)) {
		mux.HandleFunc("POST "+Base+path, func(w http.ResponseWriter, r *http.Request) {
			var q struct {
				Reason string `json:"reason"`
			}
			if err := read(r, &q); err != nil {
				c.Fail(w, r, err)
				return
			}
			one, err := do(r.Context(), r.PathValue("name"), q.Reason)
			c.answer(w, r, c.Shape.certification(one), err)
		})
	}
	decision("requests/{name}/approve", func(ctx context.Context, id, _ string) (authority.Certification, error) {
		return c.Bench.Approve(ctx, id)
	})
	decision("requests/{name}/reject", c.Bench.Reject)
	decision("certifications/{name}/revoke", func(ctx context.Context, hash, reason string) (authority.Certification, error) {
		return c.Bench.Revoke(ctx, "", hash, reason)
	})
	mux.HandleFunc("GET "+Base+"certifications/{name}/embed", func(w http.ResponseWriter, r *http.Request) {
		one, err := c.Bench.Verify(r.Context(), r.PathValue("name"))
		html := ""
		if err == nil {
			html, err = c.Embed(one, r.URL.Query().Get("size"))
		}
		c.answer(w, r, map[string]string{"html": html}, err)
	})
}

func read(r *http.Request, into any) error {
	return fault.Wrap(fault.Invalid, json.NewDecoder(r.Body).Decode(into), "the request is not JSON")
}

func (c *Counter) answer(w http.ResponseWriter, r *http.Request, body any, err error) {
	if err != nil {
		c.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // a client that has gone needs no answer
}
