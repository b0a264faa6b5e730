package main

import (
	"io"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

func exportCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "export", Usage: "export certificates, deliveries or the audit trail as a table, or the verification pages as files", ArgsUsage: "[certificates|deliveries|audit|site DIR]",
		Description: "Deliveries are mails and webhook deliveries, each with its result. For them, --status is a state of a mail\n" +
			"(waiting, sent, refused, bounced, cancelled) or of a webhook delivery (pending, success, failed), and --from\n" +
			"and --to are dates of creation.",
		Flags: slices.Concat(apiFlags(), []cli.Flag{
			&cli.StringFlag{Name: "format", Value: "csv", Usage: "`FORMAT` of the table: csv, jsonl, xlsx; without this flag, the file extension of --out decides"},
			&cli.StringFlag{Name: "out", Value: "-", Usage: "output `FILE`; - is standard output"},
			&cli.StringFlag{Name: "status", Usage: "only certificates in this `STATE`: pending, in_review, processing, approved, failed, rejected, revoked"},
			&cli.StringFlag{Name: "batch", Usage: "only those of the batch `ID`"},
			&cli.StringFlag{Name: "from", Usage: "only those issued on or after `DATE`"},
			&cli.StringFlag{Name: "to", Usage: "only those issued on or before `DATE`"},
		}),
		Subcommands: []*cli.Command{exportSiteCommand(w)},
		Action:      func(c *cli.Context) error { return runExport(c, w) },
	}
}

func runExport(c *cli.Context, w environment) error {
	what := c.Args().First()
	if what == "" {
		what = "certificates"
	}
	if c.NArg() > 1 || !slices.Contains([]string{"certificates", "deliveries", "audit"}, what) {
		return usageError("the argument must be certificates, deliveries or audit; see vecctl export --help")
	}
	for _, name := range []string{"status", "batch", "from", "to"} {
		if what == "audit" && c.IsSet(name) {
			return usageError("the audit trail is always exported completely; remove --%s", name)
		}
	}
	formats := []string{"csv", "jsonl", "xlsx"}
	format := c.String("format")
	if !slices.Contains(formats, format) {
		return usageError("unknown format %q; use csv, jsonl or xlsx", format)
	}
	if ending := strings.TrimPrefix(filepath.Ext(c.String("out")), "."); !c.IsSet("format") && slices.Contains(formats, strings.ToLower(ending)) {
		format = strings.ToLower(ending)
	}
	if format == "xlsx" && c.String("out") == "-" && isTerminal(w.stdout) {
		return usageError("a workbook cannot be shown on a terminal; name a file with --out")
	}
	return withSession(c, w, func(s *session) error {
		return writeTo(w, c.String("out"), func(out io.Writer) error {
			switch what {
			case "audit":
				return exportTo(out, format, what, auditTable(), func(each func(audit.Entry) error) error {
					_, err := s.EachAuditEntry(c.Context, each)
					return err
				})
			case "deliveries":
				return exportTo(out, format, what, deliveryRecordTable(), func(each func(deliveryRecord) error) error {
					return eachDelivery(c, s, each)
				})
			}
			return exportTo(out, format, what, certificateTable(), func(each func(client.Certificate) error) error {
				return eachCertificate(c, s, each)
			})
		})
	})
}

// eachCertificate calls each with the certificates that the flags select, newest first.
func eachCertificate(c *cli.Context, s *session, each func(client.Certificate) error) error {
	return eachMatching(c, s, client.Filter{Status: c.String("status"), Batch: c.String("batch"), From: c.String("from"), To: c.String("to")}, each)
}

// eachMatching calls each with the certificates of a filter, in the order of the list.
func eachMatching(c *cli.Context, s *session, f client.Filter, each func(client.Certificate) error) error {
	for found, err := range pagedEntries(idOf, pagesOf(c.Context, s.Certificates, f)) {
		if err != nil {
			return err
		}
		if err := each(found); err != nil {
			return err
		}
	}
	return nil
}

// exportTo writes all rows of a source, as they come.
func exportTo[T any](out io.Writer, format, name string, l list[T], source func(each func(T) error) error) error {
	if format == "jsonl" {
		return source(func(row T) error { return printLine(out, row) })
	}
	table := manifest.Table{Headings: l.headings, Rows: rowsOf(l, source)}
	if format == "xlsx" {
		return table.WriteWorkbook(out, name)
	}
	return table.WriteCSV(out)
}

// rowsOf turns a source that calls a function into an iterator.
func rowsOf[T any](l list[T], source func(each func(T) error) error) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		err := source(func(row T) error {
			if !yield(l.cells(row), nil) {
				return exitStatus(exitFailed) // the reader stopped, and reports why
			}
			return nil
		})
		if _, enough := err.(exitStatus); err != nil && !enough { //nolint:errorlint // it is our own, unwrapped
			yield(nil, err)
		}
	}
}

func certificateTable() list[client.Certificate] {
	return list[client.Certificate]{
		headings: append([]string{"reference_id", "uuid", "status", "certificate_title", "full_name", "applicant_email", "issue_date", "details",
			"batch_id", "file", "sha256", "verify_url", "failure_reason", "revoked_at", "revocation_reason", "supersedes", "superseded_by", "created_at", "approved_at", "source"},
			vault.LaterKeys()...),
		cells: func(c client.Certificate) []string {
			var sum, revoked, reason string
			if c.Verified != nil {
				sum = c.Verified.SHA256
			}
			if c.Revocation != nil {
				revoked, reason = c.Revocation.At.Format(time.RFC3339), c.Revocation.Reason
			}
			return append([]string{c.ReferenceID, c.UUID, c.Status.Value, c.Title, c.Name, c.Email, c.IssueDate, c.Details,
				orEmpty(c.BatchID), c.File.Name, sum, c.VerifyURL, orEmpty(c.FailureReason), revoked, reason, orEmpty(c.Supersedes), orEmpty(c.SupersededBy),
				formatMoment(c.CreatedAt), formatTime(c.ApprovedAt), c.Source.Value}, c.Vault().LaterTexts()...)
		},
	}
}

func auditTable() list[audit.Entry] {
	l := actList()
	l.headings = append(l.headings, "hash")
	cells := l.cells
	l.cells = func(e audit.Entry) []string {
		row := append(cells(e), e.Hash)
		row[1] = e.At.Format(time.RFC3339Nano)
		return row
	}
	return l
}
