package dropfolder

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
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/dropfolder/staging"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/manifest"
)

const (
	rescanInterval    = 60 * time.Second // between looks at the latest, whatever events say
	retryDelay        = 10 * time.Second // after trouble that may pass
	missingFolderPoll = 2 * time.Second  // between looks for a folder that is not there
)

// scan looks at the whole folder, takes the batches that are ready, and returns
// when the next look is due at the latest.
func (w *Watcher) scan(ctx context.Context) time.Time {
	now := w.Now()
	root, l, err := w.listFolder()
	if err != nil {
		w.folderUnavailable(err)
		return now.Add(missingFolderPoll)
	}
	defer root.Close()
	w.updateOwners(root)
	w.observed.Update(l.Files, now)
	w.folders.Update(l.Folders, now)
	w.locked = l.Locked
	w.readManifests(ctx, root, now)
	plans := w.plan(ctx, now)
	w.takeReady(root, plans, now)
	w.takeArchives(ctx, root, now)
	w.removeEmptied(root, now)
	w.updateStatus(plans, now)
	return w.nextScan(plans, now)
}

// listFolder looks at the folder, which may have come, gone or been replaced.
func (w *Watcher) listFolder() (*os.Root, Snapshot, error) {
	root, err := os.OpenRoot(w.Folder)
	if err != nil {
		return nil, Snapshot{}, err
	}
	info, err := root.Stat(".")
	var l Snapshot
	if err == nil {
		l, err = TakeSnapshot(root)
	}
	if err != nil {
		return nil, l, errors.Join(err, root.Close())
	}
	if w.root != nil && !os.SameFile(w.root, info) {
		w.Log.Warn("the drop folder was replaced, or something was mounted over it; it is watched as it is now", "folder", w.Folder)
	}
	w.root = info
	w.checkMount(info)
	return root, l, nil
}

// checkMount tells of a file system that was mounted at the folder and is no more:
// what lies there then is an empty folder that nobody drops anything into.
func (w *Watcher) checkMount(info os.FileInfo) {
	if parent, err := os.Stat(filepath.Dir(w.Folder)); err == nil {
		mounted := staging.FileIDOf(parent).Inode.Device != staging.FileIDOf(info).Inode.Device
		w.mounted = w.mounted || mounted
		if w.mounted && !mounted {
			text := fmt.Sprintf("nothing is mounted at the drop folder %s any more; mount it again, or restart the agent if this is intended", w.Folder)
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

// folderUnavailable notes that the folder cannot be looked at. What was seen counts no more:
// who knows what happens meanwhile.
func (w *Watcher) folderUnavailable(err error) {
	clear(w.observed)
	clear(w.folders)
	clear(w.manifests)
	w.root = nil
	text := fmt.Sprintf("the drop folder %s cannot be read (%v); make it again, mount it or change its permissions: it is watched as soon as it is back", w.Folder, systemError(err))
	if w.setTrouble(text) {
		w.Log.Error(text)
	}
	w.updateStatus(nil, w.Now())
}

// systemError is what the system says, without the path, which stands beside it.
func systemError(err error) error {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return pe.Err
	}
	return err
}

// readManifests reads the manifests that have arrived; those that are none are refused.
func (w *Watcher) readManifests(ctx context.Context, root *os.Root, now time.Time) {
	maps.DeleteFunc(w.manifests, func(name string, p *pending) bool {
		return w.observed[name].FileID != p.fileID || w.observed[answersBeside(name)].FileID != p.answers || !w.hasOwner(name)
	})
	for name, s := range w.observed {
		before := w.manifests[name]
		if !w.hasOwner(name) || before != nil && !before.retryDue(now) || !isManifest(name) || w.locked[name] || !s.Arrived(now, w.Settle) {
			continue
		}
		beside, given := w.observed[answersBeside(name)]
		if given && !beside.Arrived(now, w.Settle) {
			continue
		}
		p := &pending{name: name, fileID: s.FileID, since: s.Since, answers: beside.FileID}
		err := w.readPending(root, p)
		if errors.Is(err, staging.ErrChanged) {
			continue
		}
		if fault.Is(err, fault.Invalid) {
			err = w.refuse(ctx, root, name, s.FileID, err)
			if err == nil {
				w.forgetFile(name)
				continue
			}
		}
		if err != nil {
			if before == nil {
				w.Log.Error("a manifest in the drop folder cannot be taken; it is tried again every 10 seconds", "manifest", name, "error", err)
			}
			p.manifest, p.trouble, p.retryAt = nil, publicMessage(err), now.Add(retryDelay)
		}
		w.manifests[name] = p
	}
}

// answersBeside names the file of answers for a manifest.
func answersBeside(name string) string { return path.Join(path.Dir(name), manifest.AnswersName) }

// readPending reads a manifest with the answers beside it.
func (w *Watcher) readPending(root *os.Root, p *pending) error {
	answers := Answers{}
	if p.answers != (staging.FileID{}) {
		body, err := readWhole(root, answersBeside(p.name), p.answers)
		if err != nil {
			return err
		}
		if answers, err = ParseAnswers(body); err != nil {
			return err
		}
	}
	body, err := readWhole(root, p.name, p.fileID)
	if err == nil {
		owner, _ := w.ownerOf(p.name)
		p.manifest, err = w.readManifest(owner.Institution, body, path.Base(p.name), answers)
	}
	return err
}

// readManifest reads an institution's manifest with answers, and those of the settings behind them.
func (w *Watcher) readManifest(institution uint32, body []byte, name string, answers Answers) (*manifest.Manifest, error) {
	o := answers.Or(w.Answers).For(name).Options(name)
	o.SharedAddresses = w.Issuer.SharesAddresses(institution)
	return manifest.Read(body, o)
}

// publicMessage is what a person may read of an error.
func publicMessage(err error) string {
	if message, ok := fault.Message(err); ok {
		return message
	}
	return systemError(err).Error()
}

// maxManifestSize bounds what is read of a manifest.
const maxManifestSize = 64 << 20

// readWhole reads a file that must be the one that was seen, before and after.
func readWhole(root *os.Root, name string, as staging.FileID) ([]byte, error) {
	f, err := root.OpenFile(filepath.FromSlash(name), staging.OpenFlags, 0)
	if err != nil {
		return nil, fsutil.DiskError(err, "reading a manifest")
	}
	defer f.Close()
	same := func() error {
		info, err := f.Stat()
		if err != nil || !info.Mode().IsRegular() || staging.FileIDOf(info) != as {
			return staging.ErrChanged
		}
		return nil
	}
	if err := same(); err != nil {
		return nil, err
	}
	if as.Size > maxManifestSize {
		return nil, fault.Newf(fault.Invalid, "%s: the manifest is larger than 64 MB; cut it into several", path.Base(name))
	}
	body, err := io.ReadAll(io.LimitReader(f, as.Size+1))
	if err != nil {
		return nil, fsutil.DiskError(err, "reading a manifest")
	}
	return body, same()
}

// refuse moves a file to the failed folder, with the reason beside it. The note
// comes first: a file is never there without it.
func (w *Watcher) refuse(ctx context.Context, root *os.Root, name string, as staging.FileID, why error) error {
	owner, _ := w.ownerOf(name)
	failed, err := os.OpenRoot(owner.Failed)
	if err != nil {
		return fsutil.DiskError(err, "opening the failed folder")
	}
	defer failed.Close()
	to, err := staging.FreePlace(failed, path.Base(name))
	if err != nil {
		return err
	}
	note := staging.Place{Folder: failed, Name: to.Name + staging.ReasonSuffix}
	text := adviceText(why) + "\n\nNothing was issued. Correct the file, then put it into the drop folder again.\n"
	text += readingText(why)
	if err := note.WriteText(text); err != nil {
		return err
	}
	if err := staging.MoveFiles([]staging.Move{{From: staging.Place{Folder: root, Name: name}, To: to, ID: &as}}); err != nil {
		return errors.Join(err, failed.Remove(note.Name))
	}
	// The note of an earlier refusal goes; the new one replaces it.
	_ = root.Remove(filepath.FromSlash(name + staging.ReasonSuffix))
	w.Log.Warn("a manifest was refused", "manifest", name, "reason", filepath.Join(owner.Failed, note.Name))
	w.report(ctx, Outcome{Manifest: path.Base(name), Institution: owner.Institution, Failed: filepath.Join(owner.Failed, note.Name), Refused: true})
	return nil
}

// adviceText is what a person reads of an error who has nothing but the drop folder.
func adviceText(why error) string {
	text := publicMessage(why)
	if advice := manifest.FileAdvice(text); advice != text {
		return advice + "\n\nThe line goes into a text file with the name " + manifest.AnswersName + ", beside the manifest in the drop folder."
	}
	return text
}

// readingText says what was read of a manifest before it was refused.
func readingText(why error) string {
	reading := manifest.DescribeRefused(why)
	if len(reading) == 0 {
		return ""
	}
	return "\nWhat was read of it:\n" + strings.Join(reading, "\n") + "\n"
}

// report tells the office of an outcome. What cannot be told is logged: the outcome stands.
func (w *Watcher) report(ctx context.Context, o Outcome) {
	if err := w.Issuer.Report(ctx, o); err != nil {
		w.Log.Error("the office could not be told of an outcome of the drop folder", "manifest", o.Manifest, "error", err)
	}
}

// forgetFile notes that a file was taken out of the folder.
func (w *Watcher) forgetFile(name string) {
	delete(w.observed, name)
	delete(w.manifests, name)
	for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
		w.emptied[folder] = true
	}
}

// removeEmptied removes folders that are empty since files were taken out of
// them, innermost first. One that has changed lately may have more to come.
func (w *Watcher) removeEmptied(root *os.Root, now time.Time) {
	names := slices.Sorted(maps.Keys(w.emptied))
	slices.Reverse(names)
	for _, name := range names {
		if s, there := w.folders[name]; there && !s.Settled(now, w.Settle) {
			continue
		}
		delete(w.emptied, name)
		if w.isOwnerFolder(name) {
			continue
		}
		// One that is not empty stays, and that is no error.
		_ = root.Remove(filepath.FromSlash(name))
	}
}

// nextScan is when something will have settled or will have waited long enough.
func (w *Watcher) nextScan(plans map[string]plan, now time.Time) time.Time {
	next := now.Add(rescanInterval)
	sooner := func(t time.Time) {
		if t.After(now) && t.Before(next) {
			next = t
		}
	}
	sooner(w.observed.NextSettled(now, w.Settle))
	if len(w.emptied) > 0 {
		sooner(w.folders.NextSettled(now, w.Settle))
	}
	for _, at := range w.archiveRetry {
		sooner(at)
	}
	for name, p := range w.manifests {
		sooner(p.retryAt)
		if made, ok := plans[name]; ok {
			sooner(made.due(w.Wait))
		}
	}
	return next
}
