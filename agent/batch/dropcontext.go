package batch

import (
	"context"
	"os"
	"slices"
	"time"

	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/manifest"
)

// DropContext is what the drop folder says of a batch of its own.
type DropContext struct {
	Folder string         // in the drop folder, where the manifest lay; "." for the drop folder itself
	Begun  time.Time      // when it was first tried; a certificate made since is this drop's
	Lost   map[int]string // rows whose document is not among the files, and why
}

// resolveMissingDocuments settles the rows of a dropped batch that have no document: either they
// need none, or the drop folder knows best why it is missing.
func (r *run) resolveMissingDocuments(ctx context.Context) error {
	if r.drop == nil {
		return nil
	}
	files, err := os.OpenRoot(r.request.Files)
	if err != nil {
		return fsutil.DiskError(err, "looking for the documents of a batch")
	}
	defer files.Close()
	listed, err := intake.ListFiles(files)
	if err != nil {
		return err
	}
	there := manifest.MatchFiles(r.manifest, listed).ByRow
	issued, err := r.issuedRows(ctx, r.institution, r.manifest)
	if err != nil {
		return err
	}
	for _, c := range r.candidates {
		if there[c.Row.Number] != "" || len(c.Row.Problems) > 0 {
			continue
		}
		if holder := issued[c.Row.Number]; holder != nil {
			c.Problems, c.Certificate = nil, holder
		} else if reason := r.drop.Lost[c.Row.Number]; reason != "" {
			c.Problems = []string{reason}
		}
	}
	return nil
}

// adviseForDropFolder puts advice that the drop folder can follow in the place of flags.
func (r *run) adviseForDropFolder() {
	advise := func(texts []string) []string {
		for i := range texts {
			texts[i] = manifest.FileAdvice(texts[i])
		}
		return texts
	}
	for _, c := range r.candidates {
		c.Problems = advise(slices.Clone(c.Problems))
	}
	r.notes, r.warnings = advise(slices.Clone(r.notes)), advise(slices.Clone(r.warnings))
}

// claimEarlier counts what this drop has made before it was interrupted as made by it.
func (r *run) claimEarlier() {
	if r.drop == nil {
		return
	}
	for _, c := range r.candidates {
		if c.Certificate != nil && c.Certificate.Batch == r.batch.ID && !c.Certificate.CreatedAt.Before(r.drop.Begun) {
			c.New = true
		}
	}
}
