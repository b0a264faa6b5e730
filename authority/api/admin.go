package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/authority/service"
	"github.com/vecctl/vecctl/authority/web"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/router"
)

// AdminBasePath is the path below which the calls are.
const AdminBasePath = "/panel/authority/"

// AdminHandler serves the calls of staff.
type AdminHandler struct {
	Service *service.Service
	Page    *web.Page // has the HTML of badges
	// Fail answers with an error in the form of the vault's API.
	Fail func(http.ResponseWriter, *http.Request, error)
}

// Routes lists the calls.
func (c *AdminHandler) Routes() router.Routes {
	mux := router.Routes{}
	c.routeStores(mux)
	c.routeDomains(mux)
	c.routeDecisions(mux)
	mux.HandleFunc("GET "+AdminBasePath+"log", func(w http.ResponseWriter, r *http.Request) {
		after, _ := strconv.ParseUint(r.URL.Query().Get("after"), 10, 64)
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		const most = 10_000
		list, err := c.Service.Entries(r.Context(), after, max(1, min(n, most)))
		c.answer(w, r, convertAll(list, c.entry), err)
	})
	mux.HandleFunc("GET "+AdminBasePath+"log/verify", func(w http.ResponseWriter, r *http.Request) {
		last, err := c.Service.VerifyLog(r.Context())
		c.answer(w, r, c.entry(last), err)
	})
	mux.HandleFunc("POST "+AdminBasePath+"secret/rotate", func(w http.ResponseWriter, r *http.Request) {
		id, err := c.Service.RotateSecret(r.Context())
		c.answer(w, r, map[string]string{"key_id": id}, err)
	})
	return mux
}

func (c *AdminHandler) routeStores(mux router.Routes) {
	mux.HandleFunc("GET "+AdminBasePath+"stores", func(w http.ResponseWriter, r *http.Request) {
		all, err := c.Service.Stores(r.Context())
		c.answer(w, r, convertAll(all, c.store), err)
	})
	mux.HandleFunc("POST "+AdminBasePath+"stores", func(w http.ResponseWriter, r *http.Request) {
		var q adminclient.Store
		if err := readAdminBody(r, &q); err != nil {
			c.Fail(w, r, err)
			return
		}
		a, key, err := c.Service.AddStore(r.Context(), q.Slug, q.Review)
		c.answer(w, r, c.withKey(a, key), err)
	})
	mux.HandleFunc("POST "+AdminBasePath+"stores/{slug}/{act}", func(w http.ResponseWriter, r *http.Request) {
		a, key, err := c.actOnStore(r.Context(), r.PathValue("slug"), r.PathValue("act"))
		c.answer(w, r, c.withKey(a, key), err)
	})
}

func (c *AdminHandler) actOnStore(ctx context.Context, slug, act string) (a authority.Account, key string, err error) {
	switch act {
	case "rotate-key":
		return c.Service.RotateKey(ctx, slug)
	case "disable", "enable":
		a, err = c.Service.DisableStore(ctx, slug, act == "disable")
		return a, "", err
	case "review", "no-review":
		a, err = c.Service.ReviewStore(ctx, slug, act == "review")
		return a, "", err
	}
	return a, "", fault.Newf(fault.NotFound, "%q is not an action on a store", act)
}

func (c *AdminHandler) routeDomains(mux router.Routes) {
	mux.HandleFunc("GET "+AdminBasePath+"domains", func(w http.ResponseWriter, r *http.Request) {
		all, err := c.Service.Domains(r.Context())
		c.answer(w, r, convertAll(all, c.domain), err)
	})
	mux.HandleFunc("POST "+AdminBasePath+"domains", func(w http.ResponseWriter, r *http.Request) {
		var q adminclient.StoreDomain
		if err := readAdminBody(r, &q); err != nil {
			c.Fail(w, r, err)
			return
		}
		d, err := c.Service.AddDomain(r.Context(), q.Domain, q.Store)
		c.answer(w, r, c.domain(d), err)
	})
	for act, do := range map[string]func(context.Context, string) (authority.Domain, error){
		"check": c.Service.CheckDomain, "trust": c.Service.TrustDomain, "remove": c.Service.RemoveDomain,
	} {
		mux.HandleFunc("POST "+AdminBasePath+"domains/{name}/"+act, func(w http.ResponseWriter, r *http.Request) {
			d, err := do(r.Context(), r.PathValue("name"))
			c.answer(w, r, c.domain(d), err)
		})
	}
}

func (c *AdminHandler) routeDecisions(mux router.Routes) {
	mux.HandleFunc("GET "+AdminBasePath+"pending", func(w http.ResponseWriter, r *http.Request) {
		all, err := c.Service.Pending(r.Context())
		c.answer(w, r, convertAll(all, c.certification), err)
	})
	mux.HandleFunc("GET "+AdminBasePath+"certifications", func(w http.ResponseWriter, r *http.Request) {
		all, err := c.Service.LatestCertifications(r.Context(), r.URL.Query().Get("store"))
		c.answer(w, r, convertAll(all, c.certification), err)
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
			c.answer(w, r, c.certification(one), err)
		})
	}
	decision("requests/{name}/approve", func(ctx context.Context, id, _ string) (authority.Certification, error) {
		return c.Service.Approve(ctx, id)
	})
	decision("requests/{name}/reject", c.Service.Reject)
	decision("certifications/{name}/revoke", func(ctx context.Context, hash, reason string) (authority.Certification, error) {
		return c.Service.Revoke(ctx, "", hash, reason)
	})
	mux.HandleFunc("GET "+AdminBasePath+"certifications/{name}/embed", func(w http.ResponseWriter, r *http.Request) {
		one, err := c.Service.Verify(r.Context(), r.PathValue("name"))
		html := ""
		if err == nil {
			html, err = c.Page.Embed(one, r.URL.Query().Get("size"))
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
