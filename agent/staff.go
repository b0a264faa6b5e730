package agent

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/vecctl/vecctl/agent/api"
	"github.com/vecctl/vecctl/agent/dossier"
	underway "github.com/vecctl/vecctl/agent/drop/incoming"
	"github.com/vecctl/vecctl/agent/erasure"
	"github.com/vecctl/vecctl/agent/failures"
	"github.com/vecctl/vecctl/agent/feed"
	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/agent/outcome"
	"github.com/vecctl/vecctl/agent/post"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

// shape makes what says a certificate as the API does.
func (a *Agent) shape() func(vault.Certificate) client.Certificate {
	return a.business(api.Limits{}).Shape
}

func (a *Agent) failures() *failures.Failures {
	return &failures.Failures{Records: a.store, Institution: a.currentID, Shape: a.shape(), Wake: a.wake, Now: a.Now}
}

func (a *Agent) dossier() *dossier.Dossier {
	mender := &intake.Mender{Uploads: a.uploads, Records: a.store, Current: a.Institution, Accepting: a.Accepting}
	return &dossier.Dossier{
		Records: a.store, Institution: a.currentID, Succeed: mender.Succeed, Shape: a.shape(), ShapeEvent: feed.ShapeEvent,
		Mailed: func() { a.feed.News(); a.post.Wake() }, Wake: a.wake, Now: a.Now, Random: a.Random,
	}
}

// underway tells whether a batch is still being issued from the drop folder.
func (a *Agent) underway(ctx context.Context, institution uint32, batch string) (bool, error) {
	b, err := a.store.Batch(ctx, institution, batch)
	if err != nil || b.Digest == "" {
		return false, err
	}
	return underway.Underway(a.Home.Incoming(), b.Digest)
}

// eraseOutcomes removes what was written out of certificates of one institution, first
// that of dropped batches: what is moved meanwhile is found where it goes.
func (a *Agent) eraseOutcomes(institution uint32, gone []vault.Certificate) (int, error) {
	growing, err := underway.Outcomes(a.Home.Incoming())
	if err != nil {
		return 0, err
	}
	removed := 0
	for _, folder := range growing {
		n, err := outcome.EraseIn(folder, gone)
		removed += n
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, err
		}
	}
	n, err := outcome.Erase(a.verified(institution), gone)
	return removed + n, err
}

func (a *Agent) erasures() *erasure.Eraser {
	return &erasure.Eraser{
		Records: a.store, Documents: a.blobs, Institution: a.currentID, Institutions: a.seats.IDs,
		Outcomes: a.eraseOutcomes, Underway: a.underway,
		MailFile: func(id uint64) string { return filepath.Join(a.Home.Mail(), post.SpoolFile(id)) },
		News:     a.feed.News, Now: a.Now,
	}
}
