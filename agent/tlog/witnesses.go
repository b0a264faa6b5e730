package tlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Witnesses asks the witnesses of the settings to cosign the institutions' logs. Issuing never
// waits for them.
type Witnesses struct {
	Store        store.Store
	Institutions *institutions.Registry
	Cosigners    []transparency.Cosigner
	Required     int // cosignatures that a proof is to have
	Transport    http.RoundTripper

	Forks *Forks

	mu    sync.Mutex
	known map[[2]string]int64 // the sizes that witnesses know, by log and witness
}

// askTimeout is how long a witness may take.
const askTimeout = 4 * time.Second

// Gather asks all witnesses that have not cosigned the logs as they are now.
func (w *Witnesses) Gather(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.known == nil {
		w.known = map[[2]string]int64{}
	}
	var failed []error
	for _, id := range w.Institutions.IDs() {
		heads, err := w.Store.LogHeads(ctx, id)
		if err != nil {
			return err
		}
		if len(heads) == 0 {
			continue
		}
		failed = append(failed, w.gather(ctx, id, heads[len(heads)-1]))
	}
	return errors.Join(failed...)
}

// gather asks for cosignatures of one log.
func (w *Witnesses) gather(ctx context.Context, institution uint32, head vault.LogHead) error {
	have := transparency.Cosignatures(head.Checkpoint, w.Cosigners)
	signed := slices.Clone(head.Checkpoint)
	added := false
	var failed []error
	for _, c := range w.Cosigners {
		// A witness is asked once even if it has cosigned: it may have seen more since.
		_, asked := w.known[[2]string{head.Key, c.Key}]
		has := slices.ContainsFunc(have, func(s transparency.Cosignature) bool { return s.Name == c.Name() })
		if asked && has {
			continue
		}
		lines, err := w.ask(ctx, c, head)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if has {
			continue
		}
		signed, added = append(signed, lines...), true
	}
	if added {
		enough := len(transparency.Cosignatures(signed, w.Cosigners)) >= w.Required
		err := w.Store.CosignLog(ctx, institution, head.Key, vault.CosignedCheckpoint{Size: head.Size, Checkpoint: signed}, enough)
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// ask asks one witness, once more where it knows another size.
func (w *Witnesses) ask(ctx context.Context, c transparency.Cosigner, head vault.LogHead) ([]byte, error) {
	origin, err := transparency.OriginOf(head.Key)
	if err != nil {
		return nil, err
	}
	bare, _, ok := bytes.Cut(head.Checkpoint, []byte("\n\n"))
	if !ok {
		return nil, fault.New(fault.Damaged, "the log's checkpoint is damaged; restore the home from a backup")
	}
	_, marks, _ := bytes.Cut(head.Checkpoint, []byte("\n\n"))
	own, _, _ := bytes.Cut(marks, []byte("\n")) // the log's own signature stands first
	checkpoint := slices.Concat(bare, []byte("\n\n"), own, []byte("\n"))
	name := [2]string{head.Key, c.Key}
	for range 2 {
		old := w.known[name]
		if old > head.Size {
			return nil, w.Forks.note(head.Key, fmt.Sprintf("the witness %s has seen the log %s with %d entries, and here it has %d", c.Name(), origin, old, head.Size))
		}
		proof, err := transparency.ProveGrowth(head.Size, old, hashesOf(ctx, w.Store, head.Key))
		if err != nil {
			return nil, err
		}
		asked, stop := context.WithTimeout(ctx, askTimeout)
		lines, err := c.Ask(asked, w.Transport, old, proof, checkpoint)
		stop()
		switch stale, isStale := errors.AsType[*transparency.StaleError](err); {
		case isStale && stale.Known != old:
			w.known[name] = stale.Known
			continue
		case isStale, errors.Is(err, transparency.ErrNotContinued):
			return nil, w.Forks.note(head.Key, fmt.Sprintf("the witness %s has seen another history of the log %s", c.Name(), origin))
		case err != nil:
			return nil, err
		}
		w.known[name] = head.Size
		return lines, nil
	}
	if old := w.known[name]; old > head.Size {
		return nil, w.Forks.note(head.Key, fmt.Sprintf("the witness %s has seen the log %s with %d entries, and here it has %d", c.Name(), origin, old, head.Size))
	}
	return nil, fault.Newf(fault.Unavailable, "the witness %s is asked by somebody else at the same time", c.Name())
}

// hashesOf reads the hashes of a log.
func hashesOf(ctx context.Context, s store.Store, key string) transparency.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found, err := s.LogHashes(ctx, key, indexes)
		hashes := make([]tlog.Hash, len(found))
		for i, h := range found {
			hashes[i] = h
		}
		return hashes, err
	})
}
