package batch

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// RejectedTable is where refused rows are kept, under the institution and the batch.
const RejectedTable = "rejected_rows"

func rejectedPrefix(institution uint32) string { return fmt.Sprintf("%010d/", institution) }

// RejectedRows returns the rows of a batch that were refused and not issued since; a batch
// without any has none.
func (i *Issuer) RejectedRows(ctx context.Context, institution uint32, batch string) (vault.RejectedRows, error) {
	kept := vault.RejectedRows{Batch: batch}
	if _, err := i.Store.Batch(ctx, institution, batch); err != nil {
		return kept, err
	}
	err := i.Rejected.View(ctx, func(r store.RowReader) error {
		body, err := r.Get(RejectedTable, rejectedPrefix(institution)+batch)
		if err != nil || body == nil {
			return err
		}
		return json.Unmarshal(body, &kept)
	})
	if err != nil {
		err = fmt.Errorf("reading the rejected rows of a batch: %w", err)
	}
	return kept, err
}

// keepRejected keeps the rows that this run refused in the place of those of an earlier run
// of the same manifest, and takes rows that it issued out of other batches.
func (r *run) keepRejected(ctx context.Context, report client.BulkReport) error {
	if r.Rejected == nil || r.batch.ID == "" {
		return nil
	}
	if r.batch.Digest == r.digest {
		if err := r.putRejected(ctx, r.institution.ID, r.rejectedRows()); err != nil {
			return err
		}
	}
	return r.settleRejected(ctx, report)
}

// rejectedRows are the rows that the check refused, as they were given.
func (r *run) rejectedRows() vault.RejectedRows {
	kept := vault.RejectedRows{Batch: r.batch.ID, Header: r.manifest.Header, Delimiter: r.manifest.Delimiter, Rows: []vault.RejectedRow{}}
	for _, c := range r.candidates {
		if hasProblems(c) {
			kept.Add(vault.RejectedRow{Row: c.Row.Number, Content: c.Row.Content, File: c.Row.File, Cells: c.Row.Cells,
				Reason: strings.Join(c.Problems, "; ")})
		}
	}
	return kept
}

// putRejected keeps rows in the place of what was kept of their batch, and counts them there.
func (i *Issuer) putRejected(ctx context.Context, institution uint32, rows vault.RejectedRows) error {
	b, err := i.Store.Batch(ctx, institution, rows.Batch)
	if err != nil || b.Rejected == 0 && rows.Count() == 0 {
		return err
	}
	body, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("keeping the rejected rows of a batch: %w", err)
	}
	err = i.Rejected.Update(ctx, func(w store.RowWriter) error {
		key := rejectedPrefix(institution) + rows.Batch
		if rows.Count() == 0 {
			w.Delete(RejectedTable, key)
		} else {
			w.Put(RejectedTable, key, body)
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = i.Store.ChangeBatch(ctx, institution, rows.Batch, func(b vault.Batch) (vault.Batch, error) {
		b.Rejected = rows.Count()
		return b, nil
	}, nil)
	return err
}

// settleRejected takes rows that are issued by now, or that came again, out of the batches in
// which they were refused.
func (r *run) settleRejected(ctx context.Context, report client.BulkReport) error {
	issued, again := map[int]bool{}, map[int]bool{}
	for _, row := range report.Rows {
		issued[row.Row] = row.Status == client.RowIssued || row.Status == client.RowUnchanged || row.Status == client.RowRevoked || row.Status == client.RowProcessing
		again[row.Row] = row.Status == client.RowRejected && r.manifest.IsRejected()
	}
	came := manifest.NewCorrections(r.manifest.Rows, issued, again)
	return r.changeRejected(ctx, r.institution.ID, func(rows vault.RejectedRows, row vault.RejectedRow) bool {
		number, _ := came.Find(row.Content, row.File)
		return number == 0 || rows.Batch == r.batch.ID
	})
}

// EraseRejected forgets the refused rows of an address, or of one person at it.
func (i *Issuer) EraseRejected(ctx context.Context, institution uint32, email, person string) error {
	return i.changeRejected(ctx, institution, besides(email, person))
}

// HasRejected reports whether there are refused rows of an address, or of one person at it.
func (i *Issuer) HasRejected(ctx context.Context, institution uint32, email, person string) (bool, error) {
	found, err := i.rejectedWithout(ctx, institution, besides(email, person))
	return len(found) > 0, err
}

// RejectedOf returns the refused rows of an address, or of one person at it.
func (i *Issuer) RejectedOf(ctx context.Context, institution uint32, email, person string) ([]vault.RejectedRow, error) {
	var found []vault.RejectedRow
	keep, seen := besides(email, person), map[string]bool{} // a store may run the function again
	_, err := i.rejectedWithout(ctx, institution, func(rows vault.RejectedRows, row vault.RejectedRow) bool {
		if key := fmt.Sprint(rows.Batch, " ", row.Row); !keep(rows, row) && !seen[key] {
			seen[key] = true
			found = append(found, row)
		}
		return true
	})
	return found, err
}

// besides keeps the refused rows of others than an address, or one person at it.
func besides(email, person string) func(vault.RejectedRows, vault.RejectedRow) bool {
	return func(_ vault.RejectedRows, row vault.RejectedRow) bool {
		named := vault.FoldEmail(row.Email) == vault.FoldEmail(email)
		for _, cell := range row.Cells {
			named = named || strings.Contains(vault.FoldEmail(cell), vault.FoldEmail(email))
		}
		return !named || person != "" && !row.IsFor(person)
	}
}

// rejectedWithout returns the refused rows of those batches that keep leaves fewer of.
func (i *Issuer) rejectedWithout(ctx context.Context, institution uint32, keep func(vault.RejectedRows, vault.RejectedRow) bool) (changed []vault.RejectedRows, err error) {
	if i.Rejected == nil {
		return nil, nil
	}
	err = i.Rejected.View(ctx, func(r store.RowReader) error {
		changed = nil
		prefix := rejectedPrefix(institution)
		return r.Scan(RejectedTable, prefix, func(key string, body []byte) (bool, error) {
			if !strings.HasPrefix(key, prefix) {
				return true, nil
			}
			var kept vault.RejectedRows
			if err := json.Unmarshal(body, &kept); err != nil {
				return true, fmt.Errorf("reading the rejected rows of a batch: %w", err)
			}
			left := vault.RejectedRows{Batch: kept.Batch, Header: kept.Header, Delimiter: kept.Delimiter, Rows: []vault.RejectedRow{}, Omitted: kept.Omitted}
			for _, row := range kept.Rows {
				if keep(kept, row) {
					left.Rows = append(left.Rows, row)
				}
			}
			if len(left.Rows) < len(kept.Rows) {
				changed = append(changed, left)
			}
			return false, nil
		})
	})
	return changed, err
}

// changeRejected keeps of an institution's refused rows those that keep selects.
func (i *Issuer) changeRejected(ctx context.Context, institution uint32, keep func(vault.RejectedRows, vault.RejectedRow) bool) error {
	changed, err := i.rejectedWithout(ctx, institution, keep)
	if err != nil {
		return err
	}
	for _, rows := range changed {
		if err := i.putRejected(ctx, institution, rows); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}
