package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/intake"
	reports "github.com/vecctl/vecctl/agent/outcome"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/courier"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// remoteBatch is a manifest on its way to a vault elsewhere.
type remoteBatch struct {
	request    client.BulkRequest
	manifest   *manifest.Manifest
	unnamed    []manifest.Unnamed
	candidates []*intake.Candidate
	rows       []courier.Row
	places     []int // of the rows among the candidates
	outcomes   map[int]courier.Outcome
	batch      string
}

// runRemoteBulk issues a manifest on the vault that --api names.
func runRemoteBulk(c *cli.Context, w world, s *session, q client.BulkRequest, f form) error {
	bar := newProgress(c, w)
	b := &remoteBatch{request: q, outcomes: map[int]courier.Outcome{}}
	if err := b.check(c.Context, w, bar.tell); err != nil {
		bar.clear()
		return err
	}
	bad := len(b.candidates) - len(b.sound())
	if bad == 0 || q.Skip || q.DryRun {
		if err := b.carry(c, w, s, bar.tell); err != nil {
			bar.clear()
			return err
		}
	}
	bar.clear()
	report := b.report()
	if q.Out != "" && !q.DryRun && !q.NoWait && report.BatchID != "" {
		if err := b.export(c.Context, s.Client, &report); err != nil {
			return err
		}
	}
	if err := printReport(w, f, q, report); err != nil {
		return err
	}
	if report.Failed > 0 && report.Issued+report.Unchanged > 0 {
		return outcome(exitPartly)
	}
	return bulkOutcome(q, report)
}

// check looks at the manifest and its documents, as a local vault would.
func (b *remoteBatch) check(ctx context.Context, w world, tell func(client.Progress)) error {
	q := b.request
	m, err := manifest.Read(q.Manifest, manifest.Options{
		Name: q.Name, DateFormat: q.DateFormat, Delimiter: q.Delimiter,
		Encoding: q.Encoding, Sheet: q.Sheet, Map: q.Map, MaxRows: manifest.LargestMaxRows,
	})
	if err != nil {
		return err
	}
	files, err := os.OpenRoot(q.Files)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, fmt.Sprintf(
			"the folder of the documents, %s, cannot be opened; name the right one with --files", q.Files))
	}
	defer files.Close()
	listed, err := intake.List(files)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "vecctl-*")
	if err != nil {
		return blob.DiskError(err, "making a temporary folder")
	}
	defer os.RemoveAll(scratch)
	blobs, err := blob.Open(scratch)
	if err != nil {
		return err
	}
	look := intake.Intake{Ledger: nothingIssued{}, Blobs: blobs, Now: time.Now}
	b.manifest = m
	b.candidates, b.unnamed, err = look.Check(ctx, intake.Order{
		Institution: vault.Institution{TimeZone: localZone(w)}, Manifest: m, Files: files, Listed: listed,
		Trigger: vault.BulkUpload, KeepNothing: true,
		Progress: func(done int) { tell(client.Progress{Stage: "checking", Done: done, Total: len(m.Rows)}) },
	})
	return err
}

// nothingIssued is the ledger of a vault that is asked later.
type nothingIssued struct{}

func (nothingIssued) Accept(context.Context, []store.Acceptance) ([]store.Accepted, error) {
	return nil, errors.New("nothing is accepted here")
}

func (nothingIssued) Holders(_ context.Context, _ uint32, keys []vault.Key) ([]*vault.Certificate, error) {
	return make([]*vault.Certificate, len(keys)), nil
}

func (nothingIssued) Frozen(_ context.Context, _ uint32, keys []vault.Key) ([]vault.Date, error) {
	return make([]vault.Date, len(keys)), nil
}

func (b *remoteBatch) sound() []*intake.Candidate {
	var sound []*intake.Candidate
	for _, c := range b.candidates {
		if len(c.Problems) == 0 {
			sound = append(sound, c)
		}
	}
	return sound
}

// carry brings the sound rows to the vault.
func (b *remoteBatch) carry(c *cli.Context, w world, s *session, tell func(client.Progress)) (err error) {
	dir, err := homeDir(c, w)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(s.Base() + "\x00" + hex.EncodeToString(b.manifest.Digest[:])))
	name := hex.EncodeToString(sum[:16])
	today := vault.Institution{TimeZone: localZone(w)}.Today(time.Now())
	carrier := courier.Courier{
		Client: s.WithRetries(client.Patient()), Name: name, Skip: b.request.Skip, NoWait: b.request.NoWait,
		Now: time.Now, Sleep: sleep, Progress: tell,
	}
	if b.request.DryRun {
		b.gather(string(today))
		outcomes, err := carrier.Look(c.Context, b.rows)
		b.keep(outcomes)
		return err
	}
	if carrier.Journal, err = courier.OpenJournal(remoteNotes(dir, name), string(today)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, carrier.Journal.Close()) }()
	b.gather(carrier.Journal.Today())
	outcomes, batch, err := carrier.Carry(c.Context, b.rows)
	b.batch = batch
	b.keep(outcomes)
	return err
}

// remoteNotes is where it is noted what was done of a manifest on another vault.
func remoteNotes(dir home.Dir, name string) string {
	return filepath.Join(dir.Remote(), name+".jsonl")
}

// gather makes the courier's rows of the sound candidates.
func (b *remoteBatch) gather(today string) {
	for i, one := range b.candidates {
		if len(one.Problems) > 0 {
			continue
		}
		d := one.Draft
		if d.Undated {
			d.IssueDate = vault.Date(today)
		}
		file := filepath.Join(b.request.Files, filepath.FromSlash(one.Path()))
		b.places = append(b.places, i)
		b.rows = append(b.rows, courier.Row{Number: one.Row.Number, SHA256: d.File.SHA256, Certificate: client.NewCertificate{
			Title: d.Title, Name: d.Name, Email: d.Email, IssueDate: string(d.IssueDate), Details: d.Details,
			File: client.Document{Name: path.Base(one.Path()), Size: d.File.Size,
				Open: func() (io.ReadCloser, error) { return os.Open(file) }},
		}})
	}
}

func (b *remoteBatch) keep(outcomes []courier.Outcome) {
	for n, o := range outcomes {
		b.outcomes[b.places[n]] = o
	}
}

// report says what became of every row.
func (b *remoteBatch) report() client.BulkReport {
	r := client.BulkReport{BatchID: b.batch, Total: len(b.candidates), Notes: b.manifest.Notes, Rows: make([]client.BulkRow, len(b.candidates))}
	for _, u := range b.unnamed {
		r.Notes = append(r.Notes, u.String())
	}
	for i, one := range b.candidates {
		o := b.outcomes[i]
		row := client.BulkRow{Row: one.Row.Number, File: one.Row.File, Status: cmp.Or(o.Status, client.RowNotIssued), Error: o.Error}
		if len(one.Problems) > 0 {
			row.Status, row.Error = client.RowRejected, strings.Join(one.Problems, "; ")
		}
		if o.Certificate != nil {
			row.UUID, row.ReferenceID = o.Certificate.UUID, o.Certificate.ReferenceID
		}
		switch row.Status {
		case client.RowIssued:
			r.Issued++
		case client.RowUnchanged:
			r.Unchanged++
		case client.RowFailed, client.RowRejected:
			r.Failed++
		}
		r.Rows[i] = row
	}
	return r
}

// export downloads the verified PDFs, and writes the reports beside them. What
// lies there already is left alone.
func (b *remoteBatch) export(ctx context.Context, api *client.Client, r *client.BulkReport) error {
	if err := os.MkdirAll(b.request.Out, 0o755); err != nil {
		return blob.DiskError(err, "making the folder of the outcome")
	}
	r.Out = b.request.Out
	lines, rejected := make([]manifest.ReportRow, len(r.Rows)), map[int]string{}
	for i := range r.Rows {
		row, d := &r.Rows[i], b.candidates[i].Draft
		if o := b.outcomes[i]; o.Certificate != nil && o.Certificate.Status.Value == string(vault.Approved) {
			row.File = reports.FileName(vault.Certificate{File: d.File, Identity: vault.Identity{Reference: filepath.Base(row.ReferenceID)}})
			if err := fetch(ctx, api, row.UUID, filepath.Join(r.Out, row.File)); err != nil {
				return err
			}
		}
		if row.Status == client.RowRejected {
			rejected[row.Row] = row.Error
		}
		lines[i] = manifest.ReportRow{
			Row: row.Row, Status: string(row.Status), UUID: row.UUID, ReferenceID: row.ReferenceID, File: row.File, Error: row.Error,
			Name: d.Name, Email: d.Email, Title: d.Title, IssueDate: string(d.IssueDate),
		}
	}
	return reports.Report(r.Out, lines, b.manifest, rejected)
}

func fetch(ctx context.Context, api *client.Client, uuid, file string) error {
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	return blob.WriteFile(file, 0o600, func(to io.Writer) error {
		_, err := api.Download(ctx, uuid, to)
		return err
	})
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
