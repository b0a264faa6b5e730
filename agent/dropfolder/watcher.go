// Package dropfolder watches the drop folder: registrars put manifests and
// documents there, and each batch that is complete is staged and issued.
package dropfolder

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/agent/dropfolder/staging"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/wake"
)

// Options are what a watcher needs. Folders are absolute.
type Options struct {
	Folder   string // the drop folder
	Incoming string // for batches on their way; private
	Results  string // outcomes
	Failed   string // what was refused

	Settle time.Duration // how long a file must stand still
	Wait   time.Duration // how long a manifest waits for documents
	Poll   bool          // look every second, for file systems that send no events

	// Answers are what the settings say about manifests; manifest.yaml beside one goes
	// before them.
	Answers Answers

	Issuer Issuer

	// Tell, where set, is told what is wrong with the folder; "" when nothing is any
	// more. It must not block.
	OnTrouble func(trouble string)

	Now func() time.Time
	Log *slog.Logger
}

// Batch is a manifest with its documents, taken out of the drop folder.
type Batch struct {
	Name        string // the manifest's file name
	Folder      string // in which it lay, relative to the drop folder
	Manifest    []byte // its bytes
	Files       string // folder of the documents, absolute
	Out         string // folder for verified PDFs and reports, absolute; it exists
	Institution uint32
	Begun       time.Time      // when it was first tried; a certificate made since is this drop's
	Lost        map[int]string // rows whose document is not in Files, and why
	Answers     Answers
	Progress    func(client.Progress)
}

// IssueResult is what became of a batch.
type IssueResult struct {
	// Name is DATE-MANIFEST, which no other manifest's outcome has; before it there may
	// be a folder within the verified folder, and a slash.
	Name   string
	Report client.BulkReport
}

// Issuer issues batches.
type Issuer interface {
	// IssueDropped issues a batch with its sound rows and writes the outcome into its
	// folder. It may be called again for a batch that was interrupted, and goes on
	// then. An error of kind fault.Invalid is about the manifest as a whole; one
	// that is ErrChanging says that a document changed while it was read.
	IssueDropped(ctx context.Context, b Batch) (IssueResult, error)
	// Issued tells which rows have a certificate of an institution that says the same, as
	// far as can be told without the document.
	Issued(ctx context.Context, institution uint32, m *manifest.Manifest) (map[int]bool, error)
	// Owners lists the institutions for which batches are issued, at least one.
	Owners() []Owner
	// Report tells the office what became of something that was dropped, where the
	// office wants to know. It may be called twice for one batch.
	Report(ctx context.Context, o Outcome) error
	// SharesAddresses reports whether people may share addresses at an institution.
	SharesAddresses(institution uint32) bool
}

// Outcome is what became of something that was dropped.
type Outcome struct {
	Manifest    string // its file name
	Institution uint32
	Report      client.BulkReport // of a batch that was issued
	Results     string            // folder of the outcome; "" for none
	Failed      string            // folder or file of what was refused; "" for none
	Refused     bool              // as a whole
}

// ErrChanging is about a document that changed while it was being read.
var ErrChanging = errors.New("a document changed while it was being read")

// Watcher is a drop folder under watch.
type Watcher struct {
	Options

	// Of the goroutine that looks.
	root      os.FileInfo // what the folder was when it was last looked at
	mounted   bool        // it has been a mount point
	observed  FileObservations
	folders   FileObservations
	manifests map[string]*pending
	locked    map[string]bool // files that a spreadsheet program has open
	// archiveRetry is when zips that could not be taken may be tried again.
	archiveRetry map[string]time.Time
	named        map[string]bool // files whose reason for never being issued the log has
	emptied      map[string]bool // folders that files were taken out of

	owners     []Owner // as of the last look; others read it under the mutex
	ownersMade bool    // their folders are there

	made staging.MadeFolders // for files that were put back

	batchReady wake.Signal // a batch was taken, or can be tried again
	rescanHint wake.Signal // there may be something new in the folder

	mu     sync.Mutex
	queue  []*stagedBatch // what is to be issued; the first may be in hand
	status Status
}

// New makes a watcher; it starts nothing.
func New(o Options) *Watcher {
	return &Watcher{
		Options: o, observed: FileObservations{}, folders: FileObservations{}, manifests: map[string]*pending{}, emptied: map[string]bool{}, named: map[string]bool{}, archiveRetry: map[string]time.Time{},
		batchReady: wake.New(), rescanHint: wake.New(), status: Status{Folder: o.Folder},
	}
}

// Run goes on with what an earlier run left, then watches the folder until ctx
// ends and what is in hand has come to a safe place. Trouble with the folder is
// no error: it is told in Status and the log, and watching goes on when it is
// over.
func (w *Watcher) Run(ctx context.Context) error {
	w.owners = w.Issuer.Owners()
	if err := os.MkdirAll(w.Results, 0o700); err != nil {
		return fsutil.DiskError(err, "making the folders of the drop folder's outcomes")
	}
	if err := w.makeFailedFolders(); err != nil {
		return err
	}
	left, err := staging.Resume(w.Incoming)
	if err != nil {
		w.Log.Error("not every batch of an earlier run can be taken up", "error", err)
	}
	for _, b := range left {
		w.resume(&stagedBatch{Batch: b})
	}
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return w.watchFolder(ctx) })
	work.Go(func() error { return w.issueAll(ctx) })
	return work.Wait()
}

// resume takes over a batch of an earlier run.
func (w *Watcher) resume(s *stagedBatch) {
	_, concluded, err := s.Result()
	if err == nil && !concluded {
		err = w.moveFiles(s)
	}
	if errors.Is(err, staging.ErrChanged) {
		w.putBack(s, "its files changed while the batch was taken")
		return
	}
	if err != nil {
		w.Log.Error("taking up a batch of an earlier run failed and will be tried again", "manifest", s.Manifest, "error", err)
	} else {
		w.Log.Info("a batch of an earlier run is taken up", "manifest", s.Manifest, "files", len(s.Files))
	}
	w.markTaken(s.Files)
	w.enqueue(s)
}

// putBack returns a batch to the drop folder, where it waits again.
func (w *Watcher) putBack(s *stagedBatch, why string) {
	w.Log.Warn("a batch is put back into the drop folder: "+why, "manifest", s.Manifest)
	root, err := os.OpenRoot(w.Folder)
	if err == nil {
		err = errors.Join(s.PutBack(root, w.failedOf(s.Institution), &w.made), root.Close())
	}
	if err != nil {
		w.Log.Error("putting a batch back failed; its files lie in "+s.Dir+" until the agent starts again", "error", err)
	}
	w.rescanHint.Notify()
}

// moveFiles moves the files of a batch that are still in the drop folder.
func (w *Watcher) moveFiles(s *stagedBatch) error {
	root, err := os.OpenRoot(w.Folder)
	if err != nil {
		return fsutil.DiskError(err, "opening the drop folder")
	}
	return errors.Join(s.MoveFiles(root), root.Close())
}

func (w *Watcher) enqueue(s *stagedBatch) {
	w.mu.Lock()
	w.queue = append(w.queue, s)
	w.mu.Unlock()
	w.batchReady.Notify()
}
