package signing

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

// CosignatureQueue puts the cosignatures of witnesses into the log proofs of verified PDFs, once
// enough witnesses have signed. A job waits until then.
type CosignatureQueue struct {
	TimestampOptions
	verifiedQueue

	logs store.Store
	mu   sync.Mutex
	seen int64 // entries of all logs that are cosigned, when a job had to wait; -1: none had
}

// cosignRetry is how long a job waits at least whose cosignatures are missing.
const cosignRetry = 30 * time.Second

// NewCosignatureQueue makes a queue; it starts nothing.
func NewCosignatureQueue(queue store.Store, blobs blob.Store, now func() time.Time, o TimestampOptions) *CosignatureQueue {
	q := &CosignatureQueue{TimestampOptions: o, verifiedQueue: newVerifiedQueue(vault.JobCosign, queue, blobs, o.Owner), logs: queue, seen: -1}
	q.use(q, now, o.Workers)
	return q
}

// cosigned is how many entries of all logs are cosigned.
func (q *CosignatureQueue) cosigned(ctx context.Context) (n int64, err error) {
	all, err := q.logs.Institutions(ctx)
	if err != nil {
		return 0, err
	}
	for _, i := range all {
		heads, err := q.logs.LogHeads(ctx, i.ID)
		if err != nil {
			return 0, err
		}
		for _, h := range heads {
			if h.Cosigned != nil {
				n += h.Cosigned.Size
			}
		}
	}
	return n, nil
}

// claim claims jobs, unless nothing was cosigned since one had to wait.
func (q *CosignatureQueue) claim(ctx context.Context) ([]task, error) {
	n, err := q.cosigned(ctx)
	if err != nil {
		return nil, err
	}
	q.mu.Lock()
	idle := n == 0 || n == q.seen
	if !idle {
		q.seen = -1
	}
	q.mu.Unlock()
	if idle {
		return nil, nil
	}
	return q.claimDue(ctx)
}

func (q *CosignatureQueue) nextRun(ctx context.Context) (time.Time, error) {
	q.mu.Lock()
	waits := q.seen >= 0
	q.mu.Unlock()
	if waits {
		return q.loop.Now().Add(cosignRetry), nil
	}
	return q.nextDue(ctx)
}

// errNotCosigned is the reason for which most jobs wait.
var errNotCosigned = errors.New("too few witnesses have cosigned the log so far")

// do adds the cosignatures to one certificate. A job is given back until that is done.
func (q *CosignatureQueue) do(ctx context.Context, t task) store.JobResult {
	c := t.certificate
	if c.Verified == nil || !c.Verified.CosignaturesOwed || c.ErasedAt != nil || c.Log == nil || t.job.GivenUp() {
		return store.JobResult{Job: t.job}
	}
	tail, sum, err := q.cosign(context.WithoutCancel(ctx), c)
	if err != nil {
		if !errors.Is(err, errNotCosigned) {
			q.Log.Warn("cosignatures are still owed", "certificate", c.UUID, "error", err)
		}
		return q.postpone(t, err.Error(), cosignRetry)
	}
	now, before := q.loop.Now(), c.Verified.SHA256
	return store.JobResult{Job: t.job, Change: func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.AddCosignatures(before, sum, tail, now)
	}}
}

// cosign returns the end of a verified PDF with a cosigned proof, and the SHA-256 of the whole; no
// end where a later signature covers the proof.
func (q *CosignatureQueue) cosign(ctx context.Context, c vault.Certificate) (tail []byte, sum string, err error) {
	head, err := q.headOf(ctx, c)
	if err != nil {
		return nil, "", err
	}
	if c.Verified.TimestampOwed { // the time stamp comes first: both change the same bytes
		return nil, "", errNotCosigned
	}
	if tail, err = q.store.Tail(ctx, c.ID); err != nil {
		return nil, "", err
	}
	if pdf.HasLaterSignature(tail) || len(c.Log.Salt) != transparency.SaltSize {
		return nil, c.Verified.SHA256, nil
	}
	hashes, err := transparency.Prove(head.Cosigned.Size, c.Log.Index, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found, err := q.logs.LogHashes(ctx, head.Key, indexes)
		all := make([]tlog.Hash, len(found))
		for i, h := range found {
			all[i] = h
		}
		return all, err
	}))
	if err != nil {
		return nil, "", err
	}
	f, err := openSized(ctx, q.blobs, c.Verified.Document.SHA256, c.Verified.Document.Size)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	proof := transparency.FormatProof(c.Log.Index, transparency.Salt(c.Log.Salt), hashes, head.Cosigned.Checkpoint)
	changed, hash, err := pdf.ReplaceLogProof(io.NewSectionReader(f, 0, c.Verified.Document.Size), tail, proof)
	return changed, hex.EncodeToString(hash[:]), err
}

// headOf is the log of a certificate; errNotCosigned where it is not cosigned that far.
func (q *CosignatureQueue) headOf(ctx context.Context, c vault.Certificate) (vault.LogHead, error) {
	heads, err := q.logs.LogHeads(ctx, c.Institution)
	if err != nil {
		return vault.LogHead{}, err
	}
	at := slices.IndexFunc(heads, func(h vault.LogHead) bool { return vault.LogID(h.Key) == c.Log.Log })
	if at < 0 || heads[at].Cosigned == nil || heads[at].Cosigned.Size <= c.Log.Index {
		return vault.LogHead{}, errNotCosigned
	}
	return heads[at], nil
}

func (q *CosignatureQueue) commit(ctx context.Context, group []store.JobResult) error {
	n, err := q.cosigned(ctx)
	if err != nil {
		return err
	}
	outcomes, err := q.store.Complete(ctx, group)
	if err != nil {
		return fmt.Errorf("keeping cosignatures failed: %w", err)
	}
	for i, outcome := range outcomes {
		if outcome != nil {
			q.Log.Warn("cosignatures could not be kept", "job", group[i].Job.ID, "error", outcome)
		}
		if group[i].Release {
			q.mu.Lock()
			q.seen = n
			q.mu.Unlock()
		}
	}
	return nil
}

func (q *CosignatureQueue) reportError(err error) {
	q.Log.Error("adding cosignatures is held up", "error", err)
}
