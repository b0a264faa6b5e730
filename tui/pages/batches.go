package pages

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/ui"
)

// Batches is the page of all batches, newest first.
type Batches struct {
	ui      *ui.Context
	vault   Vault
	table   ui.Table
	all     []client.Batch
	rates   map[string]*rateMeter
	known   bool
	reading bool
	more    bool // the vault has older batches
	pages   int  // loaded so far
	drop    *adminclient.DropFolder
	err     error
}

// NewBatches returns the page.
func NewBatches(d *ui.Context, v Vault) *Batches {
	p := &Batches{ui: d, vault: v, rates: map[string]*rateMeter{}, more: true, table: ui.NewTable(
		ui.Column{Title: "batch", Min: 16, Max: 44}, ui.Column{Title: "state", Min: 10},
		ui.Column{Title: "progress", Min: 8, Max: 24, DropOrder: 3, Draw: drawProgress}, ui.Column{Title: "done", Min: 13, Max: 19, Right: true},
		ui.Column{Title: "failed", Min: 6, Max: 9, Right: true},
		ui.Column{Title: "rate", Min: 6, Right: true, DropOrder: 2}, ui.Column{Title: "left", Min: 6, Right: true, DropOrder: 1},
	)}
	p.table.Single = true
	return p
}

// Name implements ui.Page.
func (*Batches) Name() string { return "Batches" }

// Typing implements ui.Page.
func (*Batches) Typing() bool { return false }

// Keys implements ui.Page.
func (p *Batches) Keys() []key.Binding {
	k := p.ui.Keys
	return append(append([]key.Binding{k.Enter}, p.acts()...), append([]key.Binding{k.Copy, k.Export}, k.Navigation()...)...)
}

func (p *Batches) acts() []key.Binding {
	k := p.ui.Keys
	if p.ui.Remote {
		return nil
	}
	return []key.Binding{k.Pause, k.Cancel, k.RetryAll}
}

// Messages of this page.
type (
	// OpenBatchMsg opens the page of a batch.
	OpenBatchMsg     struct{ Batch client.Batch }
	batchesLoadedMsg struct {
		number int
		found  client.Page[client.Batch]
		err    error
	}
	batchActionMsg struct {
		batch  client.Batch
		result ui.ResultMsg
	}
)

// To implements ui.NavigateMsg.
func (OpenBatchMsg) To() string { return "Batch" }

// Len implements ui.Rows.
func (p *Batches) Len() int { return len(p.all) }

// Row implements ui.Rows.
func (p *Batches) Row(i int) (ui.Row, bool) {
	if i < 0 || i >= len(p.all) {
		return ui.Row{}, false
	}
	b := p.all[i]
	rate, left := p.rates[b.BatchID].format(b, p.ui.Now())
	return ui.Row{ID: b.BatchID, State: b.Status, Cells: []string{
		ui.Sanitize(b.Name), b.Status, fmt.Sprintf("%d/%d", finished(b), b.Total),
		progressText(finished(b), b.Total), ui.FormatNumber(b.Failed), rate, left,
	}}, true
}

// progressText returns "done/total", without separators in large numbers.
func progressText(done, total int) string {
	if text := ui.FormatNumber(done) + "/" + ui.FormatNumber(total); len(text) <= 13 {
		return text
	}
	return fmt.Sprintf("%d/%d", done, total)
}

// Update implements ui.Page.
func (p *Batches) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case ui.EventsMsg:
		for _, m := range msg.Messages {
			p.onMessage(m)
		}
	case ui.ConnStateMsg:
		if msg.Up && p.known {
			return p.read(1) // for changes while there was no connection
		}
	case ui.StatusMsg:
		if msg.Err == nil {
			p.drop = msg.Status.Drop
		}
	case batchesLoadedMsg:
		return p.onLoaded(msg)
	case batchActionMsg:
		if msg.result.Err == nil && msg.batch.BatchID != "" {
			p.upsert(msg.batch)
		}
		return func() tea.Msg { return msg.result }
	case tea.MouseClickMsg:
		p.table.Click(msg.Y, p)
	case tea.KeyPressMsg:
		return p.press(msg)
	}
	return nil
}

func (p *Batches) onMessage(m adminclient.Message) {
	if s := m.Snapshot; s != nil {
		p.known, p.drop = true, s.Status.Drop
		for _, b := range slices.Backward(s.Batches) {
			p.upsert(b)
		}
	}
	if m.Batch != nil {
		p.upsert(*m.Batch)
	}
}

// upsert updates a batch, or inserts it by age.
func (p *Batches) upsert(b client.Batch) {
	now := p.ui.Now()
	if p.rates[b.BatchID] == nil {
		p.rates[b.BatchID] = &rateMeter{}
	}
	p.rates[b.BatchID].add(finished(b), now)
	if i := slices.IndexFunc(p.all, func(o client.Batch) bool { return o.BatchID == b.BatchID }); i >= 0 {
		p.all[i] = b
		return
	}
	i := slices.IndexFunc(p.all, func(o client.Batch) bool { return !o.CreatedAt.After(b.CreatedAt) })
	if i < 0 {
		i = len(p.all)
	}
	p.all = slices.Insert(p.all, i, b)
	if at := p.table.Cursor(); at > 0 && i <= at {
		p.table.Select(at+1, len(p.all)) // keeps the selection
	}
}

const batchesPerPage = 50

func (p *Batches) read(n int) tea.Cmd {
	if p.reading {
		return nil
	}
	p.reading = true
	return p.ui.Query(func(ctx context.Context) tea.Msg {
		found, err := p.vault.Batches(ctx, n, batchesPerPage)
		return batchesLoadedMsg{n, found, err}
	})
}

func (p *Batches) onLoaded(m batchesLoadedMsg) tea.Cmd {
	p.reading = false
	if p.err = m.err; m.err != nil {
		return nil
	}
	p.known = true
	p.pages = max(p.pages, m.number)
	p.more = p.pages < m.found.Meta.LastPage
	for _, b := range slices.Backward(m.found.Data) {
		p.upsert(b)
	}
	return nil
}

// loadOlder loads older batches when the selected row is near the end.
func (p *Batches) loadOlder() tea.Cmd {
	if p.more && p.table.Cursor() >= len(p.all)-10 && len(p.all) >= batchesPerPage {
		return p.read(max(p.pages, 1) + 1)
	}
	return nil
}

func (p *Batches) press(msg tea.KeyPressMsg) tea.Cmd {
	k := p.ui.Keys
	if p.table.Update(msg, k, p) {
		return p.loadOlder()
	}
	if key.Matches(msg, k.Back) {
		p.table.ClearMarks()
		return nil
	}
	i := p.table.Cursor()
	if i >= len(p.all) {
		return nil
	}
	b := p.all[i]
	switch {
	case key.Matches(msg, k.Enter):
		return func() tea.Msg { return OpenBatchMsg{b} }
	case key.Matches(msg, k.Copy):
		return tea.Batch(tea.SetClipboard(b.BatchID), ui.ShowResult("Copied: "+b.BatchID))
	case key.Matches(msg, k.Export):
		return p.export()
	}
	return batchAction(p.ui, p.vault, b, msg)
}

func (p *Batches) export() tea.Cmd {
	all := slices.Clone(p.all)
	return p.ui.ExportCSV("batches", []string{"batch_id", "name", "status", "total", "approved", "processing", "failed", "revoked", "created_at", "rejected"}, "batch was", "batches were",
		ui.EachRow(all, func(b client.Batch) []string {
			return []string{b.BatchID, b.Name, b.Status, fmt.Sprint(b.Total), fmt.Sprint(b.Approved),
				fmt.Sprint(b.Processing), fmt.Sprint(b.Failed), fmt.Sprint(b.Revoked), b.CreatedAt.Format(time.RFC3339), fmt.Sprint(b.RejectedRows())}
		}))
}

// batchAction does the action of a key to a batch.
func batchAction(d *ui.Context, v Vault, b client.Batch, msg tea.KeyPressMsg) tea.Cmd {
	k := d.Keys
	change := func(act adminclient.BatchAction, done string) tea.Cmd {
		return d.Do(func(ctx context.Context) tea.Msg {
			after, err := v.ActOnBatch(ctx, b.BatchID, act)
			return batchActionMsg{after, ui.ResultMsg{Text: "Batch " + b.Name + " " + done + ".", Err: err}}
		})
	}
	switch {
	case d.Remote:
	case key.Matches(msg, k.Pause) && b.Status == string(vault.BatchPaused):
		return change(adminclient.ResumeBatch, "continues")
	case key.Matches(msg, k.Pause):
		return change(adminclient.PauseBatch, "is paused")
	case key.Matches(msg, k.Cancel):
		return ui.OpenDialog(ui.DialogMsg{
			Text: fmt.Sprintf("Cancel batch %s? %s will fail.", b.Name, ui.Plural(b.Processing, "waiting certificate", "waiting certificates")),
			Do:   func([]string) tea.Cmd { return change(adminclient.CancelBatch, "is cancelled") },
		})
	case key.Matches(msg, k.RetryAll) && b.Failed == 0:
		return ui.ShowResult("Batch " + b.Name + " has no failed certificates.")
	case key.Matches(msg, k.RetryAll):
		return ui.OpenDialog(ui.DialogMsg{
			Text: fmt.Sprintf("Retry %s of batch %s?", ui.Plural(b.Failed, "failed certificate", "failed certificates"), b.Name),
			Do: func([]string) tea.Cmd {
				return d.Do(func(ctx context.Context) tea.Msg {
					n, err := v.RetryAll(ctx, b.BatchID)
					return ui.ResultMsg{Text: ui.Plural(n, "certificate is", "certificates are") + " processed again.", Err: err}
				})
			},
		})
	}
	return nil
}

// View implements ui.Page.
func (p *Batches) View(width, height int) string {
	l := p.ui.Theme
	foot := append(p.countLines(height), p.dropLines(width, height)...)
	rest := height - len(foot)
	body := ""
	switch {
	case len(p.all) > 0:
		body = p.table.View(l, p, width, rest)
	case p.err != nil:
		body = p.ui.ErrorView("The batches", p.err, width, rest)
	case p.known:
		body = l.Block(l.Wrap(l.Dim.Render("There are no batches yet. Put a manifest and its documents into the drop folder, or run: vecctl bulk MANIFEST"), width), width, rest)
	default:
		body = p.ui.LoadingView(width, rest)
	}
	if len(foot) == 0 {
		return body
	}
	return joinLines(body, l.Block(foot, width, len(foot)))
}

// countLines shows the number of the selected batch's certificates by state.
func (p *Batches) countLines(height int) []string {
	const least = 8 // with fewer lines, a dialog is open
	if p.table.Cursor() >= len(p.all) || height < least {
		return nil
	}
	return []string{stateCounts(p.ui.Theme, p.all[p.table.Cursor()])}
}

// stateCounts returns the number of a batch's certificates by state.
func stateCounts(l ui.Theme, b client.Batch) string {
	var parts []string
	for _, one := range []struct {
		state string
		n     int
	}{{"approved", b.Approved}, {"processing", b.Processing}, {"failed", b.Failed}, {"revoked", b.Revoked}} {
		parts = append(parts, ui.FormatNumber(one.n)+" "+l.StateText(one.state, one.state))
	}
	if n := b.RejectedRows(); n > 0 {
		parts = append(parts, ui.FormatNumber(n)+" "+l.StateText("rejected", "rejected"))
	}
	return strings.Join(parts, "  ")
}

// dropLines lists the waiting files of the drop folder.
func (p *Batches) dropLines(width, height int) []string {
	if p.drop == nil || p.drop.Total == 0 && p.drop.Trouble == "" {
		return nil
	}
	l := p.ui.Theme
	lines := []string{l.Strong.Render(fmt.Sprintf("Drop folder: %s", ui.Plural(p.drop.Total, "file", "files")))}
	if p.drop.Trouble != "" {
		lines = append(lines, l.Bad.Render(ui.Sanitize(p.drop.Trouble)))
	}
	most := max(1, min(height/4, 6))
	for i, f := range p.drop.Waiting {
		if i == most {
			lines = append(lines, l.Dim.Render(fmt.Sprintf("  and %d more", p.drop.Total-most)))
			break
		}
		text := fmt.Sprintf("  %-9s %s", f.State, ui.Sanitize(f.Name))
		if f.Note != "" {
			text += ": " + ui.Sanitize(f.Note)
		}
		lines = append(lines, l.Truncate(text, width))
	}
	return lines
}
