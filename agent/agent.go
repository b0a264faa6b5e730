// Package agent is an institution's vault in one process. It owns the home:
// what comes in goes through intake into the store, every later step is a job
// there, and every face is a client of the handler.
package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/agent/admin"
	"github.com/vecctl/vecctl/agent/api"
	"github.com/vecctl/vecctl/agent/applications"
	"github.com/vecctl/vecctl/agent/badges"
	"github.com/vecctl/vecctl/agent/batch"
	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/dropfolder"
	"github.com/vecctl/vecctl/agent/events"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/agent/mailer"
	"github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/agent/retention"
	"github.com/vecctl/vecctl/agent/signing"
	"github.com/vecctl/vecctl/agent/tlog"
	"github.com/vecctl/vecctl/agent/web"
	"github.com/vecctl/vecctl/agent/webhooks"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/client/remotebulk"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/open"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// Options are what an agent needs.
type Options struct {
	Home    home.Dir
	Config  *config.Config // nil is what the home's config.yaml says
	Command string         // what the process is, for anyone who finds the home held
	// Institution is made in a home that has none.
	Institution vault.Institution
	// LockWait is how long to wait for another process to let go of the home.
	LockWait time.Duration
	// Build says which program the agent is.
	Build health.Build

	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger
	// ImageToPDF writes the one-page PDF of an image; nil: pdf.FromImage.
	ImageToPDF func(w io.Writer, r io.ReaderAt, size int64) error
}

// Agent is a vault at work, or ready to be.
type Agent struct {
	Options
	// Created is true when the home was made by Open.
	Created bool
	// Admin is what staff see and do.
	Admin *admin.Service
	// Applications takes the applications of the public.
	Applications *applications.Service

	config        config.Config
	store         store.Store
	owner         string // of the jobs that this run claims
	blobs         blob.Store
	documents     *blob.Folder // the same
	institutions  *institutions.Registry
	timestamper   *pdf.Timestamper        // nil: no time stamps
	timestamps    *signing.TimestampQueue // nil: no time stamps
	preserve      *signing.PreserveQueue
	statements    *tlog.Statements
	forks         *tlog.Forks
	witnesses     *tlog.Witnesses           // nil: none are asked
	cosignatures  *signing.CosignatureQueue // nil: none are asked
	comparison    *tlog.Comparison
	templates     *intake.TemplateCache
	certAuthority certAuthority
	intake        *intake.Intake
	batches       *batch.Issuer
	uploads       *intake.Uploads
	api           *api.API // of all listeners
	processor     *signing.Processor
	relay         *signing.Relay // nil: this home issues by itself
	mailQueue     *mailer.Queue
	exporter      *results.Exporter
	badges        *badges.Service
	pages         *web.Pages
	events        events.Bus
	cleaner       *retention.Cleaner
	dispatcher    *webhooks.Dispatcher
	webhookClient *ssrf.Client
	suspensions   *webhooks.SuspensionAlarm
	secretStore   *home.SecretStore
	erasures      *home.ErasureLedger
	remote        *remotebulk.Registry // certificates on remote vaults
	health        *health.Health
	disk          *health.DiskMonitor
	recorded      time.Time                          // the latest time that is known; runClock's after the start
	dropFolder    atomic.Pointer[dropfolder.Watcher] // nil while none is watched
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
	if err := o.Home.CheckWriters(); err != nil {
		return nil, err
	}
	if err := o.Home.Make(); err != nil {
		return nil, err
	}
	if o.Config == nil {
		own, err := config.Load(config.Source{Home: string(o.Home), File: config.File(o.Home.Config())})
		if err != nil {
			return nil, err
		}
		o.Config = &own
	}
	if err := home.CheckCommand(o.Config.Receiver.Command); err != nil {
		return nil, err
	}
	a := &Agent{Options: o, config: *o.Config, Created: !existed}
	a.templates = a.newTemplateCache()
	a.cleaner = a.newCleaner()
	if a.store, err = open.Store(open.File(o.Home.Database()), o.LockWait); err != nil {
		if fault.Is(err, fault.Locked) {
			return nil, o.Home.LockedError(err)
		}
		return nil, fault.At("the home "+string(o.Home), fsutil.DiskError(err, "opening the home"))
	}
	if err := a.prepare(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// prepare is what is done when the home is ours.
func (a *Agent) prepare(ctx context.Context) error {
	err := a.Home.WriteLockInfo(home.LockInfo{PID: os.Getpid(), Command: a.Command, Since: a.Now()})
	// On a full disk there is no note, but what is there can be looked at.
	if err != nil && !fault.Is(err, fault.Full) {
		return err
	}
	if err := a.Home.RemoveTemporary(); err != nil {
		return err
	}
	if a.documents, err = blob.OpenFolder(a.Home.Blobs()); err != nil {
		return err
	}
	a.blobs = a.documents
	if err := a.openInstitutions(ctx); err != nil {
		return err
	}
	if err := a.openAuthority(); err != nil {
		return err
	}
	if err := a.takeOverJobs(ctx); err != nil {
		return err
	}
	last, err := a.store.LastEvent(ctx)
	if err != nil {
		return err
	}
	a.health = health.New(health.HomeSource{Store: a.store, Home: a.Home, Institutions: a.institutions, Now: a.Now}, a.Build)
	a.health.CountEventsAfter(last)
	if err := a.wire(ctx); err != nil {
		return err
	}
	a.suspensions.Check(ctx)
	a.showKeyEnds()
	if a.recorded, err = lastRecorded(ctx, a.store, a.institutions.IDs()); err != nil {
		return err
	}
	a.checkClock()
	if err := a.Admin.FinishRotation(ctx); err != nil {
		return err
	}
	a.pages, err = a.newPages()
	return err
}

// takeOverJobs names this run as the owner of what it will claim, and gives back what an
// earlier one had claimed: the home is this process's alone.
func (a *Agent) takeOverJobs(ctx context.Context) (err error) {
	if a.owner, err = vault.NewUUID(a.Random, a.Now()); err != nil {
		return err
	}
	n, err := a.store.RequeueOrphaned(ctx, nil, a.Now())
	if err != nil {
		return fmt.Errorf("taking over jobs of an earlier run: %w", err)
	}
	if n > 0 {
		a.Log.Info("jobs of an earlier run were taken over", "jobs", n)
	}
	return nil
}

func (a *Agent) wire(ctx context.Context) (err error) {
	if a.ImageToPDF == nil {
		a.ImageToPDF = pdf.FromImage
	}
	a.wireDisk()
	a.erasures = home.NewErasureLedger(a.Home, a.Random)
	a.intake = &intake.Intake{Erasures: a.erasures, Store: a.store, Blobs: a.blobs, Templates: a.templateDir(), Disk: a.disk, Institutions: a.institutions,
		SharedAddresses: a.config.Issuing.SharedAddresses, Now: a.Now, Random: a.Random}
	a.uploads = intake.NewUploads(a.intake, a.store)
	a.exporter = &results.Exporter{Updates: a.store, Blobs: a.blobs, Keep: results.Keep(a.config.Results.Keep)}
	if err := a.wireLogs(); err != nil {
		return err
	}
	if a.badges, err = a.newBadges(); err != nil {
		return err
	}
	signer := &signing.Signer{Forks: a.forks, Cosigned: a.witnesses != nil,
		Blobs: a.blobs, Institutions: a.institutions, Now: a.Now, Log: a.Log,
		ImageToPDF: a.ImageToPDF, MailHold: a.config.Mail.Hold, RequireTimestamp: a.config.Signing.RequireTimestamp, Level: a.config.Signing.SealLevel()}
	work := signing.Options{
		Owner: a.owner, Workers: a.signingWorkers(), Now: a.Now, Log: a.Log, OnSettled: a.notifySettled, OnError: a.disk.ReportError, Busy: a.uploads.Busy,
		Holds:   signing.NewHolds(health.Alarm{Health: a.health, Name: "signing"}),
		Observe: func(r signing.Result, took time.Duration) { a.health.CountAttempt(string(r), took) },
	}
	a.processor = signing.New(a.store, signer.Sign, work)
	if err := a.openRelay(ctx, work); err != nil {
		return err
	}
	a.disk.Work = a.signingWork()
	if err := a.wireTimestamps(); err != nil {
		return err
	}
	a.mailQueue = a.newMailQueue()
	a.Applications = a.newApplicationService()
	a.cleaner.Store, a.cleaner.HomeID = a.store, a.institutions.HomeID()
	a.cleaner.Evidence = applications.EvidenceCleaner{Store: a.store, Institutions: a.institutions, Now: a.Now}
	a.secretStore = home.NewSecretStore(a.Home, a.Now, a.Random)
	a.wireWebhooks()
	a.remote = remotebulk.NewRegistry(a.Home.Remote())
	if a.batches, err = a.newIssuer(); err != nil {
		return err
	}
	a.Admin = a.newAdmin()
	a.api = a.newAPI()
	return nil
}

// Run works until ctx ends, then finishes what is in hand and returns. It ends with an error when
// the database or the documents cannot be written durably any more.
func (a *Agent) Run(ctx context.Context) error {
	a.renewKeys(ctx) // before anything is signed
	a.showKeyEnds()
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return a.runSigning(ctx) })
	work.Go(func() error { return a.runTimestamps(ctx) })
	work.Go(func() error { return a.preserve.Run(ctx) })
	work.Go(func() error { return a.enterStatements(ctx) })
	work.Go(func() error { return a.compareLogs(ctx) })
	work.Go(func() error { return a.addCosignatures(ctx) })
	erased := make(chan struct{}) // closed when nobody who was erased is in the home
	work.Go(func() error { return after(ctx, erased, a.mailQueue.Run) })
	work.Go(func() error { return a.sweep(ctx) })
	work.Go(func() error { return after(ctx, erased, a.dispatcher.Run) })
	work.Go(func() error { return a.dispatcher.Follow(ctx, &a.events) })
	work.Go(func() error { return a.disk.Watch(ctx) })
	work.Go(func() error { return a.cleaner.Run(ctx) })
	work.Go(func() error { return a.runDigest(ctx) })
	work.Go(func() error { return a.newExpiryReminders().Run(ctx) })
	work.Go(func() error { return a.runKeyEnds(ctx) })
	work.Go(func() error { return a.runClock(ctx) })
	work.Go(func() error { return a.finishErasure(ctx, erased) })
	work.Go(func() error { return unlessEnded(ctx, a.store.WaitFailure(ctx)) })
	work.Go(func() error { return unlessEnded(ctx, a.documents.WaitFailure(ctx)) })
	return work.Wait()
}

// unlessEnded is an error that is not the end of ctx.
func unlessEnded(ctx context.Context, err error) error {
	if errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// sweep deletes uploads that nobody used in time, and removes documents that no record
// names: one part of the documents at a time, all of them in an hour, so that a large home
// costs little at any moment. The clock says which part, so that commands that run for
// moments reach all of them too.
func (a *Agent) sweep(ctx context.Context) error {
	const step = sweepAge / blob.Parts
	tick := time.NewTicker(step)
	defer tick.Stop()
	var forgot time.Time
	for {
		if a.Now().Sub(forgot) >= sweepAge {
			forgot = a.Now()
			if _, err := a.store.DeleteExpired(ctx, forgot); err != nil && ctx.Err() == nil {
				a.Log.Error("forgetting old uploads failed", "error", err)
			}
		}
		now := time.Now()
		part := int(now.Unix()/int64(step/time.Second)) % blob.Parts
		n, err := a.blobs.Sweep(ctx, part, now.Add(-sweepAge), a.store.BlobReferenced)
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

// erasureRetry is the pause before people are erased again whom a restored backup has.
const erasureRetry = time.Minute

// finishErasure overwrites what an erasure that was interrupted left in the database. It closes
// erased once nobody who was erased is in the home: after a restore that takes until all of them
// were erased again, and nobody is told anything before.
func (a *Agent) finishErasure(ctx context.Context, erased chan<- struct{}) error {
	alarm := health.Alarm{Health: a.health, Name: "erasures"}
	for {
		pending, err := a.Admin.ErasuresArePending()
		if err == nil && !pending {
			break
		}
		if err == nil {
			err = a.Admin.FinishErasure(ctx)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			a.Log.Error("people who were erased may be in the restored home; mails and webhooks wait until they are erased again", "error", err)
			alarm.Raise("people who were erased may be in the restored home; mails and webhooks wait until they are erased again, which is tried every minute; the log says why it fails")
			if wake.Sleep(ctx, erasureRetry) != nil {
				return nil
			}
		}
	}
	alarm.Clear()
	close(erased)
	if err := a.Admin.FinishErasure(ctx); err != nil && ctx.Err() == nil {
		a.Log.Error("what was erased is not overwritten in the database; it is tried again at the next start", "error", err)
	}
	return nil
}

// after runs a part of the agent once a channel is closed.
func after(ctx context.Context, begin <-chan struct{}, run func(context.Context) error) error {
	select {
	case <-ctx.Done():
		return nil
	case <-begin:
		return run(ctx)
	}
}

// Close lets go of the home. Run must have returned.
func (a *Agent) Close() error {
	a.Home.RemoveLockInfo()
	closed := a.closeRelay()
	if a.institutions != nil {
		closed = errors.Join(closed, a.institutions.Close())
	}
	return errors.Join(closed, a.store.Close())
}
