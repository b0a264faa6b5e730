package page

import (
	"context"
	"fmt"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/desk"
	"github.com/vecctl/vecctl/tui/look"
	"github.com/vecctl/vecctl/tui/roster"
)

// RowVault is what is asked of the vault about a batch and its rows.
type RowVault interface {
	BatchVault
	CertificateVault
}

// Batch is the page of one batch and its rows: the one chosen, else the latest.
type Batch struct {
	desk   *desk.Desk
	vault  RowVault
	rows   *roster.Roster
	batch  client.Batch
	chosen bool
	pace   pace
	finder desk.Finder // of its rows
}

// NewBatch makes the page.
func NewBatch(d *desk.Desk, v RowVault) *Batch {
	p := &Batch{desk: d, vault: v, finder: desk.NewFinder()}
	kind := ofCertificates("batch", "The batch has no certificates yet.")
	kind.Columns = ofFailures("", "").Columns
	kind.Columns[2].Title, kind.Columns[2].Min, kind.Columns[2].Max, kind.Columns[2].Keep = "state", 10, 10, 0
	kind.Columns[3].Keep = 1
	kind.Columns[3].Title = "file, reason"
	kind.Cells = func(c client.Certificate) []string {
		about := c.File.Name
		if c.FailureReason != nil {
			about += ": " + *c.FailureReason
		}
		return []string{c.ReferenceID, c.Name, roster.StateOf(c), about}
	}
	kind.Concerns = func(e staff.CertificateEvent) bool {
		return e.BatchID == p.batch.BatchID && roster.StateAfter(e) == vault.Processing
	}
	p.rows = roster.New(d, v, kind, nil)
	return p
}

// Name implements desk.Page.
func (*Batch) Name() string { return "Batch" }

// Typing implements desk.Page.
func (p *Batch) Typing() bool { return p.finder.Typing() }

// Keys implements desk.Page.
func (p *Batch) Keys() []key.Binding {
	k := p.desk.Keys
	own := []key.Binding{k.Pause, k.Cancel, k.Filter}
	if p.desk.Remote {
		own = []key.Binding{k.Filter}
	}
	return append(own, p.rows.Keys()...)
}

// Update implements desk.Page.
func (p *Batch) Update(msg tea.Msg) tea.Cmd {
	var show tea.Cmd
	switch msg := msg.(type) {
	case BatchChosen:
		p.chosen = true
		show = p.turnTo(msg.Batch)
	case batchChanged:
		if msg.said.Err == nil {
			p.hear(msg.batch)
		}
		return nil
	case desk.News:
		for _, m := range msg.Messages {
			if m.Snapshot != nil {
				for _, b := range m.Snapshot.Batches {
					show = tea.Batch(show, p.hear(b))
				}
			}
			if m.Batch != nil {
				show = tea.Batch(show, p.hear(*m.Batch))
			}
		}
	case batchesRead:
		for _, b := range msg.found.Data {
			show = tea.Batch(show, p.hear(b))
		}
	case tea.MouseClickMsg:
		msg.Y -= batchHead
		_, _ = p.rows.Update(msg)
		return nil
	case tea.PasteMsg:
		p.finder.Take(msg, p.desk.Keys)
		return nil
	case tea.KeyPressMsg:
		return p.press(msg)
	}
	cmd, _ := p.rows.Update(msg)
	return tea.Batch(show, cmd)
}

// hear takes a batch as it is now. Until one is chosen, the latest is shown.
func (p *Batch) hear(b client.Batch) tea.Cmd {
	switch {
	case b.BatchID == p.batch.BatchID:
		p.batch = b
		p.pace.add(settled(b), p.desk.Now())
	case !p.chosen && b.CreatedAt.After(p.batch.CreatedAt):
		return p.turnTo(b)
	}
	return nil
}

func (p *Batch) turnTo(b client.Batch) tea.Cmd {
	same := b.BatchID == p.batch.BatchID
	p.batch = b
	if same {
		return nil
	}
	p.pace = pace{}
	p.pace.add(settled(b), p.desk.Now())
	p.finder.Clear()
	return p.list()
}

// list lists the rows that are looked for.
func (p *Batch) list() tea.Cmd {
	filter := client.Filter{Batch: p.batch.BatchID, Search: p.finder.Term}
	p.rows.Empty = "The batch has no certificates yet."
	if filter.Search != "" {
		p.rows.Empty = "No certificate of the batch is like that."
	}
	return p.rows.Reset(func(ctx context.Context, page, perPage int) (client.Page[client.Certificate], error) {
		f := filter
		f.Page, f.PerPage = page, perPage
		return p.vault.List(ctx, f)
	})
}

func (p *Batch) press(msg tea.KeyPressMsg) tea.Cmd {
	k := p.desk.Keys
	if p.batch.BatchID == "" {
		return nil
	}
	if changed, handled := p.finder.Take(msg, k); handled {
		p.chosen = true // whoever searches it stays in it
		if !changed {
			return nil
		}
		return p.list()
	}
	cmd, handled := p.rows.Update(msg)
	switch {
	case handled || key.Matches(msg, k.RetryAll):
		return cmd
	case key.Matches(msg, k.Back) && p.finder.Term != "":
		p.finder.Clear()
		return p.list()
	}
	return actOnBatch(p.desk, p.vault, p.batch, msg)
}

// batchHead is the number of lines above the rows.
const batchHead = 3

// View implements desk.Page.
func (p *Batch) View(width, height int) string {
	l := p.desk.Look
	if p.batch.BatchID == "" {
		return l.Block(l.Wrap(l.Dim.Render("There is no batch yet."), width), width, height)
	}
	b := p.batch
	rate, left := p.pace.words(b, p.desk.Now())
	if rate != "" {
		rate += ", " + left + " left"
	}
	count := fmt.Sprintf("%s of %s", look.Number(settled(b)), look.Number(b.Total))
	barWidth := max(10, min(40, width-len(count)-len(rate)-4))
	head := []string{
		l.Strong.Render(l.Short(look.Clean(b.Name), width-12)) + "  " + l.State(b.Status, b.Status),
		bar(l, settled(b), b.Total, barWidth) + "  " + count + "  " + rate,
		counts(l, b),
	}
	head[2] = p.finder.Head(l, head[2], p.rows.Place(), width)
	return join(l.Block(head, width, batchHead), p.rows.View(width, height-batchHead))
}
