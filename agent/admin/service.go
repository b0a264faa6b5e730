// Package admin is what the staff of an institution see and do: one service, with one
// file for each noun.
package admin

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/agent/applications"
	"github.com/vecctl/vecctl/agent/badges"
	"github.com/vecctl/vecctl/agent/batch"
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
	"github.com/vecctl/vecctl/agent/webhooks"
	"github.com/vecctl/vecctl/authority/service"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// Options are the parts of the agent that staff work with.
type Options struct {
	Home         home.Dir
	Store        store.Store
	Blobs        blob.Store
	Documents    *results.Exporter
	Badges       *badges.Service
	Institutions *institutions.Registry
	Uploads      *intake.Uploads
	Applications *applications.Service
	Batches      *batch.Issuer
	Mails        *mailer.Queue
	Composer     *mailer.Composer
	Dispatcher   *webhooks.Dispatcher
	Suspensions  *webhooks.SuspensionAlarm
	// WebhookClient judges the addresses of webhooks; AllowPrivateWebhooks says that it
	// also calls private ones.
	WebhookClient        *ssrf.Client
	AllowPrivateWebhooks bool
	Secrets              *home.SecretStore
	Erasures             *home.ErasureLedger
	Preserve             *signing.PreserveQueue
	Authority            *service.Keyring
	Retention            *retention.Cleaner
	Logs                 *tlog.Comparison // of the logs with what is known of them elsewhere
	Health               *health.Health
	Disk                 *health.DiskMonitor
	Events               *events.Bus
	// DropFolder points to the watched drop folder; to nil while none is watched.
	DropFolder *atomic.Pointer[dropfolder.Watcher]
	// Work is woken when there may be new jobs and staff's view may have changed.
	Work wake.Waker
	// Relay is the address of the vault that issues in the home's place; "" for none.
	Relay  string
	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger
}

// Service is what staff see and do. It serves the staff of the institution that the context
// names, and is safe for concurrent use.
type Service struct {
	home         home.Dir
	relay        string
	store        store.Store
	blobs        blob.Store
	documents    *results.Exporter
	badges       *badges.Service
	institutions *institutions.Registry
	uploads      *intake.Uploads
	applications *applications.Service
	batches      *batch.Issuer
	mailQueue    *mailer.Queue
	composer     *mailer.Composer
	dispatcher   *webhooks.Dispatcher
	suspensions  *webhooks.SuspensionAlarm

	webhookClient        *ssrf.Client
	allowPrivateWebhooks bool

	erasures   *home.ErasureLedger
	secrets    *home.SecretStore
	rotating   sync.Mutex // serialises rotations of the secrets' key
	reapplying sync.Mutex // serialises erasures of whom a restored backup has
	preserve   *signing.PreserveQueue
	authority  *service.Keyring
	retention  *retention.Cleaner
	logs       *tlog.Comparison
	health     *health.Health
	disk       *health.DiskMonitor
	events     *events.Bus
	dropFolder *atomic.Pointer[dropfolder.Watcher]
	work       wake.Waker
	now        func() time.Time
	random     io.Reader
	log        *slog.Logger
}

// New makes the service; it starts nothing.
func New(o Options) *Service {
	return &Service{
		home: o.Home, relay: o.Relay, store: o.Store, blobs: o.Blobs, documents: o.Documents, badges: o.Badges, institutions: o.Institutions, uploads: o.Uploads, applications: o.Applications, batches: o.Batches, mailQueue: o.Mails, composer: o.Composer,
		dispatcher: o.Dispatcher, suspensions: o.Suspensions, webhookClient: o.WebhookClient, allowPrivateWebhooks: o.AllowPrivateWebhooks,
		secrets: o.Secrets, erasures: o.Erasures, preserve: o.Preserve, authority: o.Authority, retention: o.Retention, logs: o.Logs,
		health: o.Health, disk: o.Disk, events: o.Events, dropFolder: o.DropFolder, work: o.Work,
		now: o.Now, random: o.Random, log: o.Log,
	}
}

// institutionID returns the institution for whose staff something is done.
func (s *Service) institutionID(ctx context.Context) uint32 { return s.institutions.Acting(ctx).ID }

// toAPI returns a certificate as the API shows it.
func (s *Service) toAPI(c vault.Certificate) client.Certificate {
	at, _ := s.institutions.ByID(c.Institution) // UTC for one that is missing
	return client.FromVault(s.institutions.Links(), at.Zone(), c)
}
