package dropfolder

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/dropfolder/staging"
)

// plan finds out what each manifest would take along.
func (w *Watcher) plan(ctx context.Context, now time.Time) map[string]plan {
	plans := map[string]plan{}
	if len(w.manifests) == 0 {
		return plans
	}
	names := slices.Sorted(maps.Keys(w.observed))
	for name, p := range w.manifests {
		if p.manifest == nil {
			continue
		}
		owner, _ := w.ownerOf(name)
		made := p.plan(names, w.observed, now, w.Settle)
		w.findSetAsideDocuments(owner, p.manifest, &made)
		if len(made.lost) > 0 {
			issued, err := w.Issuer.Issued(ctx, owner.Institution, p.manifest)
			if err != nil {
				w.Log.Error("looking for what a manifest has issued failed", "manifest", name, "error", err)
			}
			made.dropIssued(issued)
		}
		plans[name] = made
	}
	return plans
}

// takeReady takes the batches that are ready out of the folder.
func (w *Watcher) takeReady(root *os.Root, plans map[string]plan, now time.Time) {
	claims := map[string]int{} // manifests that name a file
	for name, made := range plans {
		if w.givesWay(name) {
			continue
		}
		for _, file := range made.files {
			claims[file]++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(plans)) {
		made, p := plans[name], w.manifests[name]
		if p == nil {
			continue // another manifest has taken it for a document
		}
		if !made.ready(now, w.Wait) || now.Before(p.retryAt) || w.locked[name] || w.givesWay(name) {
			continue
		}
		r := w.newRecord(p, made, claims, now)
		s, err := w.stage(root, r)
		if errors.Is(err, staging.ErrChanged) {
			continue // the next look sees it as it is now
		}
		if err != nil {
			if p.trouble == "" {
				w.Log.Error("a batch cannot be taken out of the drop folder; it is tried again every 10 seconds", "manifest", name, "error", err)
			}
			p.retryAt, p.trouble = now.Add(retryDelay), publicMessage(err)
			continue
		}
		w.markTaken(r.Files)
		for _, file := range made.files {
			claims[file]--
		}
		w.Log.Info("a batch was taken out of the drop folder", "manifest", name,
			"rows", len(p.manifest.Rows), "documents", len(made.files), "missing", len(made.lost))
		w.enqueue(s)
	}
}

// markTaken notes that files were taken from where they lay.
func (w *Watcher) markTaken(files []staging.File) {
	for _, f := range files {
		switch {
		case f.Keep:
		case filepath.IsAbs(f.From):
			folder := filepath.Dir(f.From)
			for !w.isFailedFolder(folder) && os.Remove(folder) == nil { // goes when it is empty
				folder = filepath.Dir(folder)
			}
		default:
			w.forgetFile(f.From)
		}
	}
}

// newRecord says what a batch takes along: the documents, notes of an earlier
// refusal beside them, and last the manifest.
func (w *Watcher) newRecord(p *pending, made plan, claims map[string]int, now time.Time) staging.Record {
	// Records are JSON, which keeps no name that is not UTF-8.
	base := strings.ToValidUTF8(path.Base(p.name), "_")
	owner, _ := w.ownerOf(p.name)
	r := staging.Record{
		Manifest: base, Folder: path.Dir(p.name), Digest: fmt.Sprintf("%x", p.manifest.Digest),
		Institution: owner.Institution, Taken: now, Lost: made.lost,
	}
	add := func(from, to string, keep bool) {
		as, there := w.fileID(from)
		if !there {
			return
		}
		if note, there := w.fileID(from + staging.ReasonSuffix); there && !keep {
			r.Files = append(r.Files, staging.File{From: from + staging.ReasonSuffix, To: staging.NoteTarget(len(r.Files)), ID: note, Folder: w.folderID(from)})
		}
		r.Files = append(r.Files, staging.File{From: from, To: to, ID: as, Keep: keep, Folder: w.folderID(from)})
	}
	for _, file := range slices.Sorted(maps.Keys(made.files)) {
		from := made.files[file]
		if from == p.name {
			continue // a row that names the manifest itself
		}
		add(from, staging.DocumentTarget(file), claims[from] > 1)
	}
	if twin := w.twinOf(p.name); twin != "" { // the same rows again
		add(twin, staging.NoteTarget(len(r.Files)), false)
	}
	if p.answers != (staging.FileID{}) {
		// Answers in the drop folder itself are for whatever comes there.
		add(answersBeside(p.name), staging.AnswersTarget, path.Dir(p.name) == "." || w.manifestsIn(path.Dir(p.name)) > 1)
	}
	add(p.name, staging.ManifestTarget(base), false)
	return r
}

// manifestsIn counts the manifests that lie in a folder.
func (w *Watcher) manifestsIn(folder string) int {
	n := 0
	for name := range w.observed {
		if isManifest(name) && path.Dir(name) == folder {
			n++
		}
	}
	return n
}

// fileID is what a file was when it was seen; those that were set aside are
// looked at now.
func (w *Watcher) fileID(name string) (staging.FileID, bool) {
	if filepath.IsAbs(name) {
		info, err := os.Lstat(name)
		if err != nil || !info.Mode().IsRegular() {
			return staging.FileID{}, false
		}
		return staging.FileIDOf(info), true
	}
	s, there := w.observed[name]
	return s.FileID, there && s.Note == ""
}

// folderID is the folder in which a file of the drop folder was seen; nil for those
// that were set aside, which lie in a folder of our own.
func (w *Watcher) folderID(name string) *staging.InodeID {
	s, there := w.folders[path.Dir(name)]
	if !there || filepath.IsAbs(name) {
		return nil
	}
	return &s.Inode
}

// stage moves a batch into its own folder. What cannot be moved as a whole is
// put back.
func (w *Watcher) stage(root *os.Root, r staging.Record) (*stagedBatch, error) {
	b, err := staging.NewBatch(w.Incoming, r)
	if err != nil {
		return nil, err
	}
	if err := b.MoveFiles(root); err != nil {
		return nil, errors.Join(err, b.PutBack(root, w.failedOf(r.Institution), &w.made))
	}
	return &stagedBatch{Batch: b}, nil
}
