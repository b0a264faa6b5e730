package dropfolder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/vecctl/vecctl/agent/dropfolder/staging"
	"github.com/vecctl/vecctl/pkg/wake"
)

const (
	debounce     = 100 * time.Millisecond // after an event, for those that follow it
	pollInterval = time.Second
	// share is the part of the time that looking may take: one in so many, while
	// events come, and while polling.
	eventShare, pollShare = 4, 20
	// eventCheckInterval is how often it is checked that the folder is still the same one:
	// no event tells of a share that is mounted or a folder that is made again.
	eventCheckInterval = 2 * time.Second
)

// watchFolder looks at the folder whenever something may have changed, until ctx ends.
func (w *Watcher) watchFolder(ctx context.Context) error {
	e := w.newEvents()
	defer e.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	beat := time.NewTicker(eventCheckInterval)
	defer beat.Stop()
	var ended, due time.Time // of the last look, of the next
	var took time.Duration
	soon := func(pause time.Duration) {
		if at := later(time.Now().Add(debounce), ended.Add(pause)); at.Before(due) {
			due = at
			timer.Reset(time.Until(due))
		}
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-e.hint:
			soon(max(debounce, eventShare*took))
		case <-w.rescanHint:
			soon(debounce)
		case <-beat.C:
			if w.replaced() {
				soon(debounce)
			}
		case <-timer.C:
			began := time.Now()
			next := w.scan(ctx)
			e.watchFolders(w)
			ended = time.Now()
			took = ended.Sub(began)
			due = began.Add(next.Sub(w.Now()) + time.Millisecond)
			if e.polling() {
				due = earlier(due, ended.Add(max(pollInterval, pollShare*took)))
			}
			timer.Reset(time.Until(due))
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// replaced reports whether the folder is not the one that was looked at last.
func (w *Watcher) replaced() bool {
	info, err := os.Stat(w.Folder)
	if err != nil || w.root == nil {
		return (err == nil) != (w.root != nil)
	}
	return !os.SameFile(info, w.root)
}

// events are the file system's hints that something has changed. Each is as good
// as another: what is there, only a look says.
type events struct {
	watcher *fsnotify.Watcher // nil when polling was asked for, or nothing else works
	hint    wake.Signal
	ended   chan struct{}
	watched map[string]staging.InodeID // folders, by whole path
	failed  bool                       // some folder cannot be watched
	lost    atomic.Bool                // events were lost, those about the watch itself perhaps
}

func (w *Watcher) newEvents() *events {
	e := &events{hint: wake.New(), ended: make(chan struct{}), watched: map[string]staging.InodeID{}}
	if !w.Poll {
		var err error
		if e.watcher, err = fsnotify.NewWatcher(); err != nil {
			w.Log.Warn("this system gives no events of the drop folder; it is polled", "error", err)
		}
	}
	w.setWatchMode(e.polling())
	if e.watcher == nil {
		close(e.ended)
		return e
	}
	go func() {
		defer close(e.ended)
		e.collectHints(w)
	}()
	return e
}

// collectHints turns events and their losses into hints until the watcher is closed.
func (e *events) collectHints(w *Watcher) {
	for {
		select {
		case _, more := <-e.watcher.Events:
			if !more {
				return
			}
		case err, more := <-e.watcher.Errors:
			if !more {
				return
			}
			if e.lost.Store(true); !errors.Is(err, fsnotify.ErrEventOverflow) {
				w.Log.Warn("watching the drop folder", "error", err)
			}
		}
		e.hint.Notify()
	}
}

// watchFolders watches the folders that the last look has found, and forgets others.
func (e *events) watchFolders(w *Watcher) {
	if e.watcher == nil {
		return
	}
	// A folder that was removed has lost its watch, though its successor may have
	// the same identity.
	alive := map[string]bool{}
	if !e.lost.Swap(false) {
		for _, path := range e.watcher.WatchList() {
			alive[path] = true
		}
	}
	found := make(map[string]bool, len(w.folders))
	failed := false
	for name, s := range w.folders {
		path := filepath.Join(w.Folder, filepath.FromSlash(name))
		found[path] = true
		if id, ok := e.watched[path]; ok && id == s.Inode && alive[path] {
			continue
		}
		_ = e.watcher.Remove(path) // the folder that had this name before
		err := e.watcher.Add(path)
		if errors.Is(err, os.ErrNotExist) {
			continue // it went meanwhile
		}
		if err != nil {
			if !e.failed && !failed {
				w.Log.Warn("a part of the drop folder gives no events; it is polled", "folder", name, "error", err)
			}
			failed = true
			continue
		}
		e.watched[path] = s.Inode
		e.hint.Notify() // what came before the watch began gave no event
	}
	for path := range e.watched {
		if !found[path] {
			delete(e.watched, path)
			_ = e.watcher.Remove(path)
		}
	}
	e.failed = failed
	w.setWatchMode(e.polling())
}

// polling reports whether events cannot be relied on even as hints.
func (e *events) polling() bool { return e.watcher == nil || e.failed }

func (e *events) close() {
	if e.watcher != nil {
		_ = e.watcher.Close()
	}
	<-e.ended
}

// setWatchMode notes how the folder is watched.
func (w *Watcher) setWatchMode(polling bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.Watch = "events"
	if polling {
		w.status.Watch = "polling"
	}
}
