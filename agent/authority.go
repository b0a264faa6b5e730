package agent

import (
	"context"
	"net/http"
	"net/netip"
	"path/filepath"

	"github.com/vecctl/vecctl/agent/edge"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/authority/badge"
	"github.com/vecctl/vecctl/authority/counter"
	certify "github.com/vecctl/vecctl/authority/door"
	"github.com/vecctl/vecctl/authority/keyring"
	"github.com/vecctl/vecctl/authority/ledger"
	"github.com/vecctl/vecctl/authority/office"
	"github.com/vecctl/vecctl/authority/page"
	"github.com/vecctl/vecctl/authority/proof"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/hook"
)

// certifier is the certification authority of the home. It shares the store's file
// with the vault, and nothing else.
type certifier struct {
	office  *office.Office
	ring    *keyring.Ring
	door    *certify.Door
	page    *page.Page
	gallery *badge.Gallery
}

// openAuthority prepares the authority; it starts nothing.
func (a *Agent) openAuthority(config home.Config) error {
	rows, err := a.store.Rows(ledger.Tables()...)
	if err != nil {
		return err
	}
	keys, err := keyring.Open(filepath.Join(a.Home.Keys(), "authority.json"), a.Random, a.Now)
	if err != nil {
		return err
	}
	prover, err := a.prover(config)
	if err != nil {
		return err
	}
	minSDK, err := a.setting(config, "authority.min_sdk")
	if err != nil {
		return err
	}
	a.certifier.office = office.New(office.Options{
		Ledger: ledger.New(rows, a.Now), Keys: keys, Prover: prover, Courier: herald{a}, MinSDK: minSDK, Now: a.Now, Random: a.Random, Log: a.Log,
	})
	a.certifier.ring = keys
	a.certifier.door = certify.New(a.certifier.office, a.BaseURL, a.Now, a.Log)
	a.certifier.gallery = badge.NewGallery()
	a.certifier.page, err = page.New(a.certifier.office, a.BaseURL, a.Now, a.Log)
	return err
}

// herald tells the endpoints of a store of the authority's events. Staff of any of
// the home's institutions may have registered them.
type herald struct{ agent *Agent }

// Send implements office.Courier.
func (h herald) Send(ctx context.Context, e authority.Event) error {
	all, err := h.agent.store.Institutions(ctx)
	if err != nil {
		return err
	}
	for _, i := range all {
		news := hook.Ready(hook.Owner{Institution: i.ID, Store: e.Store}, vault.EventType(e.Name), e.Domain, e.Timestamp, e.Seq, e.Body)
		if err := h.agent.store.Announce(ctx, news, h.agent.Now()); err != nil {
			return err
		}
	}
	h.agent.sender.Wake()
	return nil
}

// prover looks for proofs of domains with the resolvers of the settings.
func (a *Agent) prover(config home.Config) (*proof.Prover, error) {
	list, err := a.setting(config, "authority.resolvers")
	if err != nil {
		return nil, err
	}
	servers, err := proof.ParseServers(list)
	if err != nil {
		return nil, fault.At("authority.resolvers", err)
	}
	p := &proof.Prover{Pages: ssrf.New(ssrf.Policy{MaxBody: proof.PageSize, Timeout: proof.PageTime})}
	for _, s := range servers {
		p.Resolvers = append(p.Resolvers, proof.NewResolver(s))
	}
	return p, nil
}

// keys tells what the authority hashes with.
func (c *certifier) keys() []staff.Key {
	var keys []staff.Key
	for _, k := range c.ring.Keys() {
		state := staff.KeyVerifies
		if k.Current {
			state = staff.KeyCurrent
		}
		keys = append(keys, staff.Key{What: staff.AuthorityKey, ID: k.ID, State: state, CreatedAt: client.TimeOrNull(k.Made)})
	}
	return keys
}

// mount adds the authority's public face.
func (c *certifier) mount(mux *http.ServeMux, around func(http.Handler) http.Handler) {
	c.door.Mount(mux, around)
	mux.Handle("GET /badges/", around(c.gallery))
	mux.Handle("GET /verify/{hash}", around(c.page))
}

// mountPublic adds it for the network.
func (c *certifier) mountPublic(a *Agent, mux *http.ServeMux, proxies []netip.Prefix) {
	perimeter := edge.Perimeter{Proxies: proxies, Fail: c.door.Fail}
	c.mount(mux, func(h http.Handler) http.Handler { return perimeter.Around(a.trail().AroundStores(h)) })
}

// mountStaff adds it for staff, and what they alone may do.
func (c *certifier) mountStaff(a *Agent, mux *http.ServeMux, fail func(http.ResponseWriter, *http.Request, error)) {
	c.mount(mux, a.trail().AroundStores)
	desk := &counter.Counter{Registry: c.office, Bench: c.office, Shape: counter.Shape{Now: a.Now}, Embed: c.page.Embed, Fail: fail}
	mux.Handle(counter.Base, a.trail().Around(desk.Handler()))
}

// runAuthority does what time brings to certifications.
func (a *Agent) runAuthority(ctx context.Context) error { return a.certifier.office.Run(ctx) }
