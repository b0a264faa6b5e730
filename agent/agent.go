// Package agent is an institution's vault in one process. It owns the home:
// what comes in goes through intake into the store, every later step is a job
// there, and every face is a client of the handler.
package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/agent/applying"
	"github.com/vecctl/vecctl/agent/catalog"
	"github.com/vecctl/vecctl/agent/deliver"
	"github.com/vecctl/vecctl/agent/drop"
	"github.com/vecctl/vecctl/agent/feed"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/hooks"
	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/agent/mails"
	"github.com/vecctl/vecctl/agent/outcome"
	"github.com/vecctl/vecctl/agent/pages"
	"github.com/vecctl/vecctl/agent/post"
	"github.com/vecctl/vecctl/agent/process"
	"github.com/vecctl/vecctl/agent/rekey"
	"github.com/vecctl/vecctl/agent/retention"
	"github.com/vecctl/vecctl/agent/seats"
	"github.com/vecctl/vecctl/agent/space"
	"github.com/vecctl/vecctl/agent/tokens"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/client/courier"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Options are what an agent needs.
type Options struct {
	Home    home.Dir
	Links   string // the base URL, in place of the home's own; "" does not
	Command string // what the process is, for whoever finds the home held
	// Institution is made in a home that has none.
	Institution vault.Institution
	// LockWait is how long to wait for another process to let go of the home.
	LockWait time.Duration
	// Build says which program the agent is.
	Build health.Build

	Getenv func(string) string // nil knows nothing
	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger
	// Page writes the one-page PDF of an image; nil: pdf.FromImage.
	Page func(w io.Writer, r io.ReaderAt, size int64) error
}

type tokenDesk = tokens.Desk

// Agent is a vault at work, or ready to be.
type Agent struct {
	Options
	// Made is true when the home was made by Open.
	Made bool
	*tokenDesk

	store        *bolt.Store
	blobs        *blob.Store
	seats        *seats.Seats
	catalog      *catalog.Catalog
	certifier    certifier
	intake       *intake.Intake
	uploads      *intake.Uploads
	desk         *applying.Desk
	processor    *process.Processor
	mailing      mailing
	post         *post.Post
	mails        *mails.Desk
	outcome      *outcome.Writer
	pages        *pages.Pages
	feed         feed.Feed
	keeper       *retention.Keeper
	sender       *deliver.Sender
	hooks        *hooks.Hooks
	secrets      *home.Safe
	keys         *rekey.Desk
	privateHooks bool          // private addresses may be told of events too
	remote       *courier.Book // certificates on remote vaults
	health       *health.Health
	space        *space.Space
	dropFolder   atomic.Pointer[drop.Watcher] // nil while none is watched
}

// sweepAge is the age from which a document that no certificate names is removed.
const sweepAge = time.Hour

// Open takes the home, makes it where there is none, and prepares everything;
// it starts nothing. A home that another process holds is fault.Locked.
func Open(ctx context.Context, o Options) (*Agent, error) {
	existed, err := o.Home.Exists()
	if err != nil {
		return nil, err
	}
	if err := o.Home.Make(); err != nil {
		return nil, err
	}
	config, err := o.Home.LoadConfig()
	if err != nil {
		return nil, err
	}
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	a := &Agent{Options: o, Made: !existed}
	standard, err := a.loadPlacement(config)
	if err != nil {
		return nil, err
	}
	a.catalog = a.newCatalog(standard)
	signing, err := a.loadSigning(config)
	if err != nil {
		return nil, err
	}
	if a.mailing, err = a.loadMailing(config); err != nil {
		return nil, err
	}
	if err := a.prepareHooks(config); err != nil {
		return nil, err
	}
	if a.keeper, err = a.newKeeper(config); err != nil {
		return nil, err
	}
	baseURL := cmp.Or(o.Links, config.Get("base_url"), home.DefaultBaseURL)
	if err := home.CheckBaseURL(baseURL); err != nil {
		return nil, err
	}
	if a.store, err = bolt.Open(o.Home.Database(), o.LockWait); err != nil {
		if fault.Is(err, fault.Locked) {
			return nil, o.Home.Locked(err)
		}
		return nil, fault.At("the home "+string(o.Home), blob.DiskError(err, "opening the home"))
	}
	if err := a.prepare(ctx, baseURL, signing, config); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// prepare is what is done when the home is ours.
func (a *Agent) prepare(ctx context.Context, baseURL string, signing seats.Signing, config home.Config) error {
	err := a.Home.SetHolder(home.Holder{PID: os.Getpid(), Command: a.Command, Since: a.Now()})
	// On a full disk there is no note, but what is there can be looked at.
	if err != nil && !fault.Is(err, fault.Full) {
		return err
	}
	if err := a.Home.Tidy(); err != nil {
		return err
	}
	if a.blobs, err = blob.Open(a.Home.Blobs()); err != nil {
		return err
	}
	if err := a.seatInstitutions(ctx, baseURL, signing); err != nil {
		return err
	}
	if err := a.openAuthority(config); err != nil {
		return err
	}
	if n, err := a.store.Release(ctx, a.Now()); err != nil {
		return fmt.Errorf("taking over jobs of an earlier run: %w", err)
	} else if n > 0 {
		a.Log.Info("jobs of an earlier run were taken over", "jobs", n)
	}
	last, err := a.store.LastEvent(ctx)
	if err != nil {
		return err
	}
	a.health = health.New(vitals{a, health.Books{Records: a.store, Institutions: a.seats.IDs, Now: a.Now}}, a.Build)
	a.health.Begin(last)
	a.wire()
	a.hooks.Check(ctx)
	if err := a.keys.Finish(ctx); err != nil {
		return err
	}
	a.pages, err = a.showing()
	return err
}

func (a *Agent) wire() {
	if a.Page == nil {
		a.Page = pdf.FromImage
	}
	a.intake = &intake.Intake{Ledger: a.store, Blobs: a.blobs, Now: a.Now, Random: a.Random,
		Inspect: func(r io.ReaderAt, size int64) (pdf.Info, error) { return a.seats.CurrentSeal().Inspect(r, size) }}
	a.uploads = intake.NewUploads(a.intake, a.store)
	a.desk = a.newDesk()
	a.outcome = &outcome.Writer{Tails: a.store, Blobs: a.blobs}
	a.wireSpace()
	sealer := &process.Sealer{Blobs: a.blobs, BaseURL: a.BaseURL, Now: a.Now, Log: a.Log,
		Page: a.Page, MailHold: a.mailing.hold, Seal: a.seats.Seal}
	a.processor = process.New(a.store, sealer.Work, process.Options{
		Workers: runtime.GOMAXPROCS(0), Now: a.Now, Log: a.Log, Settled: a.settled, Trouble: a.space.Held, Rush: a.uploads.Rush,
		Observe: func(r process.Result, took time.Duration) { a.health.Attempt(string(r), took) },
	})
	a.wireMails()
	a.tokenDesk = tokens.New(a.store, a.currentID, a.Now, a.Random)
	a.keeper.Records = a.store
	a.keeper.Shred = applying.Shredder{Book: a.store, Institutions: a.seats.IDs, Now: a.Now}.Shred
	a.secrets = home.NewSafe(a.Home, a.Now, a.Random)
	a.keys = &rekey.Desk{Records: a.store, Safe: a.secrets, Signing: a.seats.Keys, Authority: a.certifier.keys, Now: a.Now}
	a.wireHooks()
	a.remote = courier.NewBook(a.Home.Remote())
}

// Run works until ctx ends, then finishes what is in hand and returns.
func (a *Agent) Run(ctx context.Context) error {
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return a.processor.Run(ctx) })
	work.Go(func() error { return a.post.Run(ctx) })
	work.Go(func() error { return a.sweep(ctx) })
	work.Go(func() error { return a.sender.Run(ctx) })
	work.Go(func() error { return a.wakeHooks(ctx) })
	work.Go(func() error { return a.space.Watch(ctx) })
	work.Go(func() error { return a.keeper.Run(ctx) })
	work.Go(func() error { return a.tellOfApplications(ctx) })
	return work.Wait()
}

// sweep forgets uploads that nobody used in time, and removes documents that
// nobody names: one of the documents' folders at a time, all of them in an hour, so
// that a large home costs little at any moment. The clock says which, so that
// commands that run for moments get round too.
func (a *Agent) sweep(ctx context.Context) error {
	const step = sweepAge / blob.Folders
	tick := time.NewTicker(step)
	defer tick.Stop()
	var forgot time.Time
	for {
		if a.Now().Sub(forgot) >= sweepAge {
			forgot = a.Now()
			if _, err := a.store.Expire(ctx, forgot); err != nil && ctx.Err() == nil {
				a.Log.Error("forgetting old uploads failed", "error", err)
			}
		}
		now := time.Now()
		folder := int(now.Unix()/int64(step/time.Second)) % blob.Folders
		n, err := a.blobs.SweepFolder(ctx, folder, now.Add(-sweepAge), func(sum string) (bool, error) {
			return a.store.Referenced(ctx, sum)
		})
		switch {
		case err != nil && ctx.Err() == nil:
			a.Log.Error("removing documents that no certificate names failed", "error", err)
		case n > 0:
			a.Log.Info("documents that no certificate names were removed", "documents", n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Close lets go of the home. Run must have returned.
func (a *Agent) Close() error {
	a.Home.ClearHolder()
	return a.store.Close()
}
