package agent

import (
	"context"
	"net/http"
	"path/filepath"

	"github.com/vecctl/vecctl/agent/admin"
	"github.com/vecctl/vecctl/authority/api"
	"github.com/vecctl/vecctl/authority/service"
	"github.com/vecctl/vecctl/authority/store"
	"github.com/vecctl/vecctl/authority/web"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/router"
	"github.com/vecctl/vecctl/pkg/ssrf"
)

// certAuthority is the certification authority of the home. It shares the store's file
// with the vault, and nothing else.
type certAuthority struct {
	service *service.Service
	ring    *service.Keyring
	door    *api.Handler
	page    *web.Page
	badges  *web.Badges
}

// openAuthority prepares the authority; it starts nothing.
func (a *Agent) openAuthority() error {
	rows, err := a.store.Rows(store.Tables()...)
	if err != nil {
		return err
	}
	keys, err := service.OpenKeyring(filepath.Join(a.Home.Keys(), "authority.json"), a.Random, a.Now)
	if err != nil {
		return err
	}
	prover, err := a.newDomainValidator()
	if err != nil {
		return err
	}
	a.certAuthority.service = service.New(service.Options{
		Store: store.New(rows, a.Now), Secrets: keys, Validator: prover, Events: &admin.AuthorityEvents{Institutions: a.store, Deliveries: a.store, Work: &a.events, Now: a.Now}, MinSDK: a.config.Authority.MinSDK, Now: a.Now, Random: a.Random, Log: a.Log,
	})
	a.certAuthority.ring = keys
	a.certAuthority.door = api.New(a.certAuthority.service, a.BaseURL, a.Log)
	a.certAuthority.badges = web.NewBadges()
	a.certAuthority.page, err = web.New(a.certAuthority.service, a.BaseURL, a.Now, a.Log)
	return err
}

// newDomainValidator looks for proofs of domains with the resolvers of the settings.
func (a *Agent) newDomainValidator() (*service.DomainValidator, error) {
	servers, err := service.ParseServers(a.config.Authority.Resolvers)
	if err != nil {
		return nil, fault.At("authority.resolvers", err)
	}
	p := &service.DomainValidator{HTTP: ssrf.New(ssrf.Policy{MaxBody: service.PageSize, Timeout: service.PageTime})}
	for _, s := range servers {
		p.Resolvers = append(p.Resolvers, service.NewResolver(s))
	}
	return p, nil
}

// routes are what the authority answers everyone.
func (c *certAuthority) routes() router.Routes {
	mux := c.door.Routes()
	mux["GET /badges/"] = c.badges
	mux["GET /verify/{hash}"] = c.page
	return mux
}

// adminRoutes are what staff alone may do.
func (c *certAuthority) adminRoutes(fail func(http.ResponseWriter, *http.Request, error)) router.Routes {
	return (&api.AdminHandler{Service: c.service, Page: c.page, Fail: fail}).Routes()
}

// runAuthority does what time brings to certifications.
func (a *Agent) runAuthority(ctx context.Context) error { return a.certAuthority.service.Run(ctx) }
