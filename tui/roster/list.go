package roster

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/desk"
	"github.com/vecctl/vecctl/tui/look"
	"github.com/vecctl/vecctl/tui/table"
)

// Source reads one page of a list, newest first.
type Source[T any] func(ctx context.Context, page, perPage int) (client.Page[T], error)

// Kind is what a list shows and exports.
type Kind[T any] struct {
	Name    string // of exported files
	Noun    Noun
	Columns []table.Column
	Of      func(*T) *client.Certificate // an entry's certificate
	Cells   func(T) []string
	Heading []string         // of an export
	Record  func(T) []string // of an export
	Empty   string           // said where there is nothing
	// Concerns tells whether an event may change which certificates are listed.
	Concerns func(staff.CertificateEvent) bool
}

// Noun is what an entry is called, and several of them.
type Noun struct{ One, Many string }

// Bounds of what is held.
const (
	perPage = 50
	held    = 16 // pages
)

// List is a list of certificates, or of what holds one each, read page by page.
type List[T any] struct {
	Kind[T]
	desk  *desk.Desk
	fetch Source[T]
	table table.Table

	total      int
	known      bool // total has been read
	pages      map[int]page[T]
	loading    map[int]bool
	generation int
	stale      bool
	asked      time.Time
	took       time.Duration
	err        error
	visible    bool
	selected   string // UUID of the selected row
}

type page[T any] struct {
	generation int
	rows       []T
}

// NewList makes a list. It reads nothing before it is shown.
func NewList[T any](d *desk.Desk, k Kind[T], fetch Source[T]) *List[T] {
	r := &List[T]{Kind: k, desk: d, table: table.New(k.Columns...)}
	r.Reset(fetch)
	return r
}

// Reset lists other certificates.
func (r *List[T]) Reset(fetch Source[T]) tea.Cmd {
	r.fetch, r.total, r.known, r.err, r.stale = fetch, 0, false, nil, false
	r.pages, r.loading = map[int]page[T]{}, map[int]bool{}
	r.generation++
	r.table.Clear()
	r.table.Select(0, 0)
	r.selected = ""
	return r.need()
}

// Len implements table.Rows.
func (r *List[T]) Len() int { return r.total }

// Row implements table.Rows.
func (r *List[T]) Row(i int) (table.Row, bool) {
	one, ok := r.at(i)
	if !ok {
		return table.Row{}, false
	}
	c := r.Of(&one)
	row := table.Row{ID: c.UUID, State: StateOf(*c), Cells: r.Cells(one)}
	for j := range row.Cells {
		row.Cells[j] = look.Clean(row.Cells[j])
	}
	return row, true
}

func (r *List[T]) at(i int) (T, bool) {
	p, ok := r.pages[i/perPage]
	if i < 0 || !ok || i%perPage >= len(p.rows) {
		return *new(T), false
	}
	return p.rows[i%perPage], true
}

// Current is the selected certificate.
func (r *List[T]) Current() (T, bool) { return r.at(r.table.Cursor()) }

// loaded is a page that was read.
type loaded[T any] struct {
	of         *List[T]
	generation int
	number     int
	found      client.Page[T]
	took       time.Duration
	err        error
}

// need reads the pages around the selected row that are missing or old.
func (r *List[T]) need() tea.Cmd {
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

func (r *List[T]) read(n int) tea.Cmd {
	fetch, generation, now := r.fetch, r.generation, r.desk.Now
	return r.desk.Ask(func(ctx context.Context) tea.Msg {
		begun := now()
		found, err := fetch(ctx, n+1, perPage)
		return loaded[T]{of: r, generation: generation, number: n, found: found, took: now().Sub(begun), err: err}
	})
}

// take puts a page that was read in its place.
func (r *List[T]) take(m loaded[T]) tea.Cmd {
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
	r.pages[m.number] = page[T]{r.generation, m.found.Data}
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
func (r *List[T]) follow() {
	at := r.table.Cursor()
	r.table.Select(at, r.total)
	if c, ok := r.at(at); at == 0 || r.selected == "" || ok && r.Of(&c).UUID == r.selected {
		r.note()
		return
	}
	for n, p := range r.pages {
		for i := range p.rows {
			if r.Of(&p.rows[i]).UUID == r.selected {
				r.table.Select(n*perPage+i, r.total)
				return
			}
		}
	}
	r.note()
}

func (r *List[T]) note() {
	r.selected = ""
	if c, ok := r.Current(); ok {
		r.selected = r.Of(&c).UUID
	}
}

// refresh reads again what is shown when it may be old, but not so often that the
// vault has nothing else to do.
func (r *List[T]) refresh() tea.Cmd {
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
func (r *List[T]) Update(msg tea.Msg) (cmd tea.Cmd, handled bool) {
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
	case loaded[T]:
		if msg.of == r {
			return r.take(msg), true
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
func (r *List[T]) hear(messages []staff.Message) {
	var states map[string]vault.Status
	for _, m := range messages {
		if m.Snapshot != nil || m.Batch != nil && r.desk.Remote {
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
			c := r.Of(&p.rows[i])
			if state := states[c.UUID]; state != "" {
				c.Status.Value = string(state)
				r.stale = r.stale || state == vault.Failed // its reason is not in the event
			}
		}
	}
}

// StateOf is the state in which staff see a certificate: one that a corrected one took
// the place of stays approved, but is not valid any more.
func StateOf(c client.Certificate) string {
	if c.SupersededBy != nil && c.Status.Is(vault.Approved) {
		return "replaced"
	}
	return c.Status.Value
}

// StateAfter is the state that an event leaves a certificate in; "" where it says
// nothing of it.
func StateAfter(e staff.CertificateEvent) vault.Status {
	return vault.EventType(e.Event).ResultingStatus(vault.Source(e.Source))
}

// View draws the list.
func (r *List[T]) View(width, height int) string {
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
func (r *List[T]) Place() string {
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
