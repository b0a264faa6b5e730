package batch

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/client/remotebulk"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
)

// RemoteOptions are what is needed to issue a manifest on a remote vault.
type RemoteOptions struct {
	Client    *client.Client
	Notes     string        // the folder of the notes about remote batches
	Templates template.Dir  // the remote vault does not need to have them
	Wait      time.Duration // bounds the wait for certificates; 0 is remotebulk.DefaultWait
	// SharedAddresses says that several people may have one address, title and issue date on the
	// vault.
	SharedAddresses bool
	Now             func() time.Time
	Sleep           func(context.Context, time.Duration) error
}

// Remote is a manifest on its way to a remote vault.
type Remote struct {
	RemoteOptions
	// Institution is the one whose name and time zone this home's templates and
	// rows without a date get.
	Institution vault.Institution

	checkedManifest

	templates *intake.TemplateLoader
	notes     *remotebulk.Notes
	items     []remotebulk.Item
	places    []int // of the items among the candidates
	outcomes  []remotebulk.Outcome
	batch     string
}

// NewRemote reads a manifest, and the notes of earlier runs.
func NewRemote(o RemoteOptions, q adminclient.BulkRequest) (*Remote, error) {
	m, err := ReadManifest(q, o.Now().Format(time.DateOnly), o.SharedAddresses)
	if err != nil {
		return nil, err
	}
	r := &Remote{RemoteOptions: o, checkedManifest: checkedManifest{request: q, manifest: m}}
	if r.notes, err = remotebulk.OpenNotes(o.Notes, o.Client.Base(), m.Digest); err != nil {
		return nil, err
	}
	r.templates = intake.NewTemplateLoader(o.Templates, vault.Institution{})
	if q.Template != "" {
		if _, err := r.templates.Load(q.Template); err != nil {
			return nil, fault.At("template "+q.Template, err)
		}
	}
	return r, nil
}

// ShowsInstitution reports whether a document that a template makes shows the name of
// the institution.
func (r *Remote) ShowsInstitution() bool {
	return slices.ContainsFunc(r.manifest.Rows, func(row manifest.Row) bool {
		name := cmp.Or(row.Template, r.request.Template)
		if row.File != "" || name == "" {
			return false
		}
		p, err := r.templates.Load(name) // the check of the row reports an error
		return err == nil && p.HasColumn(template.InstitutionColumn)
	})
}

// Issue checks every row and sends the sound ones to the vault. The error is about the
// run as a whole; when rows are bad and Skip is not set, nothing is issued and the
// report says so.
func (r *Remote) Issue(ctx context.Context, progress func(client.Progress)) (client.BulkReport, error) {
	if err := r.check(ctx, progress); err != nil {
		return client.BulkReport{}, err
	}
	q := r.request
	if !slices.ContainsFunc(r.candidates, hasProblems) || q.Skip || q.DryRun {
		if err := r.send(ctx, progress); err != nil {
			return client.BulkReport{}, err
		}
	}
	report := r.report()
	if q.Out == "" || q.DryRun || q.NoWait || !r.hasResults() {
		return report, nil
	}
	report.Out = q.Out
	if err := makeResultsFolder(q.Out, 0o755); err != nil {
		return client.BulkReport{}, err
	}
	if err := r.download(ctx, &report); err != nil {
		return client.BulkReport{}, err
	}
	return report, r.writeReport(&results.Exporter{}, q.Out, report)
}

// hasResults reports whether the vault has any of the rows. Where it has not, there is
// nothing to write.
func (r *Remote) hasResults() bool {
	return slices.ContainsFunc(r.outcomes, func(o remotebulk.Outcome) bool {
		return o.Status == client.RowIssued || o.Status == client.RowUnchanged || o.Status == client.RowRevoked || o.Status == client.RowProcessing || o.Status == client.RowFailed
	})
}

// check checks the rows and their documents, as a local vault would. Documents of
// templates are made here.
func (r *Remote) check(ctx context.Context, progress func(client.Progress)) error {
	q := r.request
	files, err := OpenFiles(q)
	if err != nil {
		return err
	}
	defer files.Close()
	var listed []string
	if slices.ContainsFunc(r.manifest.Rows, func(row manifest.Row) bool { return row.File != "" }) {
		if listed, err = intake.ListFiles(files); err != nil {
			return err
		}
	}
	in := intake.Intake{Store: uncheckedStore{r.notes}, Now: r.Now, SharedAddresses: r.SharedAddresses}
	found, err := in.Check(ctx, intake.CheckRequest{
		Institution: r.Institution, Manifest: r.manifest, Files: files, Listed: listed,
		Trigger: vault.BulkUpload, DryRun: true, Templates: r.templates, Template: q.Template,
		ValidFor: vault.Date(q.ValidFor), Names: q.Names, Strict: q.Strict, Cover: q.Cover,
		Placement: vault.Placement{Page: q.QRPage, At: q.QRAt, SizeMM: q.QRSize, MarginMM: q.QRMargin},
		Progress: func(done int) {
			progress(client.Progress{Stage: "checking", Done: done, Total: len(r.manifest.Rows)})
		},
	})
	r.setChecked(found)
	return err
}

// send sends the sound rows to the vault.
func (r *Remote) send(ctx context.Context, progress func(client.Progress)) (err error) {
	q := r.request
	uploader := remotebulk.Uploader{
		Client: r.Client, Name: r.notes.Name, Skip: q.Skip, NoWait: q.NoWait, Wait: r.Wait, Shared: r.SharedAddresses,
		Now: r.Now, Sleep: r.Sleep, Progress: progress,
	}
	undated := r.addItems()
	if q.DryRun {
		r.outcomes, err = uploader.Plan(ctx, r.items)
		return err
	}
	if uploader.Journal, err = r.notes.OpenJournal(r.Institution.Today(r.Now())); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, uploader.Journal.Close()) }()
	if err := r.notes.Dates.Add(undated); err != nil {
		return err
	}
	r.outcomes, r.batch, err = uploader.Run(ctx, r.items)
	return err
}

// addItems adds an item for each sound row, and returns the dates that rows without
// one were given.
func (r *Remote) addItems() map[vault.Key]vault.Date {
	undated := map[vault.Key]vault.Date{}
	for i, c := range r.candidates {
		if hasProblems(c) {
			continue
		}
		d := c.Draft
		if d.Undated {
			undated[d.FreezeKey()] = d.IssueDate
		}
		r.places = append(r.places, i)
		r.items = append(r.items, remotebulk.Item{Number: c.Row.Number, SHA256: d.File.SHA256, Origin: d.File.Origin, Certificate: client.NewCertificate{
			Content: client.NewContent(d.Content),
			QR:      client.Placement(d.Placement), File: client.Document{Name: d.File.Name, Size: d.File.Size, Open: r.opener(c)},
		}})
	}
	return undated
}

// opener opens a row's document. One of a template is made again: it is the same
// each time.
func (r *Remote) opener(c *intake.RowResult) func() (io.ReadCloser, error) {
	if c.Renderer == nil {
		file := filepath.Join(r.request.Files, filepath.FromSlash(c.Path()))
		return func() (io.ReadCloser, error) { return os.Open(file) }
	}
	return func() (io.ReadCloser, error) {
		document, err := c.Document()
		return io.NopCloser(bytes.NewReader(document)), err
	}
}

// report returns the state of every row.
func (r *Remote) report() client.BulkReport {
	report := r.newReport()
	report.BatchID = r.batch
	outcomes := make([]remotebulk.Outcome, len(r.candidates))
	ignored := false
	for n, o := range r.outcomes {
		outcomes[r.places[n]] = o
		ignored = ignored || o.Status == client.RowIssued && o.Certificate != nil && o.Certificate.IgnoresPlacement(r.items[n].Certificate.QR)
	}
	if ignored {
		report.Notes = append(report.Notes, client.PlacementIgnoredMessage)
	}
	for i, c := range r.candidates {
		if hasProblems(c) {
			report.Add(rejectedRow(c))
			continue
		}
		o := outcomes[i]
		row := client.BulkRow{Row: c.Row.Number, File: c.Row.File, Status: cmp.Or(o.Status, client.RowNotIssued), Error: o.Error}
		if o.Certificate != nil {
			row.UUID, row.ReferenceID = o.Certificate.UUID, o.Certificate.ReferenceID
		}
		report.Add(row)
	}
	return report
}

// download downloads the verified PDFs. It does not write over what is in the folder
// already. A document that cannot be downloaded fails its row alone.
func (r *Remote) download(ctx context.Context, report *client.BulkReport) error {
	var gone error // the vault does not answer any more
	for n, o := range r.outcomes {
		if o.Certificate == nil || !o.Certificate.Status.Is(vault.Approved) || o.Status == client.RowRejected {
			continue
		}
		i := r.places[n]
		row := report.Rows[i]
		// The server's word does not name a file outside the folder.
		reference := filepath.Base(row.ReferenceID)
		file := vault.Certificate{File: r.candidates[i].Draft.File, Identity: vault.Identity{Reference: reference}}.VerifiedFileName()
		err := gone
		if err == nil {
			err = r.downloadOne(ctx, row.UUID, filepath.Join(report.Out, file))
		}
		message, said := fault.Message(err)
		switch {
		case err == nil:
			row.File = file
		case ctx.Err() != nil, !said, fault.Is(err, fault.Full), fault.Is(err, fault.Unauthenticated), fault.Is(err, fault.Forbidden):
			return err
		case fault.Is(err, fault.NotFound):
			row.Status, row.Error = client.RowProcessing, message
		default:
			row.Status, row.Error = client.RowFailed, "its verified PDF cannot be downloaded; run the same command again: "+message
			if fault.Is(err, fault.Unavailable) {
				gone = err
			}
		}
		report.Replace(i, row)
	}
	return nil
}

func (r *Remote) downloadOne(ctx context.Context, uuid, file string) error {
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	return fsutil.WriteFile(file, 0o600, func(to io.Writer) error {
		_, err := r.Client.Download(ctx, uuid, to)
		return err
	})
}

// uncheckedStore takes the place of the store of a remote vault, which is asked later. Rows
// without a date have the one with which they were first sent, or that of the manifest's
// first run.
type uncheckedStore struct{ notes *remotebulk.Notes }

func (uncheckedStore) Insert(context.Context, []store.NewCertificate) ([]store.InsertResult, error) {
	return nil, fmt.Errorf("inserting certificates: %w", errors.ErrUnsupported)
}

func (uncheckedStore) KeyHolders(_ context.Context, _ uint32, keys []vault.Key) ([]*vault.Certificate, error) {
	return make([]*vault.Certificate, len(keys)), nil
}

func (uncheckedStore) ByVerifiedSHA256(_ context.Context, sums ...string) ([]*vault.Certificate, error) {
	return make([]*vault.Certificate, len(sums)), nil
}

func (uncheckedStore) ByReference(context.Context, string) (vault.Certificate, error) {
	return vault.Certificate{}, fault.New(fault.NotFound, "the remote vault is asked later")
}

func (uncheckedStore) Certificate(context.Context, uint32, string) (vault.Certificate, error) {
	return vault.Certificate{}, fault.New(fault.NotFound, "Certificate not found.")
}

func (s uncheckedStore) FrozenDates(_ context.Context, _ uint32, keys []vault.Key) ([]vault.Date, error) {
	dates := make([]vault.Date, len(keys))
	for i, key := range keys {
		dates[i] = cmp.Or(s.notes.Dates.Date(key), s.notes.FirstDate)
	}
	return dates, nil
}
