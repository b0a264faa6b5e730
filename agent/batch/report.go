package batch

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/vault"
)

// report says what has become of every row by now.
func (r *run) report() client.BulkReport {
	report := client.BulkReport{
		BatchID: r.batch.ID, Total: len(r.candidates), Out: r.out,
		Notes: r.manifest.Notes, Rows: make([]client.BulkRow, len(r.candidates)),
	}
	report.Notes = append(report.Notes, manifest.DescribeUnreferenced(r.unreferenced)...)
	for i, c := range r.candidates {
		report.Rows[i] = r.row(c)
		switch report.Rows[i].Status {
		case client.RowIssued:
			report.Issued++
		case client.RowUnchanged:
			report.Unchanged++
		case client.RowFailed, client.RowRejected:
			report.Failed++
		}
	}
	return report
}

func (r *run) row(c *intake.RowResult) client.BulkRow {
	row := client.BulkRow{Row: c.Row.Number, File: c.Row.File}
	switch {
	case len(c.Problems) > 0:
		row.Status, row.Error = client.RowRejected, strings.Join(c.Problems, "; ")
		return row
	case c.Certificate == nil && r.request.DryRun:
		row.Status = client.RowReady
		return row
	case c.Certificate == nil:
		row.Status = client.RowNotIssued
		return row
	}
	row.UUID, row.ReferenceID = c.Certificate.UUID, c.Certificate.Reference
	switch c.Certificate.Status {
	case vault.Processing:
		row.Status = client.RowProcessing
	case vault.Failed:
		row.Status, row.Error = client.RowFailed, c.Certificate.Failure.Reason
	case vault.Approved, vault.Revoked:
		row.File = ""
		if c.Certificate.ErasedAt == nil {
			row.File = c.Certificate.VerifiedFileName()
		}
		row.Status = client.RowUnchanged
		if c.New {
			row.Status = client.RowIssued
		}
	}
	return row
}

func (r *run) reportRows(report client.BulkReport) []manifest.ReportRow {
	rows := make([]manifest.ReportRow, len(report.Rows))
	for i, row := range report.Rows {
		d := r.candidates[i].Draft
		rows[i] = manifest.ReportRow{
			Row: row.Row, Status: string(row.Status), UUID: row.UUID, ReferenceID: row.ReferenceID,
			File: row.File, Error: row.Error,
			Name: d.Name, Email: d.Email, Title: d.Title, IssueDate: string(d.IssueDate),
		}
	}
	return rows
}

// removeErased takes those out of the outcome whose data were erased while it was written;
// whoever erases later finds it himself.
func (r *run) removeErased(ctx context.Context) error {
	if err := r.refresh(ctx); err != nil {
		return err
	}
	var gone []vault.Certificate
	for _, c := range r.candidates {
		if c.Certificate != nil && c.Certificate.ErasedAt != nil {
			gone = append(gone, *c.Certificate)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	_, err := results.EraseIn(r.out, gone)
	return err
}

// rejected are the reasons of the rows that were not issued, by row.
func (r *run) rejected() map[int]string {
	reasons := map[int]string{}
	for _, c := range r.candidates {
		if len(c.Problems) > 0 {
			reasons[c.Row.Number] = strings.Join(c.Problems, "; ")
		}
	}
	return reasons
}

// makeResultsFolder makes the folder of an outcome.
func makeResultsFolder(dir string, perm os.FileMode) error {
	err := blob.DiskError(os.MkdirAll(dir, perm), "making the folder of the outcome")
	if _, ok := fault.Message(err); err == nil || ok {
		return err
	}
	return fault.Wrap(fault.Invalid, err, fmt.Sprintf("the folder %s cannot be made; name another with --out", dir))
}
