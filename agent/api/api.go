// Package api is the documented Business API of the vault.
package api

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Vault is what the API needs of the store.
type Vault interface {
	List(ctx context.Context, f store.Filter, page, perPage int) (store.Page, error)
	Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error)
	Change(ctx context.Context, institution uint32, name string, change store.Change) (vault.Certificate, error)
	Batches(ctx context.Context, institution uint32, page, perPage int) ([]vault.Batch, int, error)
}

// Document is a verified PDF that can be sent.
type Document interface {
	io.WriterTo
	io.Closer
}

// API answers the documented calls.
type API struct {
	Vault Vault
	// Open opens a certificate's verified PDF; FileName names it.
	Open     func(context.Context, vault.Certificate) (Document, error)
	FileName func(vault.Certificate) string
	// VerifyURL is where a certificate's QR code leads.
	VerifyURL  func(vault.Certificate) string
	ShapeBatch func(vault.Batch) client.Batch
	// Wake says that there is new work.
	Wake func()
	Now  func() time.Time
	Log  *slog.Logger
}

// Handler routes the calls of those whom the door lets in.
func (a *API) Handler(door Door) http.Handler {
	mux := http.NewServeMux()
	route := func(pattern string, needs vault.Permission, h handler) {
		mux.HandleFunc(pattern, a.answer(func(w http.ResponseWriter, r *http.Request) error {
			who, err := door(r)
			if err != nil {
				return err
			}
			if err := who.may(needs); err != nil {
				return err
			}
			return h(w, r, who)
		}))
	}
	route("GET /business/certificate-vault", vault.MayList, a.list)
	route("GET /business/certificate-vault/{name}", vault.MayView, a.view)
	route("GET /business/certificate-vault/{name}/download", vault.MayDownload, a.download)
	route("GET /business/batches", vault.MayList, a.batches)
	route("POST /business/certificate-vault/{name}/retry", vault.MayUpdate, a.retry)
	mux.HandleFunc("/", a.answer(func(http.ResponseWriter, *http.Request) error {
		return fault.New(fault.NotFound, "There is nothing at this address.")
	}))
	return mux
}

// handler answers one call of a caller who may make it.
type handler func(http.ResponseWriter, *http.Request, Caller) error

// answer turns an error into the API's dialect.
func (a *API) answer(h func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			a.Fail(w, r, err)
		}
	}
}

func (a *API) list(w http.ResponseWriter, r *http.Request, who Caller) error {
	q, err := parseQuery(r.URL.Query())
	if err != nil {
		return err
	}
	q.filter.Institution = who.institution
	found, err := a.Vault.List(r.Context(), q.filter, q.page, q.perPage)
	if err != nil {
		return err
	}
	page := client.Page[client.Certificate]{Data: make([]client.Certificate, len(found.Certificates))}
	for i, c := range found.Certificates {
		page.Data[i] = a.shape(c)
	}
	page.Links, page.Meta = q.place(r.URL, len(page.Data), found.Total)
	return respond(w, http.StatusOK, page)
}

func (a *API) batches(w http.ResponseWriter, r *http.Request, who Caller) error {
	q, err := parseQuery(r.URL.Query())
	if err != nil {
		return err
	}
	found, total, err := a.Vault.Batches(r.Context(), who.institution, q.page, q.perPage)
	if err != nil {
		return err
	}
	page := client.Page[client.Batch]{Data: make([]client.Batch, len(found))}
	for i, b := range found {
		page.Data[i] = a.ShapeBatch(b)
	}
	page.Links, page.Meta = q.place(r.URL, len(page.Data), total)
	return respond(w, http.StatusOK, page)
}

func (a *API) view(w http.ResponseWriter, r *http.Request, who Caller) error {
	c, err := a.Vault.Certificate(r.Context(), who.institution, r.PathValue("name"))
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, map[string]any{"data": a.shape(c)})
}

func (a *API) retry(w http.ResponseWriter, r *http.Request, who Caller) error {
	c, err := a.Vault.Change(r.Context(), who.institution, r.PathValue("name"),
		func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.Retry(vault.ByRetry, a.Now())
		})
	if err != nil {
		return err
	}
	a.Wake()
	return respond(w, http.StatusOK, map[string]any{"message": "Certificate retry initiated successfully", "data": a.shape(c)})
}

func (a *API) download(w http.ResponseWriter, r *http.Request, who Caller) error {
	c, err := a.Vault.Certificate(r.Context(), who.institution, r.PathValue("name"))
	if err != nil {
		return err
	}
	if c.Status == vault.Revoked {
		return fault.New(fault.NotFound, "Verified PDF not found. The certificate has been revoked.")
	}
	document, err := a.Open(r.Context(), c)
	if err != nil {
		return err
	}
	defer document.Close()
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Content-Length", strconv.FormatInt(c.Verified.Size(), 10))
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.FileName(c)}))
	if _, err := document.WriteTo(w); err != nil {
		// The answer has begun; all that is left is to break it off.
		a.Log.Warn("a download broke off", "certificate", c.UUID, "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

func respond(w http.ResponseWriter, status int, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// An error here is the client's connection; there is nobody to tell.
	_, _ = w.Write(raw)
	return nil
}
