package adminapi

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/vecctl/vecctl/agent/admin"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/router"
)

func (p *Handler) routeWebhooks(mux router.Routes) {
	mux.HandleFunc("GET /panel/webhooks", func(w http.ResponseWriter, r *http.Request) {
		all, err := p.Service.Webhooks(r.Context())
		p.writeJSON(w, r, all, err)
	})
	mux.HandleFunc("POST /panel/webhooks", func(w http.ResponseWriter, r *http.Request) {
		var e adminclient.WebhookEdit
		if err := p.readJSON(r, &e); err != nil {
			p.Fail(w, r, err)
			return
		}
		made, err := p.Service.CreateWebhook(r.Context(), e)
		p.writeJSON(w, r, made, err)
	})
	mux.HandleFunc("PATCH /panel/webhooks/{id}", func(w http.ResponseWriter, r *http.Request) {
		var e adminclient.WebhookEdit
		if err := p.readJSON(r, &e); err != nil {
			p.Fail(w, r, err)
			return
		}
		changed, err := p.Service.UpdateWebhook(r.Context(), r.PathValue("id"), e)
		p.writeJSON(w, r, changed, err)
	})
	mux.HandleFunc("DELETE /panel/webhooks/{id}", p.webhookAction((*admin.Service).DeleteWebhook))
	mux.HandleFunc("POST /panel/webhooks/{id}/rotate", p.webhookAction((*admin.Service).RotateWebhook))
	mux.HandleFunc("POST /panel/webhooks/{id}/test", func(w http.ResponseWriter, r *http.Request) {
		d, err := p.Service.TestWebhook(r.Context(), r.PathValue("id"))
		p.writeJSON(w, r, d, err)
	})
	p.routeDeliveries(mux)
}

func (p *Handler) webhookAction(act func(*admin.Service, context.Context, string) (adminclient.Webhook, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		hook, err := act(p.Service, r.Context(), r.PathValue("id"))
		p.writeJSON(w, r, hook, err)
	}
}

func (p *Handler) routeDeliveries(mux router.Routes) {
	mux.HandleFunc("GET /panel/deliveries", func(w http.ResponseWriter, r *http.Request) {
		f, err := deliveryFilter(r.URL.Query())
		if err != nil {
			p.Fail(w, r, err)
			return
		}
		all, err := p.Service.Deliveries(r.Context(), f)
		p.writeJSON(w, r, all, err)
	})
	mux.HandleFunc("GET /panel/deliveries/{id}", func(w http.ResponseWriter, r *http.Request) {
		d, err := p.Service.Delivery(r.Context(), r.PathValue("id"))
		p.writeJSON(w, r, d, err)
	})
	mux.HandleFunc("POST /panel/redeliver", func(w http.ResponseWriter, r *http.Request) {
		var q adminclient.Redelivery
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		n, err := p.Service.Redeliver(r.Context(), q)
		p.writeJSON(w, r, map[string]int{"redelivered": n}, err)
	})
}

func deliveryFilter(q url.Values) (adminclient.DeliveryFilter, error) {
	f := adminclient.DeliveryFilter{Webhook: q.Get("webhook"), Status: q.Get("status")}
	var bad []fault.Field
	moment := func(name string, into *time.Time) {
		if q.Get(name) == "" {
			return
		}
		at, err := time.Parse(time.RFC3339Nano, q.Get(name))
		if err != nil {
			bad = append(bad, fault.Field{Name: name, Message: "want a time such as 2026-06-04T10:30:00Z"})
		}
		*into = at
	}
	moment("from", &f.From)
	moment("to", &f.To)
	before, limit := q.Get("before"), q.Get("limit")
	var err error
	if before != "" {
		if f.Before, err = strconv.ParseUint(before, 10, 64); err != nil {
			bad = append(bad, fault.Field{Name: "before", Message: "a number is wanted"})
		}
	}
	if limit != "" {
		if f.Limit, err = strconv.Atoi(limit); err != nil || f.Limit < 1 {
			bad = append(bad, fault.Field{Name: "limit", Message: "want a number from 1"})
		}
	}
	return f, fault.InvalidFields(bad)
}
