package batch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/vecctl/vecctl/agent/dropfolder"
	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/vault"
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
	report, batch, err := i.Issue(ctx, Request{
		Institution: institution, Trigger: vault.DropFolder, Progress: b.Progress,
		Drop: &DropContext{Begun: b.Begun, Lost: b.Lost},
		Bulk: adminclient.BulkRequest{Name: b.Name, Manifest: b.Manifest, Files: b.Files, Out: b.Out, Skip: true},
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
func (i *Issuer) Issued(ctx context.Context, m *manifest.Manifest) (map[int]bool, error) {
	held, err := i.issuedRows(ctx, i.Institutions.Current(), m)
	if err != nil {
		return nil, err
	}
	rows := make(map[int]bool, len(held))
	for row := range held {
		rows[row] = true
	}
	return rows, nil
}
