package pages

import (
	"context"
	"fmt"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/ui"
)

// Batch is the page of one batch and its rows: the selected batch, or else the latest.
type Batch struct {
	ui     *ui.Context
	vault  Vault
	rows   *CertificateList
	batch  client.Batch
	picked bool
	rate   rateMeter
	search ui.SearchBar // of its rows
}

// NewBatch returns the page.
func NewBatch(d *ui.Context, v Vault) *Batch {
	p := &Batch{ui: d, vault: v, search: ui.NewSearchBar()}
	kind := certificateListSpec("batch", "The batch has no certificates yet.")
	kind.Columns = failureListSpec("", "").Columns
	kind.Columns[2].Title, kind.Columns[2].Min, kind.Columns[2].Max, kind.Columns[2].DropOrder = "state", 10, 10, 0
	kind.Columns[3].DropOrder = 1
	kind.Columns[3].Title = "file, reason"
	kind.Cells = func(c client.Certificate) []string {
		about := c.File.Name
		if c.FailureReason != nil {
			about += ": " + *c.FailureReason
		}
		return []string{c.ReferenceID, c.Name, DisplayState(c), about}
	}
	kind.Concerns = func(e adminclient.CertificateEvent) bool {
		return e.BatchID == p.batch.BatchID && StateAfter(e) == vault.Processing
	}
	p.rows = NewCertificateList(d, v, kind, nil)
	return p
}

// Name implements ui.Page.
func (*Batch) Name() string { return "Batch" }

// Typing implements ui.Page.
func (p *Batch) Typing() bool { return p.search.Typing() }

// Keys implements ui.Page.
func (p *Batch) Keys() []key.Binding {
	k := p.ui.Keys
	own := []key.Binding{k.Pause, k.Cancel, k.Filter}
	if p.ui.Remote {
		own = []key.Binding{k.Filter}
	}
	return append(own, p.rows.Keys()...)
}

// Update implements ui.Page.
func (p *Batch) Update(msg tea.Msg) tea.Cmd {
	var show tea.Cmd
	switch msg := msg.(type) {
	case OpenBatchMsg:
		p.picked = true
		show = p.show(msg.Batch)
	case batchActionMsg:
		if msg.result.Err == nil {
			p.onBatch(msg.batch)
		}
		return nil
	case ui.EventsMsg:
		for _, m := range msg.Messages {
			if m.Snapshot != nil {
				for _, b := range m.Snapshot.Batches {
					show = tea.Batch(show, p.onBatch(b))
				}
			}
			if m.Batch != nil {
				show = tea.Batch(show, p.onBatch(*m.Batch))
			}
		}
	case batchesLoadedMsg:
		for _, b := range msg.found.Data {
			show = tea.Batch(show, p.onBatch(b))
		}
	case tea.MouseClickMsg:
		msg.Y -= batchHeadLines
		_, _ = p.rows.Update(msg)
		return nil
	case tea.PasteMsg:
		p.search.Update(msg, p.ui.Keys)
		return nil
	case tea.KeyPressMsg:
		return p.press(msg)
	}
	cmd, _ := p.rows.Update(msg)
	return tea.Batch(show, cmd)
}

// onBatch updates the batch. Until a batch is selected, the latest is shown.
func (p *Batch) onBatch(b client.Batch) tea.Cmd {
	switch {
	case b.BatchID == p.batch.BatchID:
		p.batch = b
		p.rate.add(finished(b), p.ui.Now())
	case !p.picked && b.CreatedAt.After(p.batch.CreatedAt):
		return p.show(b)
	}
	return nil
}

func (p *Batch) show(b client.Batch) tea.Cmd {
	same := b.BatchID == p.batch.BatchID
	p.batch = b
	if same {
		return nil
	}
	p.rate = rateMeter{}
	p.rate.add(finished(b), p.ui.Now())
	p.search.Clear()
	return p.listRows()
}

// listRows lists the rows that match the search.
func (p *Batch) listRows() tea.Cmd {
	filter := client.Filter{Batch: p.batch.BatchID, Search: p.search.Term}
	p.rows.EmptyText = "The batch has no certificates yet."
	if filter.Search != "" {
		p.rows.EmptyText = "No certificate of the batch matches."
	}
	return p.rows.SetSource(func(ctx context.Context, page ListPage) (client.Page[client.Certificate], error) {
		f := filter
		f.Page, f.PerPage = page.Number, page.Size
		return p.vault.List(ctx, f)
	})
}

func (p *Batch) press(msg tea.KeyPressMsg) tea.Cmd {
	k := p.ui.Keys
	if p.batch.BatchID == "" {
		return nil
	}
	if changed, handled := p.search.Update(msg, k); handled {
		p.picked = true // a new batch must not replace the searched one
		if !changed {
			return nil
		}
		return p.listRows()
	}
	cmd, handled := p.rows.Update(msg)
	switch {
	case handled || key.Matches(msg, k.RetryAll):
		return cmd
	case key.Matches(msg, k.Back) && p.search.Term != "":
		p.search.Clear()
		return p.listRows()
	}
	return batchAction(p.ui, p.vault, p.batch, msg)
}

// batchHeadLines is the number of lines above the rows.
const batchHeadLines = 3

// View implements ui.Page.
func (p *Batch) View(width, height int) string {
	l := p.ui.Theme
	if p.batch.BatchID == "" {
		return l.Block(l.Wrap(l.Dim.Render("There are no batches yet."), width), width, height)
	}
	b := p.batch
	rate, left := p.rate.format(b, p.ui.Now())
	if rate != "" {
		rate += ", " + left + " left"
	}
	count := fmt.Sprintf("%s of %s", ui.FormatNumber(finished(b)), ui.FormatNumber(b.Total))
	barWidth := max(10, min(40, width-len(count)-len(rate)-4))
	head := []string{
		l.Strong.Render(l.Truncate(ui.Sanitize(b.Name), width-12)) + "  " + l.StateText(b.Status, b.Status),
		progressBar(l, finished(b), b.Total, barWidth) + "  " + count + "  " + rate,
		stateCounts(l, b),
	}
	head[2] = p.search.Header(l, head[2], p.rows.Position(), width)
	return joinLines(l.Block(head, width, batchHeadLines), p.rows.View(width, height-batchHeadLines))
}
