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
type ListSource[T any] func(ctx context.Context, page, perPage int) (client.Page[T], error)

// ListSpec is what a list shows and exports.
type ListSpec[T any] struct {
	Name          string // of exported files
	Label         Label
	Columns       []ui.Column
	CertificateOf func(*T) *client.Certificate // an entry's certificate
	Cells         func(T) []string
	Heading       []string         // of an export
	Record        func(T) []string // of an export
	EmptyText     string           // said where there is nothing
	// Concerns reports whether an event may change which certificates are listed.
	Concerns func(adminclient.CertificateEvent) bool
}

// Label is what an entry is called, and several of them.
type Label struct{ One, Many string }

// Bounds of what is held.
const (
	listPageSize = 50
	maxListPages = 16 // pages
)

// List is a list of certificates, or of what holds one each, read page by page.
type List[T any] struct {
	ListSpec[T]
	ui    *ui.Context
	fetch ListSource[T]
	table ui.Table

	total      int
	known      bool // total has been read
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

// NewList makes a list. It reads nothing before it is shown.
func NewList[T any](d *ui.Context, k ListSpec[T], fetch ListSource[T]) *List[T] {
	r := &List[T]{ListSpec: k, ui: d, table: ui.NewTable(k.Columns...)}
	r.SetSource(fetch)
	return r
}

// SetSource lists other certificates.
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

// Current is the selected certificate.
func (r *List[T]) Current() (T, bool) { return r.at(r.table.Cursor()) }

// listPageMsg is a page that was read.
type listPageMsg[T any] struct {
	of         *List[T]
	generation int
	number     int
	found      client.Page[T]
	took       time.Duration
	err        error
}

// loadVisible reads the pages around the selected row that are missing or old.
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
		found, err := fetch(ctx, n+1, listPageSize)
		return listPageMsg[T]{of: r, generation: generation, number: n, found: found, took: now().Sub(begun), err: err}
	})
}

// onLoaded puts a page that was read in its place.
func (r *List[T]) onLoaded(m listPageMsg[T]) tea.Cmd {
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

// keepSelection keeps the same certificate selected when others came before it. The first
// row stays the first: there the newest are to be seen.
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

// refresh reads again what is shown when it may be old, but not so often that the
// vault has nothing else to do.
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

// Update takes messages and keys; handled is false for keys that mean nothing here.
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
		// A remote vault tells nothing of single certificates.
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

// applyEvents changes what is held by what happened.
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

// DisplayState is the state in which staff see a certificate: one that a corrected one took
// the place of stays approved, but is not valid any more.
func DisplayState(c client.Certificate) string {
	if c.SupersededBy != nil && c.Status.Is(vault.Approved) {
		return "replaced"
	}
	return c.Status.Value
}

// StateAfter is the state that an event leaves a certificate in; "" where it says
// nothing of it.
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

// Position says which row of how many is selected, and how many are marked.
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
