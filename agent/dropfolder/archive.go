package dropfolder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/dropfolder/staging"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/manifest"
)

// takeArchives takes the zips that have arrived: each is a batch by itself. One that cannot be
// one is refused.
func (w *Watcher) takeArchives(ctx context.Context, root *os.Root, now time.Time) {
	var names []string
	for name, s := range w.observed {
		if manifest.IsArchive(name) && w.hasOwner(name) && s.Arrived(now, w.Settle) && !now.Before(w.archiveRetry[name]) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		as := w.observed[name].FileID
		delete(w.archiveRetry, name)
		r, err := w.readArchive(root, name, as, now)
		if err == nil {
			err = w.stageArchive(root, r)
		}
		switch {
		case err == nil, errors.Is(err, staging.ErrChanged): // the next look sees it as it is now
			continue
		case fault.Is(err, fault.Invalid):
			if err = w.refuse(ctx, root, name, as, err); err == nil {
				w.forgetFile(name)
				continue
			}
		}
		w.Log.Error("a zip in the drop folder cannot be taken; it is tried again every 10 seconds", "zip", name, "error", err)
		w.archiveRetry[name] = now.Add(retryDelay)
	}
}

func (w *Watcher) stageArchive(root *os.Root, r staging.Record) error {
	s, err := w.stage(root, r)
	if err != nil {
		return err
	}
	w.markTaken(r.Files)
	w.Log.Info("a zip was taken out of the drop folder", "zip", r.Archive, "manifest", r.Manifest, "missing", len(r.Lost))
	w.enqueue(s)
	return nil
}

// readArchive looks into a zip and says what its batch is.
func (w *Watcher) readArchive(root *os.Root, name string, as staging.FileID, now time.Time) (staging.Record, error) {
	none := staging.Record{}
	owner, _ := w.ownerOf(name)
	f, err := root.OpenFile(filepath.FromSlash(name), staging.OpenFlags, 0)
	if err != nil {
		return none, fsutil.DiskError(err, "reading a zip")
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || staging.FileIDOf(info) != as {
		return none, staging.ErrChanged
	}
	base := strings.ToValidUTF8(path.Base(name), "_")
	archive, err := manifest.OpenArchive(f, as.Size, base)
	if err != nil {
		return none, err
	}
	body, err := archive.ReadManifest()
	if err != nil {
		return none, err
	}
	beside, err := archive.ReadAnswers()
	if err != nil {
		return none, err
	}
	answers, err := ParseAnswers(beside)
	if err != nil {
		return none, err
	}
	m, err := w.readManifest(owner.Institution, body, path.Base(archive.Manifest), answers)
	if err != nil {
		return none, err
	}
	lost := map[int]string{}
	for _, problem := range manifest.MatchFiles(m, archive.Documents()).Problems {
		lost[problem.Row] = problem.String()
	}
	folder := path.Dir(name)
	if inner := path.Dir(archive.Manifest); inner != "." {
		folder = path.Join(folder, inner)
	} else {
		folder = path.Join(folder, strings.TrimSuffix(base, path.Ext(base)))
	}
	return staging.Record{
		Manifest: path.Base(archive.Manifest), Folder: folder, Digest: fmt.Sprintf("%x", m.Digest), Institution: owner.Institution, Taken: now,
		Lost: lost, Archive: base, Files: []staging.File{{From: name, To: staging.ArchiveTarget(base), ID: as, Folder: w.folderID(name)}},
	}, nil
}
