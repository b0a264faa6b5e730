package dropfolder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/fsutil"
)

// Owner is an institution for which what is dropped is issued. Where there is exactly one,
// the whole drop folder is its own; else each has a folder in it.
type Owner struct {
	Institution uint32
	Name        string // for people
	Folder      string // within the drop folder; what lies elsewhere is not this owner's
	Failed      string // folder, absolute, of what was refused
	Closed      bool   // nothing is issued any more
}

// ownerOf finds whose a file of the drop folder is; the reason says why it is nobody's.
func (w *Watcher) ownerOf(name string) (owner Owner, reason string) {
	if len(w.owners) == 1 {
		return w.owners[0], w.owners[0].closedReason()
	}
	top, _, inFolder := strings.Cut(name, "/")
	for _, o := range w.owners {
		if inFolder && strings.EqualFold(o.Folder, top) {
			return o, o.closedReason()
		}
	}
	return Owner{}, "not issued: this home has several institutions, and this file does not say whose it is; move it into a folder of one: " + w.ownerFolders()
}

// hasOwner reports whether a file of the drop folder is issued for somebody.
func (w *Watcher) hasOwner(name string) bool {
	_, reason := w.ownerOf(name)
	return reason == ""
}

func (o Owner) closedReason() string {
	if !o.Closed {
		return ""
	}
	return fmt.Sprintf("not issued: %s is closed", o.Name)
}

// ownerFolders names the folders of the institutions.
func (w *Watcher) ownerFolders() string {
	var names []string
	for _, o := range w.owners {
		if !o.Closed {
			names = append(names, o.Folder+"/")
		}
	}
	return strings.Join(names, ", ")
}

// isOwnerFolder reports whether a folder is an institution's own, which stays when it is
// empty.
func (w *Watcher) isOwnerFolder(name string) bool {
	return len(w.owners) > 1 && slices.ContainsFunc(w.owners, func(o Owner) bool { return strings.EqualFold(o.Folder, name) })
}

// failedOf returns the folder of what an institution's drops were refused.
func (w *Watcher) failedOf(institution uint32) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range w.owners {
		if o.Institution == institution {
			return o.Failed
		}
	}
	return w.Failed
}

// isFailedFolder reports whether a folder is one of refused files, which stays when it is
// empty.
func (w *Watcher) isFailedFolder(folder string) bool {
	return folder == w.Failed || slices.ContainsFunc(w.owners, func(o Owner) bool { return o.Failed == folder })
}

// updateOwners looks which institutions there are now, and makes their folders.
func (w *Watcher) updateOwners(root *os.Root) {
	now := w.Issuer.Owners()
	if slices.Equal(now, w.owners) && w.ownersMade {
		return
	}
	w.mu.Lock()
	w.owners, w.ownersMade = now, true
	w.mu.Unlock()
	if err := w.makeFailedFolders(); err != nil {
		w.Log.Error("the folders of refused files cannot be made", "error", err)
		w.ownersMade = false
	}
	if len(now) == 1 {
		return
	}
	for _, o := range now {
		if err := root.Mkdir(o.Folder, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			w.Log.Warn("an institution's drop folder cannot be made", "folder", filepath.Join(w.Folder, o.Folder), "error", err)
			w.ownersMade = false
		}
	}
}

func (w *Watcher) makeFailedFolders() error {
	for _, o := range w.owners {
		if err := os.MkdirAll(o.Failed, 0o700); err != nil {
			return fsutil.DiskError(err, "making the folder of refused files")
		}
	}
	return nil
}
