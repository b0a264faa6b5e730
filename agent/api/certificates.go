package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// toAPI returns a certificate as the API shows it to a caller. A caller that may not download is not
// given the share link either, because anyone who has that link can download.
func (a *API) toAPI(who Caller, c vault.Certificate) client.Certificate {
	at, known := a.Institutions.ByID(c.Institution) // UTC for one that is missing
	shown := client.FromVault(a.Institutions.Links(), at.Zone(), c)
	if known {
		shown.InstitutionName = at.Name
	}
	if who.checkPermission(apiaccess.MayDownload) != nil {
		shown.ShareURL = ""
	}
	return shown
}

// anyCertificate is a certificate in the list of all, with the names that the reference has there.
type anyCertificate struct {
	client.Certificate

	Name       string  `json:"name"`
	Email      string  `json:"email"`
	PDFPath    *string `json:"pdf_path"`
	CustomerID *string `json:"customer_id"` // this vault numbers no customers
}

// anyToAPI returns a certificate as the list of all shows it.
func (a *API) anyToAPI(who Caller, c vault.Certificate) any {
	shown := anyCertificate{Certificate: a.toAPI(who, c), Name: c.Name, Email: c.Email}
	if len(shown.Documents) > 0 {
		shown.PDFPath = &shown.Documents[0].Path
	}
	return shown
}

// vaultToAPI returns a certificate as the vault's list shows it.
func (a *API) vaultToAPI(who Caller, c vault.Certificate) any { return a.toAPI(who, c) }

// listCertificates answers with the institution's certificates, the vault's and those that
// customers applied for.
func (a *API) listCertificates(w http.ResponseWriter, r *http.Request, who Caller) error {
	return a.list(w, r, who, "", a.anyToAPI)
}

// listVault leaves out what customers applied for.
func (a *API) listVault(w http.ResponseWriter, r *http.Request, who Caller) error {
	return a.list(w, r, who, vault.FromVault, a.vaultToAPI)
}

func (a *API) list(w http.ResponseWriter, r *http.Request, who Caller, from vault.Source, show func(Caller, vault.Certificate) any) error {
	q, err := parseListQuery(r.URL.Query())
	if err != nil {
		return err
	}
	q.Filter.Institution, q.Filter.Source = who.institution, from
	found, err := a.selectPage(r.Context(), q)
	if err != nil {
		return err
	}
	page := client.Page[any]{Data: make([]any, len(found.Certificates))}
	for i, c := range found.Certificates {
		page.Data[i] = show(who, c)
	}
	page.Links, page.Meta = q.links(a.requestURL(r), len(page.Data), found.Total)
	return writeTagged(w, r, page)
}

// listBatches answers with the institution's batches. A status is this program's word or the
// reference's.
func (a *API) listBatches(w http.ResponseWriter, r *http.Request, who Caller) error {
	values := r.URL.Query()
	status := values.Get("status")
	values.Del("status") // it is not that of a certificate
	q, err := parseListQuery(values)
	if err != nil {
		return err
	}
	if status != "" && !slices.Contains(batchStatuses(), status) {
		return fault.InvalidFields([]fault.Field{{Name: "status", Message: "The selected status is invalid."}})
	}
	q.given = r.URL.Query()
	found, total, err := a.batches(r.Context(), who, q, status)
	if err != nil {
		return err
	}
	page := client.Page[client.Batch]{Data: make([]client.Batch, len(found))}
	for i, b := range found {
		page.Data[i] = batchToAPI(b)
	}
	page.Links, page.Meta = q.links(a.requestURL(r), len(page.Data), total)
	return writeTagged(w, r, page)
}

// batches returns a page of the batches with a status, and how many there are; "" is all.
func (a *API) batches(ctx context.Context, who Caller, q listQuery, status string) (page []vault.Batch, total int, err error) {
	if status == "" {
		return a.Store.Batches(ctx, who.institution, q.Page, q.PerPage)
	}
	return a.Store.BatchesIn(ctx, who.institution, outcomesOf(status), q.Page, q.PerPage)
}

// The reference's words for states that no batch of ours has.
const (
	batchPending  = "pending"
	batchApproval = "waiting_for_approval"
)

func batchStatuses() []string {
	return []string{string(vault.BatchProcessing), string(vault.BatchPaused), string(vault.BatchCancelled), string(vault.BatchDone),
		batchPending, string(vault.BatchCompleted), string(vault.BatchPartly), string(vault.BatchFailed), batchApproval}
}

// outcomesOf returns the outcomes that a status means, in either dialect's word.
func outcomesOf(status string) []vault.BatchState {
	switch status {
	case string(vault.BatchDone):
		return []vault.BatchState{vault.BatchCompleted, vault.BatchPartly, vault.BatchFailed}
	case batchPending, batchApproval:
		return nil
	}
	return []vault.BatchState{vault.BatchState(status)}
}

// batchToAPI returns a batch as the API shows it, with moments as the guide writes them.
func batchToAPI(b vault.Batch) client.Batch {
	shown := client.FromVaultBatch(b)
	shown.CreatedAt = shown.CreatedAt.Truncate(time.Second)
	return shown
}

func (a *API) viewBatch(w http.ResponseWriter, r *http.Request, who Caller) error {
	b, err := a.Store.Batch(r.Context(), who.institution, r.PathValue("name"))
	if err != nil {
		return err
	}
	return writeTagged(w, r, map[string]any{"data": batchToAPI(b)})
}

// viewAny answers with a certificate of the institution, also with one that a customer
// applied for.
func (a *API) viewAny(w http.ResponseWriter, r *http.Request, who Caller) error {
	c, err := a.Store.Certificate(r.Context(), who.institution, r.PathValue("name"))
	if err != nil {
		return err
	}
	return writeTagged(w, r, map[string]any{"data": a.anyToAPI(who, c)})
}

// templatesOf returns the templates that the caller's institution may use.
func (a *API) templatesOf(who Caller) intake.InstitutionTemplates {
	at, _ := a.Institutions.ByID(who.institution)
	return a.Templates.For(at)
}

func (a *API) viewTemplate(w http.ResponseWriter, r *http.Request, who Caller) error {
	all, err := a.templatesOf(who).Templates()
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.ID == r.PathValue("name") {
			return writeTagged(w, r, map[string]any{"data": t})
		}
	}
	return fault.New(fault.NotFound, "Certificate template not found.")
}

// listTemplates lists the templates; the guide's answer is a bare array. The reference's
// search selects by name or ID.
func (a *API) listTemplates(w http.ResponseWriter, r *http.Request, who Caller) error {
	q, err := parseListQuery(url.Values{"search": r.URL.Query()["search"]})
	if err != nil {
		return err
	}
	all, err := a.templatesOf(who).Templates()
	if err != nil {
		return err
	}
	found, part := make([]client.Template, 0, len(all)), vault.Fold(vault.Clean(q.Filter.Search))
	for _, t := range all {
		if strings.Contains(vault.Fold(t.Name), part) || strings.Contains(vault.Fold(t.ID), part) {
			found = append(found, t)
		}
	}
	return writeTagged(w, r, found)
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
	return writeTagged(w, r, map[string]any{"data": a.toAPI(who, c)})
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
