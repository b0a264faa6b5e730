package agent

import (
	"path/filepath"

	"github.com/vecctl/vecctl/agent/api"
	"github.com/vecctl/vecctl/agent/dossier"
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

func (a *Agent) erasures() *erasure.Eraser {
	return &erasure.Eraser{
		Records: a.store, Documents: a.blobs, Institution: a.currentID, Institutions: a.seats.IDs,
		Outcomes: func(gone []vault.Certificate) (int, error) { return outcome.Erase(a.Home.Verified(), gone) },
		MailFile: func(id uint64) string { return filepath.Join(a.Home.Mail(), post.SpoolFile(id)) },
		News:     a.feed.News, Now: a.Now,
	}
}
