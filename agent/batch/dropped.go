package batch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/vecctl/vecctl/agent/dropfolder"
	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

var _ dropfolder.Issuer = (*Issuer)(nil)

// IssueDropped implements dropfolder.Issuer.
func (i *Issuer) IssueDropped(ctx context.Context, b dropfolder.Batch) (dropfolder.IssueResult, error) {
	if err := i.Disk.Accepting(); err != nil {
		return dropfolder.IssueResult{}, err
	}
	institution, ok := i.Institutions.ByID(b.Institution)
	if !ok {
		return dropfolder.IssueResult{}, fmt.Errorf("a dropped batch is of institution %d, which does not exist", b.Institution)
	}
	ctx = audit.NewContext(ctx, &audit.PendingAction{At: i.Now(), People: i.Intake.Erasures, Action: audit.Action{
		Actor: "drop folder", Request: "issue a dropped table", RemoteAddr: "local", Subject: audit.Subject{Institution: institution.Slug}}})
	a := b.Answers
	report, batch, err := i.Issue(ctx, Request{
		Institution: institution, Trigger: vault.DropFolder, Progress: b.Progress,
		Drop: &DropContext{Folder: b.Folder, Begun: b.Begun, Lost: b.Lost},
		Bulk: adminclient.BulkRequest{
			Name: b.Name, Manifest: b.Manifest, Files: b.Files, Out: b.Out, Skip: true, DateFormat: a.DateFormat, Delimiter: a.Delimiter,
			Encoding: a.Encoding, Sheet: a.Sheet, Hidden: a.Hidden, Names: a.Names, Strict: a.IsStrict(), Map: a.Map, Template: a.Template,
			Scan: a.Scan, QRAt: a.QRAt, QRPage: a.QRPage, QRSize: a.QRSize, QRMargin: a.QRMargin, Cover: a.MayCover(),
		},
	})
	if errors.Is(err, intake.ErrChanging) {
		err = errors.Join(dropfolder.ErrChanging, err)
	}
	name := filepath.Join(i.Home.ResultsFolder(b.Institution), batch.Name)
	if rel, ok := strings.CutPrefix(name, i.Home.Verified()+string(filepath.Separator)); ok {
		name = filepath.ToSlash(rel)
	}
	return dropfolder.IssueResult{Name: name, Report: report}, err
}

// Issued implements dropfolder.Issuer.
func (i *Issuer) Issued(ctx context.Context, institution uint32, m *manifest.Manifest) (map[int]bool, error) {
	of, _ := i.Institutions.ByID(institution)
	held, err := i.issuedRows(ctx, of, m)
	if err != nil {
		return nil, err
	}
	rows := make(map[int]bool, len(held))
	for row := range held {
		rows[row] = true
	}
	return rows, nil
}

// SharesAddresses implements dropfolder.Issuer.
func (i *Issuer) SharesAddresses(institution uint32) bool {
	of, _ := i.Institutions.ByID(institution)
	return of.SharesAddresses(i.Intake.SharedAddresses)
}

// Report implements dropfolder.Issuer.
func (i *Issuer) Report(ctx context.Context, o dropfolder.Outcome) error {
	for _, to := range i.ReportTo {
		if err := i.Store.QueueMail(ctx, vault.NewOutcomeMail(o.Institution, to, o.Manifest, describeOutcome(o), i.Now())); err != nil {
			return err
		}
	}
	if len(i.ReportTo) > 0 {
		i.Work.Wake()
	}
	return nil
}

// describeOutcome says what became of something that was dropped. It names no person, since
// mails are kept.
func describeOutcome(o dropfolder.Outcome) string {
	if o.Refused {
		return "It was refused as a whole, and nothing was issued. The reason: " + o.Failed
	}
	r := o.Report
	rejected := r.Count(client.RowRejected)
	lines := []string{fmt.Sprintf("Rows: %d. Issued: %d. Unchanged: %d. Failed: %d. Rejected: %d.", r.Total, r.Issued, r.Unchanged, r.Failed-rejected, rejected)}
	if rejected > 0 {
		var rows []string
		for _, row := range r.Rows {
			if row.Status == client.RowRejected && len(rows) < maxNamedRows {
				rows = append(rows, strconv.Itoa(row.Row))
			}
		}
		if rejected > len(rows) {
			rows = append(rows, fmt.Sprintf("and %d more", rejected-len(rows)))
		}
		lines = append(lines, "Rejected rows: "+strings.Join(rows, ", ")+".")
	}
	if r.ReportOnly {
		lines = append(lines, "Report: "+o.Results+" (verified PDFs are not kept as files, as results.keep says; vecctl download gets each)")
	} else {
		lines = append(lines, "Verified PDFs and report: "+o.Results)
	}
	if o.Failed != "" {
		lines = append(lines, "What was refused, with the reasons: "+o.Failed)
	}
	return strings.Join(lines, "\n")
}

// maxNamedRows is how many rejected rows a mail names.
const maxNamedRows = 50

// Owners implements dropfolder.Issuer.
func (i *Issuer) Owners() []dropfolder.Owner {
	var owners []dropfolder.Owner
	ids := i.Institutions.IDs()
	slices.Sort(ids)
	for _, id := range ids {
		if one, ok := i.Institutions.ByID(id); ok {
			owners = append(owners, dropfolder.Owner{Institution: id, Name: one.Name, Folder: one.Slug, Failed: i.Home.FailedFolder(id), Closed: one.Closed()})
		}
	}
	return owners
}
