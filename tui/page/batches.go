package page

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/desk"
	"github.com/vecctl/vecctl/tui/look"
	"github.com/vecctl/vecctl/tui/table"
)

// BatchVault is what is asked of the vault about batches.
type BatchVault interface {
	Batches(ctx context.Context, page, perPage int) (client.Page[client.Batch], error)
	ActOnBatch(ctx context.Context, id string, act staff.BatchAct) (client.Batch, error)
	RetryAll(ctx context.Context, batch string) (int, error)
}

// Batches is the page of all batches, newest first.
type Batches struct {
	desk    *desk.Desk
	vault   BatchVault
	table   table.Table
	all     []client.Batch
	paces   map[string]*pace
	known   bool
	reading bool
	more    bool // the vault has older ones
	pages   int  // read so far
	drop    *staff.DropFolder
	err     error
}

// NewBatches makes the page.
func NewBatches(d *desk.Desk, v BatchVault) *Batches {
	p := &Batches{desk: d, vault: v, paces: map[string]*pace{}, more: true, table: table.New(
		table.Column{Title: "batch", Min: 16, Max: 44}, table.Column{Title: "state", Min: 10},
		table.Column{Title: "progress", Min: 8, Max: 24, Keep: 3, Draw: drawBar}, table.Column{Title: "done", Min: 13, Max: 19, Right: true},
		table.Column{Title: "failed", Min: 6, Max: 9, Right: true},
		table.Column{Title: "rate", Min: 6, Right: true, Keep: 2}, table.Column{Title: "left", Min: 6, Right: true, Keep: 1},
	)}
	p.table.Single = true
	return p
}

// Name implements desk.Page.
func (*Batches) Name() string { return "Batches" }

// Typing implements desk.Page.
func (*Batches) Typing() bool { return false }

// Keys implements desk.Page.
func (p *Batches) Keys() []key.Binding {
	k := p.desk.Keys
	return append(append([]key.Binding{k.Enter}, p.acts()...), append([]key.Binding{k.Copy, k.Export}, k.Moves()...)...)
}

func (p *Batches) acts() []key.Binding {
	k := p.desk.Keys
	if p.desk.Remote {
		return nil
	}
	return []key.Binding{k.Pause, k.Cancel, k.RetryAll}
}

// Messages of this page.
type (
	// BatchChosen has a batch's page shown.
	BatchChosen struct{ Batch client.Batch }
	batchesRead struct {
		number int
		found  client.Page[client.Batch]
		err    error
	}
	batchChanged struct {
		batch client.Batch
		said  desk.Said
	}
)

// To implements desk.Addressed.
func (BatchChosen) To() string { return "Batch" }

// Len implements table.Rows.
func (p *Batches) Len() int { return len(p.all) }

// Row implements table.Rows.
func (p *Batches) Row(i int) (table.Row, bool) {
	if i < 0 || i >= len(p.all) {
		return table.Row{}, false
	}
	b := p.all[i]
	rate, left := p.paces[b.BatchID].words(b, p.desk.Now())
	return table.Row{ID: b.BatchID, State: b.Status, Cells: []string{
		look.Clean(b.Name), b.Status, fmt.Sprintf("%d/%d", settled(b), b.Total),
		doneOf(settled(b), b.Total), look.Number(b.Failed), rate, left,
	}}, true
}

// doneOf is "done/total"; large numbers go without their commas.
func doneOf(done, total int) string {
	if text := look.Number(done) + "/" + look.Number(total); len(text) <= 13 {
		return text
	}
	return fmt.Sprintf("%d/%d", done, total)
}

// Update implements desk.Page.
func (p *Batches) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case desk.News:
		for _, m := range msg.Messages {
			p.hear(m)
		}
	case desk.Link:
		if msg.Up && p.known {
			return p.read(1) // what changed while nobody told
		}
	case desk.Pulse:
		if msg.Err == nil {
			p.drop = msg.Status.Drop
		}
	case batchesRead:
		return p.take(msg)
	case batchChanged:
		if msg.said.Err == nil && msg.batch.BatchID != "" {
			p.put(msg.batch)
		}
		return func() tea.Msg { return msg.said }
	case tea.MouseClickMsg:
		p.table.Click(msg.Y, p)
	case tea.KeyPressMsg:
		return p.press(msg)
	}
	return nil
}

func (p *Batches) hear(m staff.Message) {
	if s := m.Snapshot; s != nil {
		p.known, p.drop = true, s.Status.Drop
		for _, b := range slices.Backward(s.Batches) {
			p.put(b)
		}
	}
	if m.Batch != nil {
		p.put(*m.Batch)
	}
}

// put takes a batch as it is now; a new one goes to its place by age.
func (p *Batches) put(b client.Batch) {
	now := p.desk.Now()
	if p.paces[b.BatchID] == nil {
		p.paces[b.BatchID] = &pace{}
	}
	p.paces[b.BatchID].add(settled(b), now)
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
		p.table.Select(at+1, len(p.all)) // the same one stays selected
	}
}

const batchesPerPage = 50

func (p *Batches) read(n int) tea.Cmd {
	if p.reading {
		return nil
	}
	p.reading = true
	return p.desk.Ask(func(ctx context.Context) tea.Msg {
		found, err := p.vault.Batches(ctx, n, batchesPerPage)
		return batchesRead{n, found, err}
	})
}

func (p *Batches) take(m batchesRead) tea.Cmd {
	p.reading = false
	if p.err = m.err; m.err != nil {
		return nil
	}
	p.known = true
	p.pages = max(p.pages, m.number)
	p.more = p.pages < m.found.Meta.LastPage
	for _, b := range slices.Backward(m.found.Data) {
		p.put(b)
	}
	return nil
}

// older reads more when the selected row comes near to the end.
func (p *Batches) older() tea.Cmd {
	if p.more && p.table.Cursor() >= len(p.all)-10 && len(p.all) >= batchesPerPage {
		return p.read(max(p.pages, 1) + 1)
	}
	return nil
}

func (p *Batches) press(msg tea.KeyPressMsg) tea.Cmd {
	k := p.desk.Keys
	if p.table.Update(msg, k, p) {
		return p.older()
	}
	if key.Matches(msg, k.Back) {
		p.table.Clear()
		return nil
	}
	i := p.table.Cursor()
	if i >= len(p.all) {
		return nil
	}
	b := p.all[i]
	switch {
	case key.Matches(msg, k.Enter):
		return func() tea.Msg { return BatchChosen{b} }
	case key.Matches(msg, k.Copy):
		return tea.Batch(tea.SetClipboard(b.BatchID), desk.Say("Copied: "+b.BatchID))
	case key.Matches(msg, k.Export):
		return p.export()
	}
	return actOnBatch(p.desk, p.vault, b, msg)
}

func (p *Batches) export() tea.Cmd {
	all := slices.Clone(p.all)
	return p.desk.Save("batches", []string{"batch_id", "name", "status", "total", "approved", "processing", "failed", "revoked", "created_at"}, "batch was", "batches were",
		desk.Each(all, func(b client.Batch) []string {
			return []string{b.BatchID, b.Name, b.Status, fmt.Sprint(b.Total), fmt.Sprint(b.Approved),
				fmt.Sprint(b.Processing), fmt.Sprint(b.Failed), fmt.Sprint(b.Revoked), b.CreatedAt.Format(time.RFC3339)}
		}))
}

// actOnBatch does what a key says to a batch.
func actOnBatch(d *desk.Desk, v BatchVault, b client.Batch, msg tea.KeyPressMsg) tea.Cmd {
	k := d.Keys
	change := func(act staff.BatchAct, done string) tea.Cmd {
		return d.Act(func(ctx context.Context) tea.Msg {
			after, err := v.ActOnBatch(ctx, b.BatchID, act)
			return batchChanged{after, desk.Said{Text: "Batch " + b.Name + " " + done + ".", Err: err}}
		})
	}
	switch {
	case d.Remote:
	case key.Matches(msg, k.Pause) && b.Status == string(vault.BatchPaused):
		return change(staff.ResumeBatch, "goes on")
	case key.Matches(msg, k.Pause):
		return change(staff.PauseBatch, "is paused")
	case key.Matches(msg, k.Cancel):
		return desk.Ask(desk.Question{
			Text: fmt.Sprintf("Cancel batch %s? %s not begun will fail.", b.Name, look.Count(b.Processing, "certificate that has", "certificates that have")),
			Do:   func([]string) tea.Cmd { return change(staff.CancelBatch, "is cancelled") },
		})
	case key.Matches(msg, k.RetryAll) && b.Failed == 0:
		return desk.Say("Nothing of batch " + b.Name + " has failed.")
	case key.Matches(msg, k.RetryAll):
		return desk.Ask(desk.Question{
			Text: fmt.Sprintf("Retry %s of batch %s?", look.Count(b.Failed, "failed certificate", "failed certificates"), b.Name),
			Do: func([]string) tea.Cmd {
				return d.Act(func(ctx context.Context) tea.Msg {
					n, err := v.RetryAll(ctx, b.BatchID)
					return desk.Said{Text: look.Count(n, "certificate is", "certificates are") + " processed again.", Err: err}
				})
			},
		})
	}
	return nil
}

// View implements desk.Page.
func (p *Batches) View(width, height int) string {
	l := p.desk.Look
	foot := append(p.countLines(height), p.dropLines(width, height)...)
	rest := height - len(foot)
	body := ""
	switch {
	case len(p.all) > 0:
		body = p.table.View(l, p, width, rest)
	case p.err != nil:
		body = p.desk.Unread("The batches", p.err, width, rest)
	case p.known:
		body = l.Block(l.Wrap(l.Dim.Render("There is no batch yet. Put a manifest and its documents into the drop folder, or run: vecctl bulk MANIFEST"), width), width, rest)
	default:
		body = p.desk.Reading(width, rest)
	}
	if len(foot) == 0 {
		return body
	}
	return join(body, l.Block(foot, width, len(foot)))
}

// countLines count the selected batch's certificates by state.
func (p *Batches) countLines(height int) []string {
	const least = 8 // below it a question has taken the room
	if p.table.Cursor() >= len(p.all) || height < least {
		return nil
	}
	return []string{counts(p.desk.Look, p.all[p.table.Cursor()])}
}

// counts are a batch's certificates by state.
func counts(l look.Look, b client.Batch) string {
	var parts []string
	for _, one := range []struct {
		state string
		n     int
	}{{"approved", b.Approved}, {"processing", b.Processing}, {"failed", b.Failed}, {"revoked", b.Revoked}} {
		parts = append(parts, look.Number(one.n)+" "+l.State(one.state, one.state))
	}
	return strings.Join(parts, "  ")
}

// dropLines says what waits in the drop folder.
func (p *Batches) dropLines(width, height int) []string {
	if p.drop == nil || p.drop.Total == 0 && p.drop.Trouble == "" {
		return nil
	}
	l := p.desk.Look
	lines := []string{l.Strong.Render(fmt.Sprintf("Drop folder: %s", look.Count(p.drop.Total, "file", "files")))}
	if p.drop.Trouble != "" {
		lines = append(lines, l.Bad.Render(look.Clean(p.drop.Trouble)))
	}
	most := max(1, min(height/4, 6))
	for i, f := range p.drop.Waiting {
		if i == most {
			lines = append(lines, l.Dim.Render(fmt.Sprintf("  and %d more", p.drop.Total-most)))
			break
		}
		text := fmt.Sprintf("  %-9s %s", f.State, look.Clean(f.Name))
		if f.Note != "" {
			text += ": " + look.Clean(f.Note)
		}
		lines = append(lines, l.Short(text, width))
	}
	return lines
}
