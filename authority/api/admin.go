package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
)

// AdminBasePath is the path below which the calls are.
const AdminBasePath = "/panel/authority/"

// StoreAdmin keeps stores and domains.
type StoreAdmin interface {
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

// CertificationAdmin decides, and shows what was decided.
type CertificationAdmin interface {
	LatestCertifications(ctx context.Context, store string) ([]authority.Certification, error)
	Pending(ctx context.Context) ([]authority.Certification, error)
	Approve(ctx context.Context, id string) (authority.Certification, error)
	Reject(ctx context.Context, id, reason string) (authority.Certification, error)
	Revoke(ctx context.Context, store, hash, reason string) (authority.Certification, error)
	Verify(ctx context.Context, hash string) (authority.Certification, error)
	Entries(ctx context.Context, after uint64, n int) ([]authority.AuditEntry, error)
	VerifyLog(ctx context.Context) (authority.AuditEntry, error)
	RotateSecret(ctx context.Context) (string, error)
}

// AdminHandler answers staff.
type AdminHandler struct {
	Stores         StoreAdmin
	Certifications CertificationAdmin
	Converter      Converter
	// Embed is the HTML of a badge.
	Embed func(c authority.Certification, size string) (string, error)
	// Fail answers with an error in the vault's dialect.
	Fail func(http.ResponseWriter, *http.Request, error)
}

// Handler routes the calls.
func (c *AdminHandler) Handler() http.Handler {
	mux := http.NewServeMux()
	c.routeStores(mux)
	c.routeDomains(mux)
	c.routeDecisions(mux)
	mux.HandleFunc("GET "+AdminBasePath+"log", func(w http.ResponseWriter, r *http.Request) {
		after, _ := strconv.ParseUint(r.URL.Query().Get("after"), 10, 64)
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		const most = 10_000
		list, err := c.Certifications.Entries(r.Context(), after, max(1, min(n, most)))
		c.answer(w, r, convertAll(list, c.Converter.entry), err)
	})
	mux.HandleFunc("GET "+AdminBasePath+"log/verify", func(w http.ResponseWriter, r *http.Request) {
		last, err := c.Certifications.VerifyLog(r.Context())
		c.answer(w, r, c.Converter.entry(last), err)
	})
	mux.HandleFunc("POST "+AdminBasePath+"secret/rotate", func(w http.ResponseWriter, r *http.Request) {
		id, err := c.Certifications.RotateSecret(r.Context())
		c.answer(w, r, map[string]string{"key_id": id}, err)
	})
	return mux
}

func (c *AdminHandler) routeStores(mux *http.ServeMux) {
	mux.HandleFunc("GET "+AdminBasePath+"stores", func(w http.ResponseWriter, r *http.Request) {
		all, err := c.Stores.Stores(r.Context())
		c.answer(w, r, convertAll(all, c.Converter.store), err)
	})
	mux.HandleFunc("POST "+AdminBasePath+"stores", func(w http.ResponseWriter, r *http.Request) {
		var q adminclient.Store
		if err := readAdminBody(r, &q); err != nil {
			c.Fail(w, r, err)
			return
		}
		a, key, err := c.Stores.AddStore(r.Context(), q.Slug, q.Review)
		c.answer(w, r, c.Converter.withKey(a, key), err)
	})
	mux.HandleFunc("POST "+AdminBasePath+"stores/{slug}/{act}", func(w http.ResponseWriter, r *http.Request) {
		a, key, err := c.actOnStore(r.Context(), r.PathValue("slug"), r.PathValue("act"))
		c.answer(w, r, c.Converter.withKey(a, key), err)
	})
}

func (c *AdminHandler) actOnStore(ctx context.Context, slug, act string) (a authority.Account, key string, err error) {
	switch act {
	case "rotate-key":
		return c.Stores.RotateKey(ctx, slug)
	case "disable", "enable":
		a, err = c.Stores.DisableStore(ctx, slug, act == "disable")
		return a, "", err
	case "review", "no-review":
		a, err = c.Stores.ReviewStore(ctx, slug, act == "review")
		return a, "", err
	}
	return a, "", fault.Newf(fault.NotFound, "there is no act %q on a store", act)
}

func (c *AdminHandler) routeDomains(mux *http.ServeMux) {
	mux.HandleFunc("GET "+AdminBasePath+"domains", func(w http.ResponseWriter, r *http.Request) {
		all, err := c.Stores.Domains(r.Context())
		c.answer(w, r, convertAll(all, c.Converter.domain), err)
	})
	mux.HandleFunc("POST "+AdminBasePath+"domains", func(w http.ResponseWriter, r *http.Request) {
		var q adminclient.StoreDomain
		if err := readAdminBody(r, &q); err != nil {
			c.Fail(w, r, err)
			return
		}
		d, err := c.Stores.AddDomain(r.Context(), q.Domain, q.Store)
		c.answer(w, r, c.Converter.domain(d), err)
	})
	for act, do := range map[string]func(context.Context, string) (authority.Domain, error){
		"check": c.Stores.CheckDomain, "trust": c.Stores.TrustDomain, "remove": c.Stores.RemoveDomain,
	} {
		mux.HandleFunc("POST "+AdminBasePath+"domains/{name}/"+act, func(w http.ResponseWriter, r *http.Request) {
			d, err := do(r.Context(), r.PathValue("name"))
			c.answer(w, r, c.Converter.domain(d), err)
		})
	}
}

func (c *AdminHandler) routeDecisions(mux *http.ServeMux) {
	mux.HandleFunc("GET "+AdminBasePath+"pending", func(w http.ResponseWriter, r *http.Request) {
		all, err := c.Certifications.Pending(r.Context())
		c.answer(w, r, convertAll(all, c.Converter.certification), err)
	})
	mux.HandleFunc("GET "+AdminBasePath+"certifications", func(w http.ResponseWriter, r *http.Request) {
		all, err := c.Certifications.LatestCertifications(r.Context(), r.URL.Query().Get("store"))
		c.answer(w, r, convertAll(all, c.Converter.certification), err)
	})
	decision := func(path string, do func(ctx context.Context, name, reason string) (authority.Certification, error)) {
		mux.HandleFunc("POST "+AdminBasePath+path, func(w http.ResponseWriter, r *http.Request) {
			var q struct {
				Reason string `json:"reason"`
			}
			if err := readAdminBody(r, &q); err != nil {
				c.Fail(w, r, err)
				return
			}
			one, err := do(r.Context(), r.PathValue("name"), q.Reason)
			c.answer(w, r, c.Converter.certification(one), err)
		})
	}
	decision("requests/{name}/approve", func(ctx context.Context, id, _ string) (authority.Certification, error) {
		return c.Certifications.Approve(ctx, id)
	})
	decision("requests/{name}/reject", c.Certifications.Reject)
	decision("certifications/{name}/revoke", func(ctx context.Context, hash, reason string) (authority.Certification, error) {
		return c.Certifications.Revoke(ctx, "", hash, reason)
	})
	mux.HandleFunc("GET "+AdminBasePath+"certifications/{name}/embed", func(w http.ResponseWriter, r *http.Request) {
		one, err := c.Certifications.Verify(r.Context(), r.PathValue("name"))
		html := ""
		if err == nil {
			html, err = c.Embed(one, r.URL.Query().Get("size"))
		}
		c.answer(w, r, map[string]string{"html": html}, err)
	})
}

func readAdminBody(r *http.Request, into any) error {
	return fault.Wrap(fault.Invalid, json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBodySize)).Decode(into), "the request is not JSON, or too large")
}

func (c *AdminHandler) answer(w http.ResponseWriter, r *http.Request, body any, err error) {
	if err != nil {
		c.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // a client that has gone needs no answer
}
