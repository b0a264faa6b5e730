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
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/client/remotebulk"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// remoteBatch is a manifest on its way to a vault elsewhere.
type remoteBatch struct {
	request      adminclient.BulkRequest
	manifest     *manifest.Manifest
	unreferenced []manifest.UnreferencedFile
	candidates   []*intake.RowResult
	items        []remotebulk.Item
	places       []int // of the rows among the candidates
	outcomes     map[int]remotebulk.Outcome
	batch        string

	name      string // of the batch: what tells it from others
	journal   string // file of what was done of it
	firstDate string // day on which it was sent first; "" before that
	today     string // what the notes begin with
	dates     *remotebulk.FrozenDates
}

// runRemoteBulk issues a manifest on the vault that --api names.
func runRemoteBulk(c *cli.Context, w environment, s *session, q adminclient.BulkRequest, f outputFormat) error {
	bar := newProgress(c, w)
	b := &remoteBatch{request: q, outcomes: map[int]remotebulk.Outcome{}}
	if err := b.check(c, w, s, bar.update); err != nil {
		bar.clear()
		return err
	}
	bad := len(b.candidates) - len(b.sound())
	if bad == 0 || q.Skip || q.DryRun {
		if err := b.run(c, s, bar.update); err != nil {
			bar.clear()
			return err
		}
	}
	bar.clear()
	report := b.report()
	if q.Out != "" && !q.DryRun && !q.NoWait && report.BatchID != "" {
		if err := b.export(c.Context, s.WithRetries(client.RetryTransient()), &report); err != nil {
			return err
		}
	}
	if err := printReport(w, f, q, report); err != nil {
		return err
	}
	if report.Failed > 0 && report.Issued+report.Unchanged > 0 {
		return exitStatus(exitPartly)
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

// run brings the sound rows to the vault.
func (b *remoteBatch) run(c *cli.Context, s *session, tell func(client.Progress)) (err error) {
	carrier := remotebulk.Uploader{
		Client: s.WithRetries(client.RetryTransient()), Name: b.name, Skip: b.request.Skip, NoWait: b.request.NoWait,
		Now: time.Now, Sleep: wake.Sleep, Progress: tell,
	}
	b.buildItems()
	if b.request.DryRun {
		outcomes, err := carrier.Plan(c.Context, b.items)
		b.recordOutcomes(outcomes)
		return err
	}
	if carrier.Journal, err = remotebulk.OpenJournal(b.journal, b.today); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, carrier.Journal.Close()) }()
	if err := b.saveDates(); err != nil {
		return err
	}
	outcomes, batch, err := carrier.Run(c.Context, b.items)
	b.batch = batch
	b.recordOutcomes(outcomes)
	return err
}

// buildItems makes the courier's rows of the sound candidates.
func (b *remoteBatch) buildItems() {
	for i, one := range b.candidates {
		if len(one.Problems) > 0 {
			continue
		}
		d := one.Draft
		b.places = append(b.places, i)
		b.items = append(b.items, remotebulk.Item{Number: one.Row.Number, SHA256: d.File.SHA256, Origin: d.File.Origin, Certificate: client.NewCertificate{
			Content: client.NewContent(d.Content),
			QR:      client.Placement(d.Placement), File: client.Document{Name: d.File.Name, Size: d.File.Size, Open: b.opener(one)},
		}})
	}
}

// opener reads a row's document, or makes it again: it is the same each time.
func (b *remoteBatch) opener(one *intake.RowResult) func() (io.ReadCloser, error) {
	if one.Renderer == nil {
		file := filepath.Join(b.request.Files, filepath.FromSlash(one.Path()))
		return func() (io.ReadCloser, error) { return os.Open(file) }
	}
	return func() (io.ReadCloser, error) {
		made, err := one.Document()
		return io.NopCloser(bytes.NewReader(made)), err
	}
}

func (b *remoteBatch) recordOutcomes(outcomes []remotebulk.Outcome) {
	for n, o := range outcomes {
		b.outcomes[b.places[n]] = o
	}
}

// report says what became of every row.
func (b *remoteBatch) report() client.BulkReport {
	r := client.BulkReport{BatchID: b.batch, Total: len(b.candidates), Notes: b.manifest.Notes, Rows: make([]client.BulkRow, len(b.candidates))}
	r.Notes = append(r.Notes, manifest.DescribeUnreferenced(b.unreferenced)...)
	if b.placementIgnored() {
		r.Notes = append(r.Notes, placementIgnoredText)
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
			row.File = vault.Certificate{File: d.File, Identity: vault.Identity{Reference: filepath.Base(row.ReferenceID)}}.VerifiedFileName()
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
