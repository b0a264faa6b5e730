package drop

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/vecctl/vecctl/agent/drop/incoming"
	"github.com/vecctl/vecctl/agent/drop/move"
	"github.com/vecctl/vecctl/pkg/bell"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest"
)

const (
	// lanes is how many batches are in hand at once.
	lanes = 4
	// stalled is how long a batch may stand still, because staff paused it for one,
	// before it counts no more as in hand.
	stalled = 10 * time.Second
)

// issueAll issues what was taken until ctx ends.
func (w *Watcher) issueAll(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	lane := make(chan struct{}, lanes)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		select {
		case lane <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		s, wait := w.next()
		if s == nil {
			<-lane
			timer.Reset(wait)
			select {
			case <-ctx.Done():
			case <-w.taken:
			case <-timer.C:
			}
			continue
		}
		moves, ended := bell.New(), make(chan struct{})
		running.Go(func() {
			defer close(ended)
			w.end(ctx, s, w.issue(ctx, s, moves))
		})
		running.Go(func() {
			waitWhileMoving(ctx, moves, ended)
			w.mu.Lock()
			s.standing = true
			w.mu.Unlock()
			<-lane
			w.taken.Ring() // one that had to wait for this one can begin
		})
	}
	return nil
}

// waitWhileMoving returns when a batch has ended or stands still.
func waitWhileMoving(ctx context.Context, moves, ended <-chan struct{}) {
	timer := time.NewTimer(stalled)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ended:
			return
		case <-moves:
			timer.Reset(stalled)
		case <-timer.C:
			return
		}
	}
}

// staged is a batch between the drop folder and its outcome.
type staged struct {
	*incoming.Batch

	// Guarded by the watcher's mutex.
	running  bool
	standing bool // still, while running
	progress client.Progress
	trouble  string // why it is held up, "" while it goes on
	told     string // the kind of trouble that the log has
	retryAt  time.Time
}

// next is the first batch that can be tried now, else how long until one can.
func (w *Watcher) next() (*staged, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, wait := w.Now(), rescan
	for _, s := range w.queue {
		if s.running || slices.ContainsFunc(w.queue, s.follows) {
			continue
		}
		pause := s.retryAt.Sub(now)
		if pause <= 0 {
			s.running, s.standing = true, false
			return s, 0
		}
		wait = min(wait, pause)
	}
	return nil, wait
}

// follows tells whether a batch must wait for another that is in hand: manifests
// of one folder are issued in their order, since they may list the same people, and
// the same manifest has one outcome only.
func (s *staged) follows(other *staged) bool {
	if !other.running {
		return false
	}
	return s.Digest == other.Digest || s.Folder == other.Folder && !other.standing
}

// end decides what becomes of a batch after a try.
func (w *Watcher) end(ctx context.Context, s *staged, err error) {
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return // it lies where the next start finds it
	case errors.Is(err, move.ErrChanged), errors.Is(err, ErrChanging):
		w.putBack(s, "a file is still being written to")
	case fault.Is(err, fault.Invalid), fault.Is(err, fault.Illegal):
		if err := w.refuseBatch(s, err); err != nil {
			w.holdUp(s, err)
			return
		}
	default:
		w.holdUp(s, err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = slices.DeleteFunc(w.queue, func(one *staged) bool { return one == s })
}

// holdUp keeps a batch for another try: the trouble is not its own.
func (w *Watcher) holdUp(s *staged, err error) {
	kind := fault.KindOf(err).String() // the text may name temporary files
	w.mu.Lock()
	news := s.told != kind
	s.running, s.trouble, s.told, s.retryAt = false, saying(err), kind, w.Now().Add(retry)
	w.mu.Unlock()
	if news {
		w.Log.Error("a batch is held up and will be tried again every 10 seconds", "manifest", s.Manifest, "error", err)
	}
	w.taken.Ring()
}

// refuseBatch sets a batch aside as a whole, when its manifest could be read but
// not issued, or staff has cancelled it.
func (w *Watcher) refuseBatch(s *staged, why error) error {
	folder, err := s.Refuse(w.Failed, saying(why)+"\n\nTo try again, put this folder into the drop folder.\n")
	if err == nil {
		w.Log.Warn("a batch was refused", "manifest", s.Manifest, "folder", folder)
	}
	return err
}

// issue brings a batch to its outcome. Every step can be done again.
func (w *Watcher) issue(ctx context.Context, s *staged, moves bell.Bell) error {
	r, concluded, err := s.Result()
	if err == nil && !concluded {
		r, err = w.issueStaged(ctx, s, moves)
	}
	if err != nil {
		return err
	}
	return s.Finish(r, w.Failed, w.Verified)
}

// issueStaged has the batch issued and writes down what is left to do.
func (w *Watcher) issueStaged(ctx context.Context, s *staged, moves bell.Bell) (incoming.Result, error) {
	none := incoming.Result{}
	if err := s.Complete(w.Folder); err != nil {
		return none, err
	}
	if !s.Intact() {
		return none, move.ErrChanged
	}
	body, err := os.ReadFile(s.ManifestPath())
	if err != nil {
		return none, blob.DiskError(err, "reading a manifest")
	}
	m, err := manifest.Read(body, manifest.Options{Name: s.Manifest, MaxRows: manifest.LargestMaxRows})
	if err != nil {
		return none, err
	}
	began := w.Now()
	if err := s.Begin(began); err != nil {
		return none, err
	}
	outcome, err := w.Issuer.Issue(ctx, Batch{
		Name: s.Manifest, Manifest: body, Files: s.FilesPath(), Out: s.OutcomePath(),
		Institution: s.Institution, Begun: s.Begun, Lost: s.Lost,
		Progress: func(p client.Progress) {
			w.mu.Lock()
			defer w.mu.Unlock()
			s.progress, s.trouble = p, ""
			moves.Ring()
		},
	})
	if err != nil {
		return none, err
	}
	o := outcome.Report
	w.Log.Info("a batch from the drop folder is through", "manifest", s.Manifest, "batch", o.BatchID, "outcome", outcome.Name,
		"issued", o.Issued, "unchanged", o.Unchanged, "failed", o.Failed, "took", w.Now().Sub(began).Round(time.Millisecond))
	return s.Conclude(outcome.Name, o, manifest.MatchFiles(m, s.Documents()).ByRow)
}
