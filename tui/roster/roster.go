// Package roster is a list of certificates, read from the vault page by page and
// kept true by what happens, with what can be done to them.
package roster

import (
	"context"
	"io"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/tui/desk"
	"github.com/vecctl/vecctl/tui/look"
	"github.com/vecctl/vecctl/tui/table"
)

// Vault is what a roster asks of the vault.
type Vault interface {
	Retry(ctx context.Context, name string) (client.Certificate, error)
	RetrySelected(ctx context.Context, s client.Selection) (client.RetryReport, error)
	Download(ctx context.Context, name string, w io.Writer) (int64, error)
}

// Source reads one page of certificates, newest first.
type Source func(ctx context.Context, page, perPage int) (client.Page[client.Certificate], error)

// Kind is what a roster shows of a certificate.
type Kind struct {
	Name    string // of exported files
	Columns []table.Column
	Cells   func(client.Certificate) []string
	Empty   string // said where there is nothing
	// Concerns tells whether an event may change which certificates are listed.
	Concerns func(client.CertificateEvent) bool
}

// Bounds of what is held.
const (
	perPage = 50
	held    = 16 // pages
)

// Roster is a list of certificates.
type Roster struct {
	Kind
	desk  *desk.Desk
	vault Vault
	fetch Source
	table table.Table

	total      int
	known      bool // total has been read
	pages      map[int]page
	loading    map[int]bool
	generation int
	stale      bool
	asked      time.Time
	took       time.Duration
	err        error
	visible    bool
	selected   string // UUID of the selected row
}

type page struct {
	generation int
	rows       []client.Certificate
}

// New makes a roster. It reads nothing before it is shown.
func New(d *desk.Desk, v Vault, k Kind, fetch Source) *Roster {
	r := &Roster{Kind: k, desk: d, vault: v, table: table.New(k.Columns...)}
	r.Reset(fetch)
	return r
}

// Reset lists other certificates.
func (r *Roster) Reset(fetch Source) tea.Cmd {
	r.fetch, r.total, r.known, r.err, r.stale = fetch, 0, false, nil, false
	r.pages, r.loading = map[int]page{}, map[int]bool{}
	r.generation++
	r.table.Clear()
	r.table.Select(0, 0)
	r.selected = ""
	return r.need()
}

// Total is how many certificates there are; false while it is not known.
func (r *Roster) Total() (int, bool) { return r.total, r.known }

// Len implements table.Rows.
func (r *Roster) Len() int { return r.total }

// Row implements table.Rows.
func (r *Roster) Row(i int) (table.Row, bool) {
	c, ok := r.at(i)
	if !ok {
		return table.Row{}, false
	}
	row := table.Row{ID: c.UUID, State: c.Status.Value, Cells: r.Cells(c)}
	for j := range row.Cells {
		row.Cells[j] = look.Clean(row.Cells[j])
	}
	return row, true
}

func (r *Roster) at(i int) (client.Certificate, bool) {
	p, ok := r.pages[i/perPage]
	if i < 0 || !ok || i%perPage >= len(p.rows) {
		return client.Certificate{}, false
	}
	return p.rows[i%perPage], true
}

// Current is the selected certificate.
func (r *Roster) Current() (client.Certificate, bool) { return r.at(r.table.Cursor()) }

// Chosen asks for one certificate's story.
type Chosen struct{ UUID string }

// To implements desk.Addressed.
func (Chosen) To() string { return "Certificate" }

// loaded is a page that was read.
type loaded struct {
	of         *Roster
	generation int
	number     int
	found      client.Page[client.Certificate]
	took       time.Duration
	err        error
}

// need reads the pages around the selected row that are missing or old.
func (r *Roster) need() tea.Cmd {
	if !r.visible || r.fetch == nil {
		return nil
	}
	from, to := r.table.Shown()
	height := max(to-from, 1)
	first := max(0, r.table.Cursor()-height) / perPage
	last := first
	if r.known {
		last = max(first, min(r.table.Cursor()+height, r.total-1)/perPage)
	}
	var calls []tea.Cmd
	for n := first; n <= last; n++ {
		if p, ok := r.pages[n]; (ok && p.generation == r.generation) || r.loading[n] {
			continue
		}
		r.loading[n] = true
		r.asked = r.desk.Now()
		calls = append(calls, r.read(n))
	}
	return tea.Batch(calls...)
}

func (r *Roster) read(n int) tea.Cmd {
	fetch, generation, now := r.fetch, r.generation, r.desk.Now
	return r.desk.Ask(func(ctx context.Context) tea.Msg {
		begun := now()
		found, err := fetch(ctx, n+1, perPage)
		return loaded{of: r, generation: generation, number: n, found: found, took: now().Sub(begun), err: err}
	})
}

// take puts a page that was read in its place.
func (r *Roster) take(m loaded) tea.Cmd {
	if m.generation != r.generation {
		return nil // others are listed by now
	}
	delete(r.loading, m.number)
	r.took, r.err = m.took, m.err
	if m.err != nil {
		r.stale = true // it is tried again
		return nil
	}
	r.total, r.known = m.found.Meta.Total, true
	r.pages[m.number] = page{r.generation, m.found.Data}
	r.follow()
	middle := r.table.Cursor() / perPage
	for n := range r.pages {
		if len(r.pages) > held && (n < middle-held/2 || n > middle+held/2) {
			delete(r.pages, n)
		}
	}
	return r.need()
}

// follow keeps the same certificate selected when others came before it. The first
// row stays the first: there the newest are to be seen.
func (r *Roster) follow() {
	at := r.table.Cursor()
	r.table.Select(at, r.total)
	if c, ok := r.at(at); at == 0 || r.selected == "" || ok && c.UUID == r.selected {
		r.note()
		return
	}
	for n, p := range r.pages {
		for i, c := range p.rows {
			if c.UUID == r.selected {
				r.table.Select(n*perPage+i, r.total)
				return
			}
		}
	}
	r.note()
}

func (r *Roster) note() {
	r.selected = ""
	if c, ok := r.Current(); ok {
		r.selected = c.UUID
	}
}

// refresh reads again what is shown when it may be old, but not so often that the
// vault has nothing else to do.
func (r *Roster) refresh() tea.Cmd {
	const soonest, share = 500 * time.Millisecond, 10
	pause := max(soonest, share*r.took)
	if !r.visible || !r.stale || len(r.loading) > 0 || r.desk.Now().Sub(r.asked) < pause {
		return r.need()
	}
	r.stale = false
	r.generation++
	return r.need()
}

// Update takes messages and keys; handled is false for keys that mean nothing here.
func (r *Roster) Update(msg tea.Msg) (cmd tea.Cmd, handled bool) {
	switch msg := msg.(type) {
	case desk.Shown:
		r.visible, r.stale = true, r.stale || r.known
		return r.refresh(), true
	case desk.Hidden:
		r.visible = false
	case desk.News:
		r.hear(msg.Messages)
		return r.refresh(), true
	case desk.Link:
		if msg.Up {
			r.stale = true
		}
		return r.refresh(), true
	case desk.Tick:
		// A remote vault tells nothing of single certificates.
		const now = 10 * time.Second
		r.stale = r.stale || r.desk.Remote && r.desk.Now().Sub(r.asked) > now
		return r.refresh(), true
	case loaded:
		if msg.of == r {
			return r.take(msg), true
		}
	case retried:
		if msg.of == r {
			return r.afterRetry(msg), true
		}
	case tea.MouseClickMsg:
		r.table.Click(msg.Y, r)
		r.note()
	case tea.MouseWheelMsg:
		step := map[tea.MouseButton]int{tea.MouseWheelUp: -3, tea.MouseWheelDown: 3}[msg.Button]
		r.table.Select(r.table.Cursor()+step, r.total)
		r.note()
		return r.need(), true
	case tea.KeyPressMsg:
		return r.press(msg)
	}
	return nil, true
}

// hear changes what is held by what happened.
func (r *Roster) hear(messages []client.Message) {
	var states map[string]string
	for _, m := range messages {
		if m.Snapshot != nil || m.Batch != nil && r.desk.Remote {
			r.stale = true
		}
		if e := m.Certificate; e != nil {
			if r.Concerns == nil || r.Concerns(*e) {
				r.stale = true
			}
			if states == nil {
				states = map[string]string{}
			}
			states[e.UUID] = StateAfter(e.Event)
		}
	}
	if states == nil {
		return
	}
	for _, p := range r.pages {
		for i := range p.rows {
			if state := states[p.rows[i].UUID]; state != "" {
				p.rows[i].Status.Value = state
				r.stale = r.stale || state == "failed" // its reason is not in the event
			}
		}
	}
}

// StateAfter is the state that an event leaves a certificate in; "" where it says
// nothing of it.
func StateAfter(event string) string {
	_, what, _ := strings.Cut(event, ".")
	switch what {
	case "created", "retried", "processing":
		return "processing"
	case "approved", "failed", "revoked":
		return what
	}
	return ""
}

// View draws the list.
func (r *Roster) View(width, height int) string {
	l := r.desk.Look
	switch {
	case r.err != nil && len(r.pages) == 0:
		return r.desk.Unread("It", r.err, width, height)
	case !r.known:
		return r.desk.Reading(width, height)
	case r.total == 0:
		return l.Block(l.Wrap(l.Dim.Render(r.Empty), width), width, height)
	}
	return r.table.View(l, r, width, height)
}

// Place says which row of how many is selected, and how many are marked.
func (r *Roster) Place() string {
	if !r.known || r.total == 0 {
		return ""
	}
	text := look.Number(r.table.Cursor()+1) + " of " + look.Number(r.total)
	if n := len(r.table.Marked()); n > 0 {
		text += ", " + look.Number(n) + " marked"
	}
	if from, to, begun := r.table.Span(); begun {
		text += ", range of " + look.Number(to-from+1)
	}
	return text
}

// Keys are the roster's own.
func (r *Roster) Keys() []key.Binding {
	k := r.desk.Keys
	return append([]key.Binding{k.Enter, k.Retry, k.Mark, k.Range, k.Open, k.OpenPage, k.Copy, k.CopyLink, k.Export, k.Back}, k.Moves()...)
}
