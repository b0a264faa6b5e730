package drop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/vecctl/vecctl/agent/drop/incoming"
	"github.com/vecctl/vecctl/agent/drop/move"
	"github.com/vecctl/vecctl/agent/drop/sight"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest"
)

const (
	rescan  = 60 * time.Second // between looks at the latest, whatever events say
	retry   = 10 * time.Second // after trouble that may pass
	absence = 2 * time.Second  // between looks for a folder that is not there
)

// look looks at the whole folder, takes the batches that are ready, and returns
// when the next look is due at the latest.
func (w *Watcher) look(ctx context.Context) time.Time {
	now := w.Now()
	root, l, err := w.list()
	if err != nil {
		w.lost(err)
		return now.Add(absence)
	}
	defer root.Close()
	w.seen.Update(l.Files, now)
	w.folders.Update(l.Folders, now)
	w.read(root, now)
	plans := w.plan(ctx, now)
	w.take(plans, now)
	w.removeEmptied(now)
	w.show(plans, now)
	return w.nextLook(plans, now)
}

// list looks at the folder, which may have come, gone or been replaced.
func (w *Watcher) list() (*os.Root, sight.Listing, error) {
	root, err := os.OpenRoot(w.Folder)
	if err != nil {
		return nil, sight.Listing{}, err
	}
	info, err := root.Stat(".")
	var l sight.Listing
	if err == nil {
		l, err = sight.List(root)
	}
	if err != nil {
		return nil, l, errors.Join(err, root.Close())
	}
	if w.root != nil && !os.SameFile(w.root, info) {
		w.Log.Warn("the drop folder is another one than before: replaced or mounted; it is watched as it is now", "folder", w.Folder)
	}
	w.root = info
	w.checkMount(info)
	return root, l, nil
}

// checkMount tells of a file system that was mounted at the folder and is no more:
// what lies there then is an empty folder that nobody drops anything into.
func (w *Watcher) checkMount(info os.FileInfo) {
	if parent, err := os.Stat(filepath.Dir(w.Folder)); err == nil {
		mounted := move.StampOf(parent).ID.Device != move.StampOf(info).ID.Device
		w.mounted = w.mounted || mounted
		if w.mounted && !mounted {
			text := fmt.Sprintf("nothing is mounted at the drop folder %s any more; mount it again, or start the agent again if it is meant so", w.Folder)
			if w.setTrouble(text) {
				w.Log.Error(text)
			}
			return
		}
	}
	if w.setTrouble("") {
		w.Log.Info("the drop folder is there again and is watched", "folder", w.Folder)
	}
}

// lost notes that the folder cannot be looked at. What was seen counts no more:
// who knows what happens meanwhile.
func (w *Watcher) lost(err error) {
	clear(w.seen)
	clear(w.folders)
	clear(w.manifests)
	w.root = nil
	text := fmt.Sprintf("the drop folder %s cannot be read (%v); make it again, mount it or mend its rights: it is watched as soon as it is back", w.Folder, cause(err))
	if w.setTrouble(text) {
		w.Log.Error(text)
	}
	w.show(nil, w.Now())
}

// cause is what the system says, without the path, which stands beside it.
func cause(err error) error {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return pe.Err
	}
	return err
}

// read reads the manifests that have arrived; those that are none are refused.
func (w *Watcher) read(root *os.Root, now time.Time) {
	maps.DeleteFunc(w.manifests, func(name string, p *pending) bool { return w.seen[name].Stamp != p.stamp })
	for name, s := range w.seen {
		before := w.manifests[name]
		if before != nil && !before.again(now) || !isManifest(name) || !s.Arrived(now, w.Settle) {
			continue
		}
		body, err := readWhole(root, name, s.Stamp)
		if errors.Is(err, move.ErrChanged) {
			continue
		}
		p := &pending{name: name, stamp: s.Stamp, since: s.Since}
		if err == nil {
			p.manifest, err = manifest.Read(body, manifest.Options{Name: path.Base(name), MaxRows: manifest.LargestMaxRows})
		}
		if fault.Is(err, fault.Invalid) {
			err = w.refuse(name, s.Stamp, err)
			if err == nil {
				w.forget(name)
				continue
			}
		}
		if err != nil {
			if before == nil {
				w.Log.Error("a manifest in the drop folder cannot be taken; it is tried again every 10 seconds", "manifest", name, "error", err)
			}
			p.manifest, p.trouble, p.retryAt = nil, saying(err), now.Add(retry)
		}
		w.manifests[name] = p
	}
}

// saying is what a person may read of an error.
func saying(err error) string {
	if message, ok := fault.Message(err); ok {
		return message
	}
	return cause(err).Error()
}

// largestManifest bounds what is read of a manifest.
const largestManifest = 64 << 20

// readWhole reads a file that must be the one that was seen, before and after.
func readWhole(root *os.Root, name string, as move.Stamp) ([]byte, error) {
	f, err := root.OpenFile(filepath.FromSlash(name), move.OpenFlags, 0)
	if err != nil {
		return nil, blob.DiskError(err, "reading a manifest")
	}
	defer f.Close()
	same := func() error {
		info, err := f.Stat()
		if err != nil || !info.Mode().IsRegular() || move.StampOf(info) != as {
			return move.ErrChanged
		}
		return nil
	}
	if err := same(); err != nil {
		return nil, err
	}
	if as.Size > largestManifest {
		return nil, fault.Newf(fault.Invalid, "%s: the manifest is larger than 64 MB; cut it into several", path.Base(name))
	}
	body, err := io.ReadAll(io.LimitReader(f, as.Size+1))
	if err != nil {
		return nil, blob.DiskError(err, "reading a manifest")
	}
	return body, same()
}

// refuse moves a file to the failed folder, with the reason beside it. The note
// comes first: a file is never there without it.
func (w *Watcher) refuse(name string, as move.Stamp, why error) error {
	to := move.Free(w.Failed, path.Base(name))
	text := fmt.Sprintf("%s\n\nNothing was issued. Mend the file, then put it into the drop folder again.\n", saying(why))
	if err := move.WriteText(to+incoming.ReasonSuffix, text); err != nil {
		return err
	}
	from := filepath.Join(w.Folder, filepath.FromSlash(name))
	if err := move.Files([]move.Leg{{From: from, To: to, As: &as}}); err != nil {
		return errors.Join(err, os.Remove(to+incoming.ReasonSuffix))
	}
	if move.Exists(from + incoming.ReasonSuffix) { // of an earlier refusal; the new one replaces it
		_ = os.Remove(from + incoming.ReasonSuffix)
	}
	w.Log.Warn("a manifest was refused", "manifest", name, "reason", to+incoming.ReasonSuffix)
	return nil
}

// forget notes that a file was taken out of the folder.
func (w *Watcher) forget(name string) {
	delete(w.seen, name)
	delete(w.manifests, name)
	for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
		w.emptied[folder] = true
	}
}

// removeEmptied removes folders that are empty since files were taken out of
// them, innermost first. One that has changed lately may have more to come.
func (w *Watcher) removeEmptied(now time.Time) {
	names := slices.Sorted(maps.Keys(w.emptied))
	slices.Reverse(names)
	for _, name := range names {
		if s, there := w.folders[name]; there && !s.Settled(now, w.Settle) {
			continue
		}
		delete(w.emptied, name)
		// One that is not empty stays, and that is no error.
		_ = os.Remove(filepath.Join(w.Folder, filepath.FromSlash(name)))
	}
}

// nextLook is when something will have settled or will have waited long enough.
func (w *Watcher) nextLook(plans map[string]plan, now time.Time) time.Time {
	next := now.Add(rescan)
	sooner := func(t time.Time) {
		if t.After(now) && t.Before(next) {
			next = t
		}
	}
	sooner(w.seen.NextSettled(now, w.Settle))
	if len(w.emptied) > 0 {
		sooner(w.folders.NextSettled(now, w.Settle))
	}
	for name, p := range w.manifests {
		sooner(p.retryAt)
		if made, ok := plans[name]; ok {
			sooner(made.due(w.Wait))
		}
	}
	return next
}
