package web

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"sync"

	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/router"
	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

// logStore is what is needed of the store.
type logStore interface {
	LogHeads(ctx context.Context, institution uint32) ([]vault.LogHead, error)
	LogEntries(ctx context.Context, key string, from int64, n int) ([][]byte, error)
	LogHashes(ctx context.Context, key string, indexes []int64) ([][32]byte, error)
	LogStatements(ctx context.Context, key string) ([]vault.LogStatement, error)
	Revocations(ctx context.Context, institution uint32, skip uint64, n int) ([]vault.RevocationRecord, error)
}

// logPages publish the logs of issued certificates (c2sp.org/tlog-tiles). There is nothing
// about a person in them.
type logPages struct {
	Store        logStore
	Institutions institutions.Directory
	Log          *slog.Logger

	owners sync.Map // institutions by the IDs of their logs
}

// How long answers may be kept. A tile never changes; the checkpoint does.
const (
	tileCacheControl       = "public, max-age=31536000, immutable"
	checkpointCacheControl = "public, max-age=5"
)

// Route adds the logs' addresses.
func (p *logPages) Route(mux router.Routes) {
	mux.HandleFunc("GET /log/{$}", p.serveList)
	mux.HandleFunc("GET /"+transparency.ListPath, p.serveList)
	mux.HandleFunc("GET /log/{id}/checkpoint", p.serveCheckpoint)
	mux.HandleFunc("GET /log/{id}/"+transparency.RevocationsFile, p.serveRevocations)
	mux.HandleFunc("GET /log/{id}/tile/{path...}", p.serveTile)
}

// heads returns all logs by institution.
func (p *logPages) heads(ctx context.Context, each func(vault.Institution, vault.LogHead)) error {
	ids := p.Institutions.IDs()
	slices.Sort(ids)
	for _, id := range ids {
		i, ok := p.Institutions.ByID(id)
		if !ok {
			continue
		}
		heads, err := p.Store.LogHeads(ctx, id)
		if err != nil {
			return err
		}
		for _, head := range heads {
			each(i, head)
		}
	}
	return nil
}

// find returns the log with an ID. Which institution has it never changes, so that only the
// first question looks through all.
func (p *logPages) find(ctx context.Context, id string) (found vault.LogHead, err error) {
	institution, err := p.ownerOf(ctx, id)
	if err != nil {
		return found, err
	}
	return p.headOf(ctx, institution, id)
}

// ownerOf returns the institution that has the log with an ID.
func (p *logPages) ownerOf(ctx context.Context, id string) (institution uint32, err error) {
	if known, ok := p.owners.Load(id); ok {
		institution, _ = known.(uint32)
		return institution, nil
	}
	found := false
	err = p.heads(ctx, func(i vault.Institution, head vault.LogHead) {
		if vault.LogID(head.Key) == id {
			found, institution = true, i.ID
			p.owners.Store(id, i.ID)
		}
	})
	if err == nil && !found {
		err = errNoLog()
	}
	return institution, err
}

// headOf returns the log with an ID of an institution.
func (p *logPages) headOf(ctx context.Context, institution uint32, id string) (vault.LogHead, error) {
	heads, err := p.Store.LogHeads(ctx, institution)
	if err != nil {
		return vault.LogHead{}, err
	}
	at := slices.IndexFunc(heads, func(h vault.LogHead) bool { return vault.LogID(h.Key) == id })
	if at < 0 {
		return vault.LogHead{}, errNoLog()
	}
	return heads[at], nil
}

func errNoLog() error { return fault.New(fault.NotFound, "There is no such log.") }

func (p *logPages) serveList(w http.ResponseWriter, r *http.Request) {
	all := []transparency.Listed{}
	err := p.heads(r.Context(), func(i vault.Institution, head vault.LogHead) {
		all = append(all, transparency.Listed{Institution: i.Name, Key: head.Key, Size: head.Size, URL: p.Institutions.BaseURL() + "/log/" + vault.LogID(head.Key)})
	})
	if err != nil {
		p.fail(w, r, err)
		return
	}
	setJSONHeaders(w.Header())
	_ = json.NewEncoder(w).Encode(map[string][]transparency.Listed{"logs": all}) // a client who has gone does not wait for it
}

func (p *logPages) serveCheckpoint(w http.ResponseWriter, r *http.Request) {
	head, err := p.find(r.Context(), r.PathValue("id"))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.write(w, "text/plain; charset=utf-8", checkpointCacheControl, head.Checkpoint)
}

func (p *logPages) serveTile(w http.ResponseWriter, r *http.Request) {
	head, err := p.find(r.Context(), r.PathValue("id"))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	tile, err := transparency.ReadTile(r.Context(), "tile/"+r.PathValue("path"), head.Size, storedLog{p.Store, head.Key})
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.write(w, "application/octet-stream", tileCacheControl, tile)
}

// write answers with a part of a log. Pages of other sites may read it.
func (p *logPages) write(w http.ResponseWriter, kind, cacheControl string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", cacheControl)
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body) // a client who has gone does not wait for it
}

func (p *logPages) fail(w http.ResponseWriter, r *http.Request, err error) {
	writeFailure(w, r, p.Log, "log", err)
}

// storedLog reads a log from the store.
type storedLog struct {
	store logStore
	key   string
}

// Hashes implements transparency.Source.
func (l storedLog) Hashes(ctx context.Context, indexes []int64) ([][32]byte, error) {
	return l.store.LogHashes(ctx, l.key, indexes)
}

// Entries implements transparency.Source.
func (l storedLog) Entries(ctx context.Context, from int64, n int) ([][]byte, error) {
	return l.store.LogEntries(ctx, l.key, from, n)
}
