package batch

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/vault"
)

// checkedManifest is a manifest whose rows were checked.
type checkedManifest struct {
	request      adminclient.BulkRequest
	manifest     *manifest.Manifest
	candidates   []*intake.RowResult // one for each row
	unreferenced []manifest.UnreferencedFile
	notes        []string // of the check
	warnings     []string // of the check
	reading      []string // what the check found, behind how the manifest was read
	covered      []client.CoveredDocument
}

// setChecked keeps what the check found.
func (m *checkedManifest) setChecked(found intake.CheckResult) {
	m.candidates, m.unreferenced, m.notes, m.warnings = found.Rows, found.Unreferenced, found.Notes, found.Warnings
	m.reading = nil
	for _, line := range []string{found.Names, found.Place} {
		if line != "" {
			m.reading = append(m.reading, "  "+line)
		}
	}
	m.covered = nil
	for _, c := range found.Covered {
		m.covered = append(m.covered, client.CoveredDocument{Row: c.Row, File: c.File, Page: c.Coverage.Page, At: c.Coverage.Place,
			Covers: c.Coverage.Describe(), Free: c.Coverage.Instead()})
	}
}

// reportNotes returns the notes about the manifest and its files.
func (m *checkedManifest) reportNotes() []string {
	return slices.Concat(m.manifest.Notes, m.notes, manifest.DescribeUnreferenced(m.unreferenced))
}

// newReport is a report without rows yet, which says how the manifest was read.
func (m *checkedManifest) newReport() client.BulkReport {
	report := client.BulkReport{Rows: []client.BulkRow{}, Columns: []client.ManifestColumn{}, Notes: m.reportNotes(),
		Sheet: m.manifest.Sheet, Defaults: m.manifest.Defaults, Reading: slices.Concat(m.manifest.DescribeReading(), m.reading), Warnings: m.warnings, Covered: m.covered}
	for _, c := range m.manifest.Columns {
		one := client.ManifestColumn{Heading: c.Heading, Letter: c.Letter, Hidden: c.Hidden}
		if c.Field != "" {
			one.Field = &c.Field
		}
		report.Columns = append(report.Columns, one)
	}
	const samples = 2
	for _, row := range m.manifest.Rows[:min(len(m.manifest.Rows), samples)] {
		fields := map[string]string{}
		for _, f := range m.manifest.Sample(row) {
			fields[f.Field] = f.Value
		}
		report.FirstRows = append(report.FirstRows, fields)
	}
	return report
}

// rejectedRow returns the report's line about a row that the check rejected.
func rejectedRow(c *intake.RowResult) client.BulkRow {
	return client.BulkRow{Row: c.Row.Number, File: c.Row.File, Status: client.RowRejected, Error: strings.Join(c.Problems, "; ")}
}

// writeReport writes the report as files into a folder.
func (m *checkedManifest) writeReport(to *results.Exporter, dir string, report client.BulkReport) error {
	rows := make([]manifest.ReportRow, len(report.Rows))
	for i, row := range report.Rows {
		rows[i] = manifest.ReportRow{
			Row: row.Row, Status: string(row.Status), UUID: row.UUID, ReferenceID: row.ReferenceID,
			File: row.File, Error: row.Error, Content: m.candidates[i].Draft.Content,
			Level: vault.SealLevel(row.Level), LevelOwed: vault.SealLevel(row.LevelOwed),
		}
		for _, f := range vault.Fields() {
			given := m.candidates[i].Row
			if row.Status == client.RowRejected && f.Kind == vault.DateField && f.Get(given.Content) == "" {
				// A refused date is reported as it was given, and none as none.
				f.Set(&rows[i].Content, m.manifest.Given(given, f.Key))
			}
		}
	}
	if err := to.WriteReport(dir, rows, m.manifest); err != nil {
		return err
	}
	return results.WriteReading(dir, slices.Concat(report.Reading, report.Notes, report.Warnings))
}

// report returns the current state of every row.
func (r *run) report() client.BulkReport {
	report := r.newReport()
	report.BatchID, report.Out, report.ReportOnly = r.batch.ID, r.out, r.out != "" && r.keepsNoPDFs()
	for _, c := range r.candidates {
		report.Add(r.row(c))
	}
	if n := report.TimestampsOwed; n > 0 {
		report.Warnings = append(slices.Clone(report.Warnings), fmt.Sprintf(
			"%d verified PDFs lack their time stamp, since no time stamp server answered as it should; an agent adds it as soon as one does (vecctl status counts them, vecctl doctor says what is wrong)", n))
	}
	if n := report.LevelsOwed; n > 0 {
		report.Warnings = append(slices.Clone(report.Warnings), fmt.Sprintf(
			"%d verified PDFs do not have the level of signing.level yet; an agent adds what they lack as soon as it can (vecctl status counts them and says what is wrong)", n))
	}
	return report
}

func (r *run) row(c *intake.RowResult) client.BulkRow {
	row := client.BulkRow{Row: c.Row.Number, File: c.Row.File}
	switch {
	case len(c.Problems) > 0:
		return rejectedRow(c)
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
		if v := c.Certificate.Verified; v != nil {
			is, owed := v.Seal()
			row.TimestampOwed, row.Level, row.LevelOwed = v.TimestampOwed, string(is), string(owed)
		}
		row.Status = client.RowUnchanged
		if c.Certificate.Status == vault.Revoked {
			row.Status = client.RowRevoked
		}
		if c.New {
			row.Status = client.RowIssued
		}
		if err := r.damaged[c.Certificate.ID]; err != nil {
			row.Status = client.RowFailed
			row.Error, _ = fault.Message(err)
		}
	}
	return row
}

// export writes verified PDFs into the folder of the results. One whose stored document is
// damaged fails its row alone.
func (r *run) export(ctx context.Context, approved []vault.Certificate) error {
	if r.keepsNoPDFs() {
		return nil
	}
	damaged, err := r.Results.Export(ctx, r.out, approved)
	if r.damaged == nil {
		r.damaged = map[uint64]error{}
	}
	maps.Copy(r.damaged, damaged)
	return err
}

// keepsNoPDFs reports whether the results are the reports alone. A folder that was asked for
// gets its PDFs whatever the setting says.
func (r *run) keepsNoPDFs() bool { return r.Results.Keep == results.KeepNone && r.request.Out == "" }

// reportLater brings the results to what became of certificates while they were written: it
// removes the PDFs of those that were erased, and writes those anew that were renewed. What
// happens later changes the folder by itself.
func (r *run) reportLater(ctx context.Context, report client.BulkReport) (client.BulkReport, error) {
	before := map[uint64]string{}
	for _, c := range r.candidates {
		if c.Certificate != nil && c.Certificate.Verified != nil {
			before[c.Certificate.ID] = c.Certificate.Verified.SHA256
		}
	}
	if err := r.refresh(ctx); err != nil {
		return report, err
	}
	var gone, renewed []vault.Certificate
	for _, c := range r.candidates {
		switch now := c.Certificate; {
		case now == nil:
		case now.ErasedAt != nil:
			gone = append(gone, *now)
		case now.Verified != nil && before[now.ID] != "" && before[now.ID] != now.Verified.SHA256 && now.Status == vault.Approved:
			renewed = append(renewed, *now)
		}
	}
	if len(renewed) > 0 {
		if err := r.export(ctx, renewed); err != nil {
			return report, err
		}
		report = r.report()
		if err := r.writeReport(r.Results, r.out, report); err != nil {
			return report, err
		}
	}
	if len(gone) == 0 {
		return report, nil
	}
	_, err := results.Erased{Certificates: gone}.In(r.out)
	return report, err
}

// makeResultsFolder creates the folder for the results of a batch.
func makeResultsFolder(dir string, perm os.FileMode) error {
	err := fsutil.DiskError(os.MkdirAll(dir, perm), "creating the results folder")
	if _, ok := fault.Message(err); err == nil || ok {
		return err
	}
	return fault.Wrap(fault.Invalid, err, fmt.Sprintf("the folder %s cannot be created; name another one with --out", dir))
}
