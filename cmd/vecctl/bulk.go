package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/client/remotebulk"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/vault"
)

func bulkCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "bulk", Usage: "issue the certificates of a manifest", ArgsUsage: "MANIFEST|ZIP",
		Description: "MANIFEST is a CSV, XLSX or ODS file, ZIP one with its documents; \"-\" reads CSV from standard input. If you run the command again, it\n" +
			"issues only the missing certificates and reports the others as unchanged. With --api it issues them\n" +
			"on a remote vault.",
		Flags: append(append(append(apiFlags(), outputFlags()...), placementFlags()...),
			&cli.StringFlag{Name: "files", Usage: "`DIR` with the documents (default: the manifest's folder)"},
			&cli.StringFlag{Name: "out", Usage: "`DIR` for the verified PDFs (default: in the home)"},
			&cli.BoolFlag{Name: "dry-run", Usage: "check everything, change nothing"},
			newChoiceFlag("on-error", "if a row is rejected, issue nothing, or issue the other rows", "stop", "skip").or("stop"),
			newChoiceFlag("scan", "for which documents the printed QR code is read back before approval", "first", "all", "none").or("first"),
			&cli.BoolFlag{Name: "no-wait", Usage: "return as soon as all rows are accepted"},
			&cli.DurationFlag{Name: "wait", Value: remotebulk.DefaultWait, Usage: "with --api: for how `LONG` to wait until the vault has finished the certificates; what it has not finished then is reported as processing, exit code 3"},
			&cli.StringFlag{Name: "date-format", Usage: "`FORMAT` of dates, such as DD/MM/YYYY"},
			&cli.StringFlag{Name: "delimiter", Usage: "`CHARACTER` between cells: \",\", \";\" or tab"},
			&cli.StringFlag{Name: "encoding", Usage: "`NAME` of the encoding: " + manifest.Encodings},
			&cli.StringFlag{Name: "sheet", Usage: "`NAME` of the sheet, if several sheets of a workbook have data"},
			newChoiceFlag("hidden", "what to do with hidden or filtered rows of a workbook", "read", "skip"),
			newChoiceFlag("names", "if a document's text names another row's recipient, reject the row, warn, or do not look", "check", "warn", "off").or("check"),
			&cli.BoolFlag{Name: "strict", Usage: "reject rows with warnings too"},
			coverFlag(),
			validForFlag("of rows without an expiry date, from their issue date"),
			&cli.StringFlag{Name: "template", Usage: "`NAME` of the template for rows without a file"},
			&cli.StringFlag{Name: "preview", Usage: "with --dry-run: `DIR` for a contact sheet of the documents with the code in place, and for the first documents from the template"},
			&cli.StringSliceFlag{Name: "map", Usage: "`COLUMN=FIELD`: the field for a column with another name; \"First + Last=full_name\" joins columns, COLUMN=- leaves one out; may be repeated"},
		),
		Action: func(c *cli.Context) error {
			form, err := parseOutputFormat(c)
			if err != nil {
				return err
			}
			request, err := bulkRequest(c, w)
			if err != nil {
				return err
			}
			if manifest.IsArchive(c.Args().First()) {
				remove, err := unpackArchive(c, &request)
				if err != nil {
					return err
				}
				defer remove()
			}
			return withSession(c, w, func(s *session) error {
				switch {
				case c.IsSet("wait") && !s.remote:
					return usageError("--wait works with --api only; without it, the command waits until the certificates are finished, or not at all with --no-wait")
				case c.IsSet("preview") && s.remote:
					return usageError("--preview does not work with --api; run it without --api, the documents look the same")
				case s.remote:
					return runRemoteBulk(c, w, s, request, form)
				}
				return runBulk(c, w, s, request, form)
			})
		},
	}
}

// largestManifest is the limit for the size of a manifest, in bytes.
const largestManifest = 64 << 20

func bulkRequest(c *cli.Context, w environment) (adminclient.BulkRequest, error) {
	q := adminclient.BulkRequest{
		DryRun: c.Bool("dry-run"), NoWait: c.Bool("no-wait"), DateFormat: c.String("date-format"),
		Delimiter: c.String("delimiter"), Encoding: c.String("encoding"), Sheet: c.String("sheet"), Hidden: c.String("hidden"),
		Strict: c.Bool("strict"), Cover: c.Bool("cover"), Map: map[string]string{},
	}
	if err := requireArgs(c, 1, "the manifest"); err != nil {
		return q, err
	}
	q.Scan, q.Names, q.Skip = c.String("scan"), c.String("names"), c.String("on-error") == "skip"
	if q.ValidFor = c.String("valid-for"); q.ValidFor != "" {
		if _, err := vault.ParseTerm(q.ValidFor); err != nil {
			return q, usageError("--valid-for: %v", err)
		}
	}
	for _, pair := range c.StringSlice("map") {
		end := strings.LastIndexByte(pair, '=') // a heading may have one in it
		if end < 1 || end == len(pair)-1 {
			return q, usageError("--map must be COLUMN=FIELD, such as --map \"Graduate=full_name\", not %q", pair)
		}
		q.Map[pair[:end]] = pair[end+1:]
	}
	m, err := stampPlacement(c)
	if err != nil {
		return q, err
	}
	q.Template, q.QRPage, q.QRAt, q.QRSize, q.QRMargin = c.String("template"), m.Page, c.String("qr-at"), m.SizeMM, m.MarginMM
	if preview := c.String("preview"); preview != "" {
		if !q.DryRun {
			return q, usageError("--preview needs --dry-run")
		}
		if q.Preview, err = filepath.Abs(preview); err != nil {
			return q, err
		}
	}
	if out := c.String("out"); out != "" {
		if q.Out, err = filepath.Abs(out); err != nil {
			return q, err
		}
	}
	if manifest.IsArchive(c.Args().First()) {
		return q, nil // see unpackArchive
	}
	if q.Name, q.Manifest, err = readManifest(c.Args().First(), w); err != nil {
		return q, err
	}
	q.Files, err = absoluteFolder(c.String("files"), filepath.Dir(c.Args().First()))
	return q, err
}

func readManifest(path string, w environment) (name string, body []byte, err error) {
	in := w.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the manifest %s cannot be opened; check its name and permissions", path))
		}
		defer f.Close()
		in = f
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return "", nil, usageError("the manifest %s is a folder; name the CSV or XLSX file in it", path)
	}
	body, err = io.ReadAll(io.LimitReader(in, largestManifest+1))
	switch {
	case err != nil:
		return "", nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the manifest %s cannot be read", path))
	case len(body) > largestManifest:
		return "", nil, usageError("the manifest %s is larger than 64 MB; split it", path)
	}
	return path, body, nil
}

// absoluteFolder returns the absolute path of a folder that the user named, or of the default.
func absoluteFolder(named, standard string) (string, error) {
	if named == "" {
		named = standard
	}
	return filepath.Abs(named)
}

func runBulk(c *cli.Context, w environment, s *session, q adminclient.BulkRequest, f outputFormat) error {
	if status, err := s.AgentStatus(c.Context); err != nil {
		return err
	} else if status.BaseURL == config.DefaultBaseURL && !q.DryRun {
		printLinef(w, "Note: QR codes will point to %s, which only this machine can open; set the public address with: vecctl init --base-url URL", config.DefaultBaseURL)
	}
	bar := newProgress(c, w)
	report, err := s.Bulk(c.Context, q, bar.update)
	bar.clear()
	if err != nil {
		return err
	}
	if err := printReport(w, f, q, report); err != nil {
		return err
	}
	return bulkOutcome(q, report)
}

// bulkOutcome returns the exit code for a report.
func bulkOutcome(q adminclient.BulkRequest, r client.BulkReport) error {
	done := r.Issued + r.Unchanged + r.Revoked + r.Count(client.RowProcessing)
	rejected := r.Count(client.RowRejected)
	switch {
	case r.Failed == 0 && r.TimestampsOwed+r.LevelsOwed > 0 && !q.DryRun:
		return exitStatus(exitPartly)
	case r.Failed == 0:
		return nil
	case q.DryRun, rejected > 0 && !q.Skip, rejected == r.Total:
		return exitStatus(exitUsage)
	case done > 0:
		return exitStatus(exitPartly)
	}
	return exitStatus(exitFailed)
}

func printReport(w environment, f outputFormat, q adminclient.BulkRequest, r client.BulkReport) error {
	printReading(w, f, q, r)
	for _, note := range r.Notes {
		printLinef(w, "Note: %s", note)
	}
	for _, warning := range r.Warnings {
		printLinef(w, "Warning: %s", warning)
	}
	switch f {
	case formatJSON:
		return printJSON(w.stdout, r)
	case formatTable:
		return printSummary(w, q, r)
	case formatJSONLines, formatCSV:
	}
	rows := list[client.BulkRow]{
		headings: []string{"row", "status", "uuid", "reference_id", "file", "error"},
		cells: func(row client.BulkRow) []string {
			return []string{strconv.Itoa(row.Row), string(row.Status), row.UUID, row.ReferenceID, row.File, row.Error}
		},
	}
	return rows.print(w.stdout, f, r.Rows)
}

// printReading prints how the manifest was read: in a dry run as a part of the result,
// else beside it.
func printReading(w environment, f outputFormat, q adminclient.BulkRequest, r client.BulkReport) {
	to := w.stderr
	if q.DryRun && f == formatTable {
		to = w.stdout
	}
	if f == formatTable {
		for _, line := range r.Reading {
			fmt.Fprintln(to, sanitize(line))
		}
	}
}

// printSummary prints the report for a person: the errors, then the counts, then the
// folder of the verified PDFs.
func printSummary(w environment, q adminclient.BulkRequest, r client.BulkReport) error {
	for _, row := range r.Rows {
		if row.Error == "" {
			continue
		}
		text := row.Error
		if row.Status == client.RowFailed {
			text = fmt.Sprintf("row %d, file %s: %s", row.Row, row.File, row.Error)
			if !row.WasIssued() {
				text += "; fix the cause, then: vecctl retry " + row.ReferenceID
			}
		}
		printLinef(w, "%s", text)
	}
	var b strings.Builder
	rows := "rows"
	if r.Total == 1 {
		rows = "row"
	}
	rejected := r.Count(client.RowRejected)
	switch {
	case q.DryRun:
		fmt.Fprintf(&b, "%d %s: %d ready, %d unchanged, %d rejected. Nothing was changed.\n",
			r.Total, rows, r.Count(client.RowReady), r.Unchanged, rejected)
	case rejected > 0 && !q.Skip:
		fmt.Fprintf(&b, "%d %s: %d rejected, nothing was issued. Correct %s and run the same command again, or issue the others with --on-error skip.\n",
			r.Total, rows, rejected, sanitize(q.Name))
	default:
		fmt.Fprintf(&b, "%d %s: %d issued, %d unchanged, %d failed", r.Total, rows, r.Issued, r.Unchanged, r.Failed-rejected)
		if r.Revoked > 0 {
			fmt.Fprintf(&b, ", %d revoked", r.Revoked)
		}
		if rejected > 0 {
			fmt.Fprintf(&b, ", %d rejected", rejected)
		}
		if n := r.Count(client.RowProcessing); n > 0 {
			fmt.Fprintf(&b, ", %d being processed", n)
		}
		if n := r.Count(client.RowNotIssued); n > 0 {
			fmt.Fprintf(&b, ", %d not issued", n)
		}
		if r.TimestampsOwed > 0 {
			fmt.Fprintf(&b, ", %d without a time stamp yet", r.TimestampsOwed)
		}
		if r.LevelsOwed > 0 {
			fmt.Fprintf(&b, ", %d without the level of signing.level yet", r.LevelsOwed)
		}
		b.WriteString(".\n")
		if rejected > 0 {
			fmt.Fprintf(&b, "The shortest way on: correct %s and run the same command again; what is issued stays as it is.\n", sanitize(q.Name))
		}
		if r.ReportOnly && !q.NoWait {
			fmt.Fprintf(&b, "Report: %s (verified PDFs are not kept as files, as results.keep says; vecctl download gets each)\n", r.Out)
		} else if r.Out != "" && !q.NoWait {
			fmt.Fprintf(&b, "Verified PDFs and report: %s\n", r.Out)
		}
	}
	_, err := io.WriteString(w.stdout, b.String())
	return err
}
