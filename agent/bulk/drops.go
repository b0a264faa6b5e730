package bulk

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/vecctl/vecctl/agent/drop"
	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Drops issues what the drop folder brings.
type Drops struct {
	Options  Options
	Find     func(institution uint32) (vault.Institution, bool)
	Current  func() uint32 // the institution whose staff is served
	Outcomes string        // folder of all institutions' outcomes
}

// Issue implements drop.Issuer.
func (d *Drops) Issue(ctx context.Context, b drop.Batch) (drop.Outcome, error) {
	if err := d.Options.Accepting(); err != nil {
		return drop.Outcome{}, err
	}
	institution, ok := d.Find(b.Institution)
	if !ok {
		return drop.Outcome{}, fmt.Errorf("a dropped batch is of institution %d, which does not exist", b.Institution)
	}
	report, batch, err := Issue(ctx, d.Options, Order{
		Institution: institution, Trigger: vault.DropFolder, Progress: b.Progress,
		Dropped: &Dropped{Begun: b.Begun, Lost: b.Lost},
		Request: staff.BulkRequest{Name: b.Name, Manifest: b.Manifest, Files: b.Files, Out: b.Out, Skip: true},
	})
	if errors.Is(err, intake.ErrChanging) {
		err = errors.Join(drop.ErrChanging, err)
	}
	name := filepath.Join(d.Options.Verified(b.Institution), batch.Name)
	if rel, ok := strings.CutPrefix(name, d.Outcomes+string(filepath.Separator)); ok {
		name = filepath.ToSlash(rel)
	}
	return drop.Outcome{Name: name, Report: report}, err
}

// Issued implements drop.Issuer.
func (d *Drops) Issued(ctx context.Context, m *manifest.Manifest) (map[int]bool, error) {
	held, err := issuedRows(ctx, d.Options.Records, d.Current(), m)
	if err != nil {
		return nil, err
	}
	rows := make(map[int]bool, len(held))
	for row := range held {
		rows[row] = true
	}
	return rows, nil
}
