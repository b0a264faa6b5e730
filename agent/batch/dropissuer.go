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

// DropIssuer issues what the drop folder brings.
type DropIssuer struct {
	Options         Options
	FindInstitution func(institution uint32) (vault.Institution, bool)
	Current         func() uint32 // the institution whose staff is served
	ResultsFolder   string        // folder of all institutions' outcomes
}

// Issue implements dropfolder.Issuer.
func (d *DropIssuer) Issue(ctx context.Context, b dropfolder.Batch) (dropfolder.IssueResult, error) {
	if err := d.Options.Accepting(); err != nil {
		return dropfolder.IssueResult{}, err
	}
	institution, ok := d.FindInstitution(b.Institution)
	if !ok {
		return dropfolder.IssueResult{}, fmt.Errorf("a dropped batch is of institution %d, which does not exist", b.Institution)
	}
	report, batch, err := Issue(ctx, d.Options, Request{
		Institution: institution, Trigger: vault.DropFolder, Progress: b.Progress,
		Drop: &DropContext{Begun: b.Begun, Lost: b.Lost},
		Bulk: adminclient.BulkRequest{Name: b.Name, Manifest: b.Manifest, Files: b.Files, Out: b.Out, Skip: true},
	})
	if errors.Is(err, intake.ErrChanging) {
		err = errors.Join(dropfolder.ErrChanging, err)
	}
	name := filepath.Join(d.Options.ResultsFolder(b.Institution), batch.Name)
	if rel, ok := strings.CutPrefix(name, d.ResultsFolder+string(filepath.Separator)); ok {
		name = filepath.ToSlash(rel)
	}
	return dropfolder.IssueResult{Name: name, Report: report}, err
}

// Issued implements dropfolder.Issuer.
func (d *DropIssuer) Issued(ctx context.Context, m *manifest.Manifest) (map[int]bool, error) {
	held, err := issuedRows(ctx, d.Options.Store, d.Current(), m)
	if err != nil {
		return nil, err
	}
	rows := make(map[int]bool, len(held))
	for row := range held {
		rows[row] = true
	}
	return rows, nil
}
