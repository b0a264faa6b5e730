package api

import (
	"net/http"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// toAPI returns a certificate as the API shows it to a caller. A caller that may not download is not
// given the share link either, because anyone who has that link can download.
func (a *API) toAPI(who Caller, c vault.Certificate) client.Certificate {
	shown := client.FromVault(a.Institutions.Links(), c)
	if who.checkPermission(apiaccess.MayDownload) != nil {
		shown.ShareURL = ""
	}
	return shown
}

// listCertificates answers with the institution's certificates, the vault's and those that
// customers applied for.
func (a *API) listCertificates(w http.ResponseWriter, r *http.Request, who Caller) error {
	return a.list(w, r, who, "")
}

// listVault leaves out what customers applied for.
func (a *API) listVault(w http.ResponseWriter, r *http.Request, who Caller) error {
	return a.list(w, r, who, vault.FromVault)
}

func (a *API) list(w http.ResponseWriter, r *http.Request, who Caller, from vault.Source) error {
	q, err := parseListQuery(r.URL.Query())
	if err != nil {
		return err
	}
	q.Filter.Institution, q.Filter.Source = who.institution, from
	found, err := a.Store.List(r.Context(), q.Filter, q.Page, q.PerPage)
	if err != nil {
		return err
	}
	page := client.Page[client.Certificate]{Data: make([]client.Certificate, len(found.Certificates))}
	for i, c := range found.Certificates {
		page.Data[i] = a.toAPI(who, c)
	}
	page.Links, page.Meta = q.links(a.requestURL(r), len(page.Data), found.Total)
	return writeJSON(w, http.StatusOK, page)
}

func (a *API) listBatches(w http.ResponseWriter, r *http.Request, who Caller) error {
	q, err := parseListQuery(r.URL.Query())
	if err != nil {
		return err
	}
	found, total, err := a.Store.Batches(r.Context(), who.institution, q.Page, q.PerPage)
	if err != nil {
		return err
	}
	page := client.Page[client.Batch]{Data: make([]client.Batch, len(found))}
	for i, b := range found {
		page.Data[i] = client.FromVaultBatch(b)
		page.Data[i].CreatedAt = page.Data[i].CreatedAt.Truncate(time.Second) // as the guide writes moments
	}
	page.Links, page.Meta = q.links(a.requestURL(r), len(page.Data), total)
	return writeJSON(w, http.StatusOK, page)
}

// listTemplates lists the templates; the guide's answer is a bare array.
func (a *API) listTemplates(w http.ResponseWriter, _ *http.Request, _ Caller) error {
	all, err := a.Templates.Templates()
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, all)
}

// checkVisible is an error where a certificate is not among those that a caller finds under
// the vault's addresses: what customers applied for is there for staff alone.
func (c Caller) checkVisible(found vault.Certificate) error {
	if c.token == nil || found.Source == vault.FromVault {
		return nil
	}
	return fault.New(fault.NotFound, "Certificate not found.")
}

// find reads a certificate that a call names.
func (a *API) find(r *http.Request, who Caller) (vault.Certificate, error) {
	c, err := a.Store.Certificate(r.Context(), who.institution, r.PathValue("name"))
	if err == nil {
		err = who.checkVisible(c)
	}
	return c, err
}

func (a *API) view(w http.ResponseWriter, r *http.Request, who Caller) error {
	c, err := a.find(r, who)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"data": a.toAPI(who, c)})
}

func (a *API) retry(w http.ResponseWriter, r *http.Request, who Caller) error {
	c, err := a.Store.Change(r.Context(), who.institution, r.PathValue("name"),
		func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			if err := who.checkVisible(c); err != nil {
				return c, vault.Effects{}, err
			}
			return c.Retry(vault.ByRetry, a.Now())
		})
	if err != nil {
		return err
	}
	a.Work.Wake()
	return writeJSON(w, http.StatusOK, createdBody[client.Certificate]{"Certificate retry initiated successfully", a.toAPI(who, c)})
}
