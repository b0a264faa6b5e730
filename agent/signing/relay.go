package signing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/agent/worker"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/remotebulk"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// Relay issues certificates on another vault: it takes the place of a Processor. A job of kind
// vault.JobSign becomes one of vault.JobSend, which ends when that vault has accepted the
// certificate; one of vault.JobFetch follows it there and ends when its verified PDF is kept here.
//
// Nothing is issued twice, since each bulk call is in the journal before it is made, and what may
// have got through is looked up in the vault's own list before anything is sent again.
type Relay struct {
	RelayOptions
	send  *worker.Loop[[]task, sendResult]
	fetch *worker.Loop[fetchTask, store.JobResult]
	looks looks
	name  string // goes into the keys of all calls

	revocations wake.Signal

	mu        sync.Mutex
	heldSince time.Time // zero while issuing is not paused
	heldFor   vault.JobKind
	settled   []int // rows whose steps the journal need not have any more
	dated     bool  // the vault shows issue dates
	sending   sync.Mutex
}

// RelayOptions are what a relay needs besides.
type RelayOptions struct {
	Options // Holds must be set
	Store   store.Store
	Blobs   blob.Store
	// Client calls the other vault.
	Client  *client.Client
	Journal *remotebulk.Journal
	// Institution is the one whose vault that is. Certificates of others wait.
	Institution uint32
	// Identity is what no other home has; it goes into the keys of all calls.
	Identity []byte
	// SharedAddresses says that people may have one address, title and date on the vault.
	SharedAddresses bool
	// Unlisted is shown as long as the vault keeps certificates to itself that it accepted.
	Unlisted Alarm
}

// Sizes and times of a relay.
const (
	sendGroup = 600 // certificates that are sent in a row: four calls of 150
	// undatedGroup is sendGroup for a vault that shows no issue dates: its whole list is read for
	// each group.
	undatedGroup = 2400
	fetchGroup   = 10_000 // certificates that are looked up at once
	fetchWorkers = 8      // documents that are fetched at a time
	sendWait     = 10 * time.Second
	// unlistedAlarm is after which time staff hear of certificates that the vault accepted and
	// does not list; after unlistedLife they are sent again.
	unlistedAlarm = 15 * time.Minute
	unlistedLife  = 24 * time.Hour
)

// NewRelay makes a relay; it starts nothing. What the journal has of certificates that are settled
// in the store is dropped.
func NewRelay(ctx context.Context, o RelayOptions) (*Relay, error) {
	r := &Relay{RelayOptions: o, revocations: wake.New()}
	sum := sha256.Sum256(append([]byte(o.Client.Base()+"\x00"), o.Identity...))
	r.name = hex.EncodeToString(sum[:16])
	r.send = worker.New(worker.Options[[]task, sendResult]{
		Claim: r.claimToSend, NextRun: r.nextToSend, Do: r.doSend, Release: r.releaseGroup, Commit: r.commitSent,
		OnError: r.reportError, Now: o.Now, Workers: 1, MaxGroup: 1, Idle: idlePoll, AfterError: retryDelay,
	})
	r.fetch = worker.New(worker.Options[fetchTask, store.JobResult]{
		Claim: r.claimToFetch, NextRun: r.nextToFetch, Do: r.doFetch, Release: r.releaseFetch, Commit: r.commitFetched,
		OnError: r.reportError, Now: o.Now, Workers: fetchWorkers, MaxGroup: maxCommitGroup, Linger: commitLinger,
		Idle: idlePoll, AfterError: retryDelay,
	})
	return r, r.pruneJournal(ctx)
}

// Wake says that there may be new jobs.
func (r *Relay) Wake() { r.send.Wake() }

// relayNews looks at the vault soon when it is woken.
type relayNews struct{ *Relay }

func (n relayNews) Wake() {
	n.looks.sent(0, n.Now())
	n.fetch.Wake()
}

// relayRevocations looks soon for what the vault has revoked when it is woken.
type relayRevocations struct{ *Relay }

func (n relayRevocations) Wake() { n.revocations.Notify() }

// News is to be woken when something has happened on the vault.
func (r *Relay) News() wake.Waker { return relayNews{r} }

// Revocations is to be woken when the vault has revoked a certificate.
func (r *Relay) Revocations() wake.Waker { return relayRevocations{r} }

// Run works until ctx ends, then finishes what is in hand.
func (r *Relay) Run(ctx context.Context) error {
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { r.send.Run(ctx); return nil })
	work.Go(func() error { r.fetch.Run(ctx); return nil })
	work.Go(func() error { return r.followRevocations(ctx) })
	return work.Wait()
}

// Close closes the journal. Run must have returned.
func (r *Relay) Close() error { return r.Journal.Close() }

// pruneJournal drops what the journal has of certificates that a run before this one settled.
func (r *Relay) pruneJournal(ctx context.Context) error {
	for rows := range slices.Chunk(r.Journal.Rows(), claimGroup) {
		ids := make([]uint64, len(rows))
		for i, row := range rows {
			ids[i] = uint64(row)
		}
		found, err := r.Store.ByID(ctx, ids...)
		if err != nil {
			return fmt.Errorf("reading certificates that were sent to %s: %w", r.Client.Base(), err)
		}
		for _, c := range found {
			if c.Status != vault.Processing || c.Remote != nil {
				r.settled = append(r.settled, int(c.ID))
			}
		}
	}
	return r.Journal.Forget(r.settled...)
}

// uploader returns what sends certificates to the vault, or finds them there.
func (r *Relay) uploader(ctx context.Context, some []vault.Certificate) (*remotebulk.Uploader, error) {
	claimed, err := r.claimedRemotely(ctx, some)
	return &remotebulk.Uploader{
		Client: r.Client, Journal: r.Journal, Name: r.name, Skip: true, NoWait: true, Fresh: true, Shared: r.SharedAddresses,
		Claimed: claimed, Wait: sendWait, Now: r.Now, Sleep: wake.Sleep, Progress: func(client.Progress) {},
	}, err
}

// claimedRemotely returns which certificates of the vault are known to be of which of ours, as far
// as they may be taken for some. Only a vault that shows no dates makes it necessary.
func (r *Relay) claimedRemotely(ctx context.Context, some []vault.Certificate) (map[string]int, error) {
	if r.showsDates() {
		return nil, nil
	}
	page, err := r.Client.List(ctx, client.Filter{Page: 1, PerPage: 1})
	if err != nil {
		return nil, err
	}
	if len(page.Data) > 0 && page.Data[0].IssueDate != "" {
		r.mu.Lock()
		r.dated = true
		r.mu.Unlock()
		return nil, nil
	}
	claimed, asked := map[string]int{}, map[string]bool{}
	for _, c := range some {
		email := vault.FoldEmail(c.Email)
		if asked[email] {
			continue
		}
		asked[email] = true
		err := r.eachOf(ctx, c.Institution, c.Email, func(known vault.Certificate) error {
			if known.Remote != nil && known.Remote.UUID != "" {
				claimed[known.Remote.UUID] = int(known.ID)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return claimed, nil
}

// showsDates reports whether the vault is known to show issue dates.
func (r *Relay) showsDates() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dated
}

// eachOf goes through the certificates of an address.
func (r *Relay) eachOf(ctx context.Context, institution uint32, email string, each func(vault.Certificate) error) error {
	const perPage = 100
	for n := 1; ; n++ {
		page, err := r.Store.List(ctx, store.Filter{Institution: institution, Email: email}, n, perPage)
		if err != nil {
			return fmt.Errorf("reading the certificates of an address: %w", err)
		}
		for _, c := range page.Certificates {
			if err := each(c); err != nil {
				return err
			}
		}
		if n*perPage >= page.Total {
			return nil
		}
	}
}

// heldBy returns why the vault takes nothing at present; nil where the error is of another kind.
func (r *Relay) heldBy(err error) *HeldError {
	if err == nil {
		return nil
	}
	message, said := fault.Message(err)
	if !said {
		message = err.Error()
	}
	message = strings.TrimSuffix(message, ".")
	answered, ok := errors.AsType[*client.Error](err)
	switch {
	case fault.Is(err, fault.Unauthenticated), fault.Is(err, fault.Forbidden):
		return &HeldError{fmt.Sprintf("the vault at %s refuses the token in relay.token (%s); set one that may create, list, view and download", r.Client.Base(), message)}
	case fault.Is(err, fault.Unavailable), ok && answered.Status >= http.StatusInternalServerError:
		if strings.Contains(message, r.Client.Base()) {
			return &HeldError{message}
		}
		return &HeldError{fmt.Sprintf("the vault at %s cannot be reached or fails (%s)", r.Client.Base(), message)}
	case ok, said && fault.Is(err, fault.Internal), fault.Is(err, fault.NotFound):
		return &HeldError{fmt.Sprintf("the vault at %s answers otherwise than it should (%s); check relay.url with \"vecctl api check\"", r.Client.Base(), message)}
	}
	return nil
}

// patience is how long the vault may be away before callers that wait for certificates are told.
const patience = 30 * time.Second

// pause has nothing go to the vault for a while, and returns for how long.
func (r *Relay) pause(part vault.JobKind, why *HeldError) time.Duration {
	now := r.Now()
	r.mu.Lock()
	r.heldFor = part
	begins := r.heldSince.IsZero()
	if begins {
		r.heldSince = now
	}
	lasts := now.Sub(r.heldSince)
	r.mu.Unlock()
	if begins {
		r.Log.Warn("issuing is paused", "reason", why.Reason)
	}
	if lasts >= patience {
		r.reportError(why)
	}
	return r.Holds.Set(r.Institution, why, now)
}

// hold postpones a job until the vault may be tried again.
func (r *Relay) hold(j vault.Job, why *HeldError) store.JobResult {
	return store.JobResult{Job: j.Postponed(why.Error(), r.Now(), r.pause(j.Kind, why)), Release: true}
}

// lift ends a hold, if there is one and the same part of the work caused it: that the vault can be
// read does not say that it takes what is sent.
func (r *Relay) lift(part vault.JobKind) {
	r.mu.Lock()
	held := !r.heldSince.IsZero() && r.heldFor == part
	if held {
		r.heldSince = time.Time{}
	}
	r.mu.Unlock()
	if held {
		r.Holds.Lift(r.Institution)
		r.Log.Info("issuing goes on", "vault", r.Client.Base())
	}
}

// holdFor postpones jobs for an error of the vault, or of this home.
func (r *Relay) holdFor(j vault.Job, err error) store.JobResult {
	if why := r.heldBy(err); why != nil {
		return r.hold(j, why)
	}
	r.reportError(fmt.Errorf("issuing on another vault is held up: %w", err))
	return store.JobResult{Job: j.Postponed(err.Error(), r.Now(), retryDelay), Release: true}
}

func (r *Relay) reportError(err error) {
	if r.OnError == nil {
		r.Log.Error("issuing on another vault is held up", "error", err)
		return
	}
	r.OnError(err)
}

// observe counts how an attempt ended.
func (r *Relay) observe(s store.JobResult, c vault.Certificate, begun time.Time) store.JobResult {
	if r.Observe != nil {
		r.Observe(resultOf(s, c), r.Now().Sub(begun))
	}
	return s
}
