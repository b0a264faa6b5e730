// Package batch issues one manifest: it has the rows checked and accepted, waits
// until they are signed, and writes the results.
package batch

import (
	"cmp"
	"context"
	"encoding/hex"
	"io"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/events"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// Issuer issues manifests.
type Issuer struct {
	Store   Store
	Intake  *intake.Intake
	Results *results.Exporter
	Events  *events.Bus
	// Templates are those that rows may name.
	Templates template.Dir
	// DefaultPlacement is where codes go that nothing else places.
	DefaultPlacement vault.Placement
	Cover            bool // codes may cover what documents show
	Institutions     institutions.Directory
	Home             home.Dir // what is in this folder belongs to the agent
	Disk             Disk
	Rejected         store.Rows // with RejectedTable; nil keeps no refused rows
	ReportTo         []string   // who is told what became of what was dropped
	Work             wake.Waker // woken when certificates were accepted or a batch was changed
	Signing          wake.Waker // woken when certificates may wait to be signed
	Now              func() time.Time
	Random           io.Reader
}

// Disk is the disk of the home.
type Disk interface {
	// Accepting returns nil while there is room for more, else the reason.
	Accepting() error
	// Check looks at the disk now.
	Check()
}

// Store are what is needed of the store.
type Store interface {
	QueueMail(ctx context.Context, m vault.Mail) error
	FindBatch(ctx context.Context, institution uint32, digest string) (vault.Batch, error)
	List(ctx context.Context, f store.Filter, page, perPage int) (store.Page, error)
	OpenBatch(ctx context.Context, b vault.Batch) (vault.Batch, error)
	Batch(ctx context.Context, institution uint32, id string) (vault.Batch, error)
	ChangeBatch(ctx context.Context, institution uint32, id string,
		change func(vault.Batch) (vault.Batch, error), each store.Change) (vault.Batch, error)
	ByID(ctx context.Context, ids ...uint64) ([]vault.Certificate, error)
}

// Request is a manifest that is to be issued.
type Request struct {
	Institution vault.Institution
	Trigger     vault.Trigger
	Bulk        adminclient.BulkRequest
	Name        string // of the batch; "" is the date and the manifest's name
	Progress    func(client.Progress)
	Drop        *DropContext // nil if staff submitted it
}

// run is one manifest on its way.
type run struct {
	*Issuer
	checkedManifest

	institution vault.Institution
	trigger     vault.Trigger
	name        string // of the batch, where it was given one
	digest      string
	batch       vault.Batch
	out         string
	progress    func(client.Progress)
	drop        *DropContext
	damaged     map[uint64]error // why a verified PDF could not be written, by certificate
}

// Issue issues a manifest: it checks every row, accepts the sound ones, waits for
// their processing, and writes the outcome. The agent must be running. The error
// is about the run as a whole; when rows are bad and Skip is not set, nothing is
// issued and the report says so. The batch is the zero value where there is none.
func (i *Issuer) Issue(ctx context.Context, order Request) (client.BulkReport, vault.Batch, error) {
	r := &run{Issuer: i, institution: order.Institution, trigger: order.Trigger, name: order.Name, checkedManifest: checkedManifest{request: order.Bulk},
		progress: order.Progress, drop: order.Drop}
	report, err := r.execute(ctx)
	return report, r.batch, err
}

func (r *run) execute(ctx context.Context) (_ client.BulkReport, err error) {
	// The database, too, can find the disk full.
	defer func() {
		if err = fsutil.DiskError(err, "issuing a batch"); fault.Is(err, fault.Full) {
			r.Disk.Check()
		}
	}()
	if err := r.check(ctx); err != nil {
		return client.BulkReport{}, err
	}
	defer r.discard()
	if err := r.resolveMissingDocuments(ctx); err != nil {
		return client.BulkReport{}, err
	}
	if err := r.preview(); err != nil {
		return client.BulkReport{}, err
	}
	stopped := !r.request.Skip && r.count(hasProblems) > 0
	if r.request.DryRun || stopped {
		return r.report(), nil
	}
	if err := r.Disk.Accepting(); err != nil {
		return client.BulkReport{}, err
	}
	if err := r.open(ctx); err != nil {
		return client.BulkReport{}, err
	}
	if err := r.issue(ctx); err != nil {
		return client.BulkReport{}, err
	}
	if r.request.NoWait {
		report := r.report()
		return report, r.keepRejected(ctx, report)
	}
	return r.finish(ctx)
}

// check reads the manifest and looks at every row and document.
func (r *run) check(ctx context.Context) error {
	q := r.request
	templates := intake.NewTemplateLoader(r.Templates, r.institution)
	if q.Template != "" {
		if _, err := templates.Load(q.Template); err != nil {
			return fault.At("template "+q.Template, err)
		}
	}
	m, err := ReadManifest(q, string(r.institution.Today(r.Now())), r.institution.SharesAddresses(r.Intake.SharedAddresses))
	if err != nil {
		return err
	}
	files, err := OpenFiles(q)
	if err != nil {
		return err
	}
	defer files.Close()
	listed, err := intake.ListFiles(files)
	if err != nil {
		return err
	}
	r.manifest, r.digest = m, hex.EncodeToString(m.Digest[:])
	found, err := r.Intake.Check(ctx, intake.CheckRequest{
		Institution: r.institution, Manifest: m, Files: files, Listed: listed,
		Trigger: r.trigger, DryRun: q.DryRun, Templates: templates, Template: q.Template,
		ValidFor: vault.Date(q.ValidFor), Names: q.Names, Strict: q.Strict, Cover: q.Cover || r.Cover, Link: r.Institutions.Links().Verify(sampleReference),
		Placement:        vault.Placement{Page: q.QRPage, At: q.QRAt, SizeMM: q.QRSize, MarginMM: q.QRMargin},
		DefaultPlacement: r.DefaultPlacement,
		Progress:         func(done int) { r.reportProgress("checking", done, len(m.Rows)) },
	})
	r.setChecked(found)
	if r.drop != nil {
		r.adviseForDropFolder()
	}
	brings := slices.ContainsFunc(m.Rows, func(row manifest.Row) bool { return row.File != "" })
	r.unreferenced = slices.DeleteFunc(r.unreferenced, func(u manifest.UnreferencedFile) bool { return !brings || r.isOwnFile(u.Name) })
	return err
}

// isOwnFile reports whether a file among the documents is the agent's own work, because
// the outcome or the home lies among them.
func (r *run) isOwnFile(name string) bool {
	if vault.ReferenceInFileName(name) != "" {
		return true
	}
	for _, own := range []string{r.request.Out, string(r.Home)} {
		if own != "" && !within(own, r.request.Files) && within(own, filepath.Join(r.request.Files, name)) {
			return true
		}
	}
	return false
}

func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

func (r *run) reportProgress(stage string, done, total int) {
	r.progress(client.Progress{Stage: stage, Done: done, Total: total})
}

func (r *run) discard() {
	for _, c := range r.candidates {
		c.Discard()
	}
}

// Tests of candidates.
func hasProblems(c *intake.RowResult) bool { return len(c.Problems) > 0 }
func issuable(c *intake.RowResult) bool    { return c.Issuable() }
func isPending(c *intake.RowResult) bool {
	return len(c.Problems) == 0 && c.Certificate != nil && c.Certificate.Status == vault.Processing
}

func (r *run) count(test func(*intake.RowResult) bool) int { return len(r.filter(test)) }

func (r *run) filter(test func(*intake.RowResult) bool) []*intake.RowResult {
	var found []*intake.RowResult
	for _, c := range r.candidates {
		if test(c) {
			found = append(found, c)
		}
	}
	return found
}

// pending finds or makes the batch and the folder of the outcome. A manifest that
// was given before goes on with its batch; one that issues nothing makes none,
// unless it was dropped: each manifest from there has its outcome.
func (r *run) open(ctx context.Context) error {
	if r.out = r.request.Out; r.out != "" {
		if err := makeResultsFolder(r.out, 0o755); err != nil {
			return err
		}
	}
	batch, err := r.Store.FindBatch(ctx, r.institution.ID, r.digest)
	if err == nil && batch.Cancelled() {
		batch, err = r.Store.OpenBatch(ctx, batch) // submitting it again opens it again
	}
	if fault.Is(err, fault.NotFound) && (r.count(issuable) > 0 || r.drop != nil) {
		batch, err = r.makeBatch(ctx)
	}
	if fault.Is(err, fault.NotFound) {
		batch, err = r.earlierBatch(ctx)
	}
	if err != nil {
		return err
	}
	r.batch = batch
	for _, c := range r.candidates {
		c.Draft.Batch = batch.ID
	}
	if r.out != "" || batch.Name == "" || r.name != "" {
		return nil // a batch with a name of its own came through the API, which writes no files
	}
	r.out = filepath.Join(r.Home.ResultsFolder(r.institution.ID), batch.Name)
	return makeResultsFolder(r.out, 0o700)
}

func (r *run) makeBatch(ctx context.Context) (vault.Batch, error) {
	now := r.Now()
	id, err := vault.NewUUID(r.Random, now)
	if err != nil {
		return vault.Batch{}, err
	}
	return r.Store.OpenBatch(ctx, vault.Batch{
		ID: id, Institution: r.institution.ID, Digest: r.digest, Trigger: r.trigger, Template: r.request.Template,
		Name: cmp.Or(r.name, batchName(r.institution.Today(now), r.batchSource())), Total: len(r.candidates), CreatedAt: now,
	})
}

// batchSource is what a batch is named after: the manifest or, where its name says nothing,
// the folder in which it lay.
func (r *run) batchSource() string {
	name := r.request.Name
	if !isGenericName(name) {
		return name
	}
	folder := filepath.Base(filepath.Dir(filepath.Join(r.request.Files, filepath.Base(name))))
	if dir := filepath.Dir(name); dir != "." {
		folder = filepath.Base(dir)
	}
	if r.drop != nil {
		folder = path.Base(r.drop.Folder)
	}
	if manifest.IsArchive(folder) {
		folder = strings.TrimSuffix(folder, path.Ext(folder))
	}
	folder = leadingDate.ReplaceAllString(folder, "")
	if folder == "" || folder == "." || folder == string(filepath.Separator) || folder == ".." {
		return name
	}
	return folder + ".csv" // which goes, and not what stands behind a point of the folder's name
}

// leadingDate is what the names of outcomes begin with.
var leadingDate = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}-`)

// isGenericName reports whether a manifest's name says nothing about its batch.
func isGenericName(name string) bool {
	stem := strings.ToLower(strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)))
	stem = strings.TrimRight(stem, "0123456789 ()_-")
	return slices.Contains([]string{"", "manifest", "data", "list", "liste", "lista", "table", "tabelle", "export", "sheet", "book", "mappe",
		"certificates", "certificate", "zertifikate", "students", "rejected", "file", "untitled", "unbenannt"}, stem) && name != "" && name != "-"
}

// batchName is DATE-MANIFEST, as a folder name that every system takes.
func batchName(today vault.Date, manifestName string) string {
	stem := filepath.Base(manifestName)
	stem = strings.TrimSuffix(stem, filepath.Ext(stem))
	stem = strings.Map(func(c rune) rune {
		if c < ' ' || strings.ContainsRune(`<>:"/\|?*`, c) {
			return '_'
		}
		return c
	}, stem)
	const ends, longest = ". ", 60 // at the end of a name, some systems drop them
	stem = strings.Trim(stem, ends)
	if runes := []rune(stem); len(runes) > longest {
		stem = strings.TrimRight(string(runes[:longest]), ends)
	}
	if stem == "" || stem == "-" {
		stem = "stdin"
	}
	return string(today) + "-" + stem
}

// earlierBatch is the one in which the rows of this manifest were issued; the
// zero value when there is no row at all.
func (r *run) earlierBatch(ctx context.Context) (vault.Batch, error) {
	for _, c := range r.candidates {
		if c.Certificate != nil && c.Certificate.Batch != "" {
			return r.Store.Batch(ctx, r.institution.ID, c.Certificate.Batch)
		}
	}
	return vault.Batch{}, nil
}

// issue accepts the rows and, unless nobody waits, writes out what is verified
// while others are still on their way.
func (r *run) issue(ctx context.Context) error {
	fresh := r.filter(issuable)
	r.requestReadBack(fresh)
	if r.request.NoWait {
		return r.Intake.Accept(ctx, r.institution, fresh, func([]*intake.RowResult) { r.Work.Wake() })
	}
	follower := r.Events.Subscribe()
	defer follower.Stop()
	earlier := r.filter(isPending)
	for _, c := range earlier {
		c.New = true // an earlier run accepted it; this one issues it
	}
	// Some may have been settled since they were looked up, with nobody following.
	if err := r.refresh(ctx); err != nil {
		return err
	}
	w := &waiter{run: r, subscription: follower, total: len(fresh) + len(earlier),
		pending: map[uint64]bool{}, settledEarly: map[uint64]bool{}, owed: map[uint64]bool{}}
	w.add(earlier)
	r.Signing.Wake()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	accepted, ended := make(chan []*intake.RowResult), make(chan error, 1)
	go func() {
		defer close(accepted)
		ended <- r.Intake.Accept(ctx, r.institution, fresh, func(group []*intake.RowResult) {
			r.Work.Wake()
			select {
			case accepted <- group:
			case <-ctx.Done():
			}
		})
	}()
	err := w.wait(ctx, accepted)
	cancel()
	acceptErr := <-ended // being cancelled, where waiting failed
	if err == nil {
		err = acceptErr
	}
	return err
}

// requestReadBack marks the rows whose code is to be read back before it is approved:
// the first one, since a batch's documents are mostly alike, or all.
func (r *run) requestReadBack(fresh []*intake.RowResult) {
	for i, c := range fresh {
		c.Draft.ScanBack = r.request.Scan == "all" || (i == 0 && r.request.Scan != "none")
	}
}

// finish reads the end of every row's story and writes the reports.
func (r *run) finish(ctx context.Context) (client.BulkReport, error) {
	if err := r.refresh(ctx); err != nil {
		return client.BulkReport{}, err
	}
	r.claimEarlier()
	// What an earlier run issued may not have been written out before it ended.
	var approved []vault.Certificate
	for _, c := range r.candidates {
		if len(c.Problems) == 0 && c.Certificate != nil && c.Certificate.Status == vault.Approved && r.out != "" {
			approved = append(approved, *c.Certificate)
		}
	}
	if err := r.export(ctx, approved); err != nil {
		return client.BulkReport{}, err
	}
	report := r.report()
	if err := r.keepRejected(ctx, report); err != nil {
		return report, err
	}
	// A folder that another manifest's batch has keeps that one's reports.
	if r.out == "" || (r.request.Out == "" && r.batch.Digest != r.digest) {
		return report, nil
	}
	if err := r.writeReport(r.Results, r.out, report); err != nil {
		return report, err
	}
	return r.reportLater(ctx, report)
}

// refresh reads the certificates as they are now.
func (r *run) refresh(ctx context.Context) error {
	var ids []uint64
	var which []*intake.RowResult
	for _, c := range r.candidates {
		if c.Certificate != nil {
			ids, which = append(ids, c.Certificate.ID), append(which, c)
		}
	}
	now, err := r.Store.ByID(ctx, ids...)
	if err != nil {
		return err
	}
	for i, c := range which {
		c.Certificate = &now[i]
	}
	return nil
}
