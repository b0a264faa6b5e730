package dropfolder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vecctl/vecctl/agent/dropfolder/staging"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/wake"
)

const (
	// issueWorkers is how many batches are in hand at once.
	issueWorkers = 4
	// stallTime is how long a batch may stand still, because staff paused it for one,
	// before it counts no more as in hand.
	stallTime = 10 * time.Second
)

// issueAll issues what was taken until ctx ends.
func (w *Watcher) issueAll(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	lane := make(chan struct{}, issueWorkers)
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
			case <-w.batchReady:
			case <-timer.C:
			}
			continue
		}
		moves, ended := wake.New(), make(chan struct{})
		running.Go(func() {
			defer close(ended)
			w.finishTry(ctx, s, w.issue(ctx, s, moves))
		})
		running.Go(func() {
			waitWhileMoving(ctx, moves, ended)
			w.mu.Lock()
			s.isStalled = true
			w.mu.Unlock()
			<-lane
			w.batchReady.Notify() // one that had to wait for this one can begin
		})
	}
	return nil
}

// waitWhileMoving returns when a batch has ended or stands still.
func waitWhileMoving(ctx context.Context, moves, ended <-chan struct{}) {
	timer := time.NewTimer(stallTime)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ended:
			return
		case <-moves:
			timer.Reset(stallTime)
		case <-timer.C:
			return
		}
	}
}

// stagedBatch is a batch between the drop folder and its outcome.
type stagedBatch struct {
	*staging.Batch

	// Guarded by the watcher's mutex.
	running   bool
	isStalled bool // still, while running
	progress  client.Progress
	trouble   string // why it is held up, "" while it goes on
	logged    string // the kind of trouble that the log has
	retryAt   time.Time
}

// next is the first batch that can be tried now, else how long until one can.
func (w *Watcher) next() (*stagedBatch, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, wait := w.Now(), rescanInterval
	for _, s := range w.queue {
		if s.running || slices.ContainsFunc(w.queue, s.waitsFor) {
			continue
		}
		pause := s.retryAt.Sub(now)
		if pause <= 0 {
			s.running, s.isStalled = true, false
			return s, 0
		}
		wait = min(wait, pause)
	}
	return nil, wait
}

// waitsFor reports whether a batch must wait for another that is in hand: manifests
// of one folder are issued in their order, since they may list the same people, and
// the same manifest has one outcome only.
func (s *stagedBatch) waitsFor(other *stagedBatch) bool {
	if !other.running {
		return false
	}
	return s.Digest == other.Digest || s.Folder == other.Folder && !other.isStalled
}

// finishTry decides what becomes of a batch after a try.
func (w *Watcher) finishTry(ctx context.Context, s *stagedBatch, err error) {
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return // it lies where the next start finds it
	case errors.Is(err, staging.ErrChanged), errors.Is(err, ErrChanging):
		w.putBack(s, "a file is still being written to")
	case fault.Is(err, fault.Invalid), fault.Is(err, fault.Illegal):
		if err := w.refuseBatch(ctx, s, err); err != nil {
			w.scheduleRetry(s, err)
			return
		}
	default:
		w.scheduleRetry(s, err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = slices.DeleteFunc(w.queue, func(one *stagedBatch) bool { return one == s })
}

// scheduleRetry keeps a batch for another try: the trouble is not its own.
func (w *Watcher) scheduleRetry(s *stagedBatch, err error) {
	kind := fault.KindOf(err).String() // the text may name temporary files
	w.mu.Lock()
	news := s.logged != kind
	s.running, s.trouble, s.logged, s.retryAt = false, publicMessage(err), kind, w.Now().Add(retryDelay)
	w.mu.Unlock()
	if news {
		w.Log.Error("a batch is held up and will be tried again every 10 seconds", "manifest", s.Manifest, "error", err)
	}
	w.batchReady.Notify()
}

// refuseBatch sets a batch aside as a whole, when its manifest could be read but
// not issued, or staff has cancelled it.
func (w *Watcher) refuseBatch(ctx context.Context, s *stagedBatch, why error) error {
	folder, err := s.Refuse(w.failedOf(s.Institution), adviceText(why)+"\n\nTo try again, put this folder into the drop folder.\n"+readingText(why))
	if err == nil {
		w.Log.Warn("a batch was refused", "manifest", s.Manifest, "folder", folder)
		w.report(ctx, Outcome{Manifest: s.Manifest, Institution: s.Institution, Failed: folder, Refused: true})
	}
	return err
}

// issue brings a batch to its outcome. Every step can be done again.
func (w *Watcher) issue(ctx context.Context, s *stagedBatch, moves wake.Signal) error {
	r, concluded, err := s.Result()
	if err == nil && !concluded {
		r, err = w.issueStaged(ctx, s, moves)
	}
	if err != nil {
		return err
	}
	return s.Finish(r, w.failedOf(s.Institution), w.Results)
}

// issueStaged has the batch issued and writes down what is left to do.
func (w *Watcher) issueStaged(ctx context.Context, s *stagedBatch, moves wake.Signal) (staging.Result, error) {
	none := staging.Result{}
	if err := w.moveFiles(s); err != nil {
		return none, err
	}
	if !s.Unchanged() {
		return none, staging.ErrChanged
	}
	if err := s.Unpack(); err != nil {
		return none, err
	}
	body, err := os.ReadFile(s.ManifestPath())
	if err != nil {
		return none, fsutil.DiskError(err, "reading a manifest")
	}
	answers, err := w.answersOf(s)
	if err != nil {
		return none, err
	}
	m, err := w.readManifest(s.Institution, body, s.Manifest, answers)
	if err != nil {
		return none, err
	}
	began := w.Now()
	if err := s.Begin(began); err != nil {
		return none, err
	}
	outcome, err := w.Issuer.IssueDropped(ctx, Batch{
		Name: s.Manifest, Folder: s.Folder, Manifest: body, Files: s.FilesPath(), Out: s.ResultsPath(),
		Institution: s.Institution, Begun: s.Begun, Lost: s.Lost, Answers: answers.Or(w.Answers).For(s.Manifest),
		Progress: func(p client.Progress) {
			w.mu.Lock()
			defer w.mu.Unlock()
			s.progress, s.trouble = p, ""
			moves.Notify()
		},
	})
	if err != nil {
		return none, err
	}
	o := outcome.Report
	w.Log.Info("a batch from the drop folder is finished", "manifest", s.Manifest, "batch", o.BatchID, "outcome", outcome.Name,
		"issued", o.Issued, "unchanged", o.Unchanged, "failed", o.Failed, "took", w.Now().Sub(began).Round(time.Millisecond))
	told := Outcome{Manifest: s.Manifest, Institution: s.Institution, Report: o, Results: filepath.Join(w.Results, filepath.FromSlash(outcome.Name))}
	if o.Failed > 0 {
		told.Failed = filepath.Join(w.failedOf(s.Institution), strings.ReplaceAll(outcome.Name, "/", "-"))
	}
	w.report(ctx, told)
	w.clearCorrected(s.Institution, m, o)
	return s.Conclude(outcome.Name, o, manifest.MatchFiles(m, s.Documents()).ByRow)
}

// answersOf reads the answers that lay beside a batch's manifest.
func (w *Watcher) answersOf(s *stagedBatch) (Answers, error) {
	body, err := s.Answers()
	if err != nil || body == nil {
		return Answers{}, err
	}
	return ParseAnswers(body)
}
