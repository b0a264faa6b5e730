package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/intake"
	reports "github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/courier"
	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// remoteBatch is a manifest on its way to a vault elsewhere.
type remoteBatch struct {
	request    staff.BulkRequest
	manifest   *manifest.Manifest
	unnamed    []manifest.UnreferencedFile
	candidates []*intake.RowResult
	rows       []courier.Row
	places     []int // of the rows among the candidates
	outcomes   map[int]courier.Outcome
	batch      string

	name  string // of the batch: what tells it from others
	notes string // file of what was done of it
	first string // day on which it was sent first; "" before that
	today string // what the notes begin with
	days  *courier.Days
}

// runRemoteBulk issues a manifest on the vault that --api names.
func runRemoteBulk(c *cli.Context, w world, s *session, q staff.BulkRequest, f form) error {
	bar := newProgress(c, w)
	b := &remoteBatch{request: q, outcomes: map[int]courier.Outcome{}}
	if err := b.check(c, w, s, bar.tell); err != nil {
		bar.clear()
		return err
	}
	bad := len(b.candidates) - len(b.sound())
	if bad == 0 || q.Skip || q.DryRun {
		if err := b.carry(c, s, bar.tell); err != nil {
			bar.clear()
			return err
		}
	}
	bar.clear()
	report := b.report()
	if q.Out != "" && !q.DryRun && !q.NoWait && report.BatchID != "" {
		if err := b.export(c.Context, s.WithRetries(client.Patient()), &report); err != nil {
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

func (b *remoteBatch) sound() []*intake.RowResult {
	var sound []*intake.RowResult
	for _, c := range b.candidates {
		if len(c.Problems) == 0 {
			sound = append(sound, c)
		}
	}
	return sound
}

// carry brings the sound rows to the vault.
func (b *remoteBatch) carry(c *cli.Context, s *session, tell func(client.Progress)) (err error) {
	carrier := courier.Courier{
		Client: s.WithRetries(client.Patient()), Name: b.name, Skip: b.request.Skip, NoWait: b.request.NoWait,
		Now: time.Now, Sleep: wake.Sleep, Progress: tell,
	}
	b.gather()
	if b.request.DryRun {
		outcomes, err := carrier.Look(c.Context, b.rows)
		b.keep(outcomes)
		return err
	}
	if carrier.Journal, err = courier.OpenJournal(b.notes, b.today); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, carrier.Journal.Close()) }()
	if err := b.noteDates(); err != nil {
		return err
	}
	outcomes, batch, err := carrier.Carry(c.Context, b.rows)
	b.batch = batch
	b.keep(outcomes)
	return err
}

// gather makes the courier's rows of the sound candidates.
func (b *remoteBatch) gather() {
	for i, one := range b.candidates {
		if len(one.Problems) > 0 {
			continue
		}
		d := one.Draft
		b.places = append(b.places, i)
		b.rows = append(b.rows, courier.Row{Number: one.Row.Number, SHA256: d.File.SHA256, Origin: d.File.Origin, Certificate: client.NewCertificate{
			Title: d.Title, Name: d.Name, Email: d.Email, IssueDate: string(d.IssueDate), Details: d.Details,
			QR: client.Placement(d.Placement), File: client.Document{Name: d.File.Name, Size: d.File.Size, Open: b.opens(one)},
		}})
	}
}

// opens reads a row's document, or makes it again: it is the same each time.
func (b *remoteBatch) opens(one *intake.RowResult) func() (io.ReadCloser, error) {
	if one.Renderer == nil {
		file := filepath.Join(b.request.Files, filepath.FromSlash(one.Path()))
		return func() (io.ReadCloser, error) { return os.Open(file) }
	}
	return func() (io.ReadCloser, error) {
		made, err := one.Document()
		return io.NopCloser(bytes.NewReader(made)), err
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
	r.Notes = append(r.Notes, manifest.DescribeUnreferenced(b.unnamed)...)
	if b.misplaced() {
		r.Notes = append(r.Notes, placeIgnored)
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
		if o := b.outcomes[i]; o.Certificate != nil && o.Certificate.Status.Is(vault.Approved) {
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
	return reports.WriteReport(r.Out, lines, b.manifest, rejected)
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
