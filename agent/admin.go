package agent

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/vecctl/vecctl/agent/admin"
	"github.com/vecctl/vecctl/agent/dropfolder/staging"
	"github.com/vecctl/vecctl/agent/mailer"
	"github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

// toAPI returns a certificate as the API shows it.
func (a *Agent) toAPI(c vault.Certificate) client.Certificate {
	return client.FromVault(a.institutions.Links(), c)
}

// newAdmin makes what staff see and do.
func (a *Agent) newAdmin() *admin.Service {
	return admin.New(admin.Options{
		Home: a.Home, Store: a.store, Institutions: a.institutions, Uploads: a.uploads, Batches: a.batches, Mails: a.mailQueue, Composer: a.newComposer(),
		Dispatcher: a.dispatcher, Suspensions: a.suspensions, WebhookClient: a.webhookClient, AllowPrivateWebhooks: a.config.Webhooks.AllowPrivate,
		Secrets: a.secretStore, Authority: a.certAuthority.ring,
		Health: a.health, Disk: a.disk, Events: &a.events, DropFolder: &a.dropFolder, Work: a.work(),
		Now: a.Now, Random: a.Random, Log: a.Log,
	})
}

// dropInProgress reports whether a batch is still being issued from the drop folder.
func (a *Agent) dropInProgress(ctx context.Context, institution uint32, batch string) (bool, error) {
	b, err := a.store.Batch(ctx, institution, batch)
	if err != nil || b.Digest == "" {
		return false, err
	}
	return staging.InProgress(a.Home.Incoming(), b.Digest)
}

// eraseResults removes what was written out of certificates of one institution, first
// that of dropped batches: what is moved meanwhile is found where it goes.
func (a *Agent) eraseResults(institution uint32, gone []vault.Certificate) (int, error) {
	growing, err := staging.ResultFolders(a.Home.Incoming())
	if err != nil {
		return 0, err
	}
	removed := 0
	for _, folder := range growing {
		n, err := results.EraseIn(folder, gone)
		removed += n
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, err
		}
	}
	n, err := results.EraseAll(a.Home.ResultsFolder(institution), gone)
	return removed + n, err
}

func (a *Agent) eraser() *admin.Eraser {
	return &admin.Eraser{
		Store: a.store, Documents: a.blobs, Institution: a.currentID, Institutions: a.institutions.IDs,
		EraseResults: a.eraseResults, InProgress: a.dropInProgress,
		MailFile: func(id uint64) string { return filepath.Join(a.Home.Mail(), mailer.SpoolFile(id)) },
		Changed:  a.events.PublishChange, Now: a.Now,
	}
}
