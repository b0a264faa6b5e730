package pages

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/ui"
)

// ListSource reads one page of a list, newest first.
type ListSource[T any] func(ctx context.Context, page ListPage) (client.Page[T], error)

// ListPage names a page of a list.
type ListPage struct {
	Number, Size int // the number counts from 1
	// After is the UUID of the last entry of the page before, if that page was read. A source
	// that can read on from an entry does so, and passes over none when others leave the list.
	After string
}

// ListSpec describes what a list shows and exports.
type ListSpec[T any] struct {
	Name          string // of exported files
	Label         Label
	Columns       []ui.Column
	CertificateOf func(*T) *client.Certificate // an entry's certificate
	Cells         func(T) []string
	Heading       []string         // of an export
	Record        func(T) []string // of an export
	EmptyText     string           // shown if the list is empty
	// Concerns reports whether an event may change which entries are listed.
	Concerns func(adminclient.CertificateEvent) bool
}

// Label is the noun for one entry and for several.
type Label struct{ One, Many string }

// Limits of the pages in memory.
const (
	listPageSize = 50
	maxListPages = 16 // pages
)

// List is a list of certificates, or of entries with a certificate, read page by page.
type List[T any] struct {
	ListSpec[T]
	ui    *ui.Context
	fetch ListSource[T]
	table ui.Table

	total      int
	known      bool // total is known
	pages      map[int]listPage[T]
	loading    map[int]bool
	generation int
	stale      bool
	asked      time.Time
	took       time.Duration
	err        error
	visible    bool
	selected   string // UUID of the selected row
}

type listPage[T any] struct {
	generation int
	rows       []T
}

// NewList returns a list. It reads nothing before it is shown.
func NewList[T any](d *ui.Context, k ListSpec[T], fetch ListSource[T]) *List[T] {
	r := &List[T]{ListSpec: k, ui: d, table: ui.NewTable(k.Columns...)}
	r.SetSource(fetch)
	return r
}

// SetSource sets another source.
func (r *List[T]) SetSource(fetch ListSource[T]) tea.Cmd {
	r.fetch, r.total, r.known, r.err, r.stale = fetch, 0, false, nil, false
	r.pages, r.loading = map[int]listPage[T]{}, map[int]bool{}
	r.generation++
	r.table.ClearMarks()
	r.table.Select(0, 0)
	r.selected = ""
	return r.loadVisible()
}

// Len implements ui.Rows.
func (r *List[T]) Len() int { return r.total }

// Row implements ui.Rows.
func (r *List[T]) Row(i int) (ui.Row, bool) {
	one, ok := r.at(i)
	if !ok {
		return ui.Row{}, false
	}
	c := r.CertificateOf(&one)
	row := ui.Row{ID: c.UUID, State: DisplayState(*c), Cells: r.Cells(one)}
	for j := range row.Cells {
		row.Cells[j] = ui.Sanitize(row.Cells[j])
	}
	return row, true
}

func (r *List[T]) at(i int) (T, bool) {
	p, ok := r.pages[i/listPageSize]
	if i < 0 || !ok || i%listPageSize >= len(p.rows) {
		return *new(T), false
	}
	return p.rows[i%listPageSize], true
}

// Current returns the selected entry.
func (r *List[T]) Current() (T, bool) { return r.at(r.table.Cursor()) }

// listPageMsg is a loaded page.
type listPageMsg[T any] struct {
	of         *List[T]
	generation int
	number     int
	found      client.Page[T]
	took       time.Duration
	err        error
}

// loadVisible loads the pages around the selected row that are missing or old.
func (r *List[T]) loadVisible() tea.Cmd {
	if !r.visible || r.fetch == nil {
		return nil
	}
	from, to := r.table.VisibleRows()
	height := max(to-from, 1)
	first := max(0, r.table.Cursor()-height) / listPageSize
	last := first
	if r.known {
		last = max(first, min(r.table.Cursor()+height, r.total-1)/listPageSize)
	}
	var calls []tea.Cmd
	for n := first; n <= last; n++ {
		if p, ok := r.pages[n]; (ok && p.generation == r.generation) || r.loading[n] {
			continue
		}
		r.loading[n] = true
		r.asked = r.ui.Now()
		calls = append(calls, r.read(n))
	}
	return tea.Batch(calls...)
}

func (r *List[T]) read(n int) tea.Cmd {
	fetch, generation, now := r.fetch, r.generation, r.ui.Now
	return r.ui.Query(func(ctx context.Context) tea.Msg {
		begun := now()
		found, err := fetch(ctx, ListPage{Number: n + 1, Size: listPageSize})
		return listPageMsg[T]{of: r, generation: generation, number: n, found: found, took: now().Sub(begun), err: err}
	})
}

// onLoaded stores a loaded page.
func (r *List[T]) onLoaded(m listPageMsg[T]) tea.Cmd {
	if m.generation != r.generation {
		return nil // the list has another source now
	}
	delete(r.loading, m.number)
	r.took, r.err = m.took, m.err
	if m.err != nil {
		r.stale = true // try again
		return nil
	}
	r.total, r.known = m.found.Meta.Total, true
	r.pages[m.number] = listPage[T]{r.generation, m.found.Data}
	r.keepSelection()
	middle := r.table.Cursor() / listPageSize
	for n := range r.pages {
		if len(r.pages) > maxListPages && (n < middle-maxListPages/2 || n > middle+maxListPages/2) {
			delete(r.pages, n)
		}
	}
	return r.loadVisible()
}

// keepSelection keeps the same entry selected when others come before it. If the first row is
// selected, it stays selected, so that the newest entries are visible.
func (r *List[T]) keepSelection() {
	at := r.table.Cursor()
	r.table.Select(at, r.total)
	if c, ok := r.at(at); at == 0 || r.selected == "" || ok && r.CertificateOf(&c).UUID == r.selected {
		r.noteSelection()
		return
	}
	for n, p := range r.pages {
		for i := range p.rows {
			if r.CertificateOf(&p.rows[i]).UUID == r.selected {
				r.table.Select(n*listPageSize+i, r.total)
				return
			}
		}
	}
	r.noteSelection()
}

func (r *List[T]) noteSelection() {
	r.selected = ""
	if c, ok := r.Current(); ok {
		r.selected = r.CertificateOf(&c).UUID
	}
}

// refresh loads the visible pages again if they may have changed, but not more often than
// the vault can answer.
func (r *List[T]) refresh() tea.Cmd {
	const soonest, share = 500 * time.Millisecond, 10
	pause := max(soonest, share*r.took)
	if !r.visible || !r.stale || len(r.loading) > 0 || r.ui.Now().Sub(r.asked) < pause {
		return r.loadVisible()
	}
	r.stale = false
	r.generation++
	return r.loadVisible()
}

// Update handles messages and keys; handled is false for other keys.
func (r *List[T]) Update(msg tea.Msg) (cmd tea.Cmd, handled bool) {
	switch msg := msg.(type) {
	case ui.PageShownMsg:
		r.visible, r.stale = true, r.stale || r.known
		return r.refresh(), true
	case ui.PageHiddenMsg:
		r.visible = false
	case ui.EventsMsg:
		r.applyEvents(msg.Messages)
		return r.refresh(), true
	case ui.ConnStateMsg:
		if msg.Up {
			r.stale = true
		}
		return r.refresh(), true
	case ui.TickMsg:
		// A remote vault sends no events about single certificates.
		const now = 10 * time.Second
		r.stale = r.stale || r.ui.Remote && r.ui.Now().Sub(r.asked) > now
		return r.refresh(), true
	case listPageMsg[T]:
		if msg.of == r {
			return r.onLoaded(msg), true
		}
	case tea.MouseClickMsg:
		r.table.Click(msg.Y, r)
		r.noteSelection()
	case tea.MouseWheelMsg:
		step := map[tea.MouseButton]int{tea.MouseWheelUp: -3, tea.MouseWheelDown: 3}[msg.Button]
		r.table.Select(r.table.Cursor()+step, r.total)
		r.noteSelection()
		return r.loadVisible(), true
	case tea.KeyPressMsg:
		return r.press(msg)
	}
	return nil, true
}

// applyEvents applies events to the loaded entries.
func (r *List[T]) applyEvents(messages []adminclient.Message) {
	var states map[string]vault.Status
	for _, m := range messages {
		if m.Snapshot != nil || m.Batch != nil && r.ui.Remote {
			r.stale = true
		}
		if e := m.Certificate; e != nil {
			if r.Concerns == nil || r.Concerns(*e) {
				r.stale = true
			}
			if states == nil {
				states = map[string]vault.Status{}
			}
			states[e.UUID] = StateAfter(*e)
		}
	}
	if states == nil {
		return
	}
	for _, p := range r.pages {
		for i := range p.rows {
			c := r.CertificateOf(&p.rows[i])
			if state := states[c.UUID]; state != "" {
				c.Status.Value = string(state)
				r.stale = r.stale || state == vault.Failed // its reason is not in the event
			}
		}
	}
}

// DisplayState returns the state of a certificate for staff: one that was replaced by a
// corrected one is still approved, but no longer valid.
func DisplayState(c client.Certificate) string {
	if c.SupersededBy != nil && c.Status.Is(vault.Approved) {
		return "replaced"
	}
	return c.Status.Value
}

// StateAfter returns the state of a certificate after an event; "" if the event does not
// change the state.
func StateAfter(e adminclient.CertificateEvent) vault.Status {
	return vault.EventType(e.Event).ResultingStatus(vault.Source(e.Source))
}

// View draws the list.
func (r *List[T]) View(width, height int) string {
	l := r.ui.Theme
	switch {
	case r.err != nil && len(r.pages) == 0:
		return r.ui.ErrorView("It", r.err, width, height)
	case !r.known:
		return r.ui.LoadingView(width, height)
	case r.total == 0:
		return l.Block(l.Wrap(l.Dim.Render(r.EmptyText), width), width, height)
	}
	return r.table.View(l, r, width, height)
}

// Position describes the selected row, the number of rows, and the number of marked ones.
func (r *List[T]) Position() string {
	if !r.known || r.total == 0 {
		return ""
	}
	text := ui.FormatNumber(r.table.Cursor()+1) + " of " + ui.FormatNumber(r.total)
	if n := len(r.table.Marked()); n > 0 {
		text += ", " + ui.FormatNumber(n) + " marked"
	}
	if from, to, begun := r.table.MarkedRange(); begun {
		text += ", range of " + ui.FormatNumber(to-from+1)
	}
	return text
}
