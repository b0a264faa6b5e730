package tui

import (
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/vecctl/vecctl/tui/desk"
)

// Root is the whole screen. It only routes: what is told goes to every page, keys
// go to the page that is shown, and between them stand help and questions.
type Root struct {
	desk  *desk.Desk
	pages []desk.Page
	here  int
	back  []int // where one came from
	mouse bool

	width, height int
	link          desk.Link
	linked        bool      // it was heard of the link
	lostAt        time.Time // when it was lost
	pulse         pulse
	dialog        *dialog
	help          bool
	helpTop       int
	said          desk.Said
	saidAt        time.Time
}

// NewRoot makes the screen of some pages; the first one is shown.
func NewRoot(d *desk.Desk, v StatusVault, mouse bool, pages ...desk.Page) *Root {
	return &Root{desk: d, pages: pages, mouse: mouse, pulse: pulse{desk: d, vault: v}}
}

// aside is a page that stands in no row of tabs: it comes up when something is
// chosen and goes with esc.
type aside interface{ Aside() bool }

func isAside(p desk.Page) bool {
	a, ok := p.(aside)
	return ok && a.Aside()
}

// Init implements tea.Model.
func (m *Root) Init() tea.Cmd {
	return tea.Batch(tick(), tea.RequestBackgroundColor, m.pages[m.here].Update(desk.Shown{}))
}

func tick() tea.Cmd {
	return tea.Tick(time.Second, func(time.Time) tea.Msg { return desk.Tick{} })
}

// Update implements tea.Model.
func (m *Root) Update(msg tea.Msg) (tea.Model, tea.Cmd) { return m, m.route(msg) }

func (m *Root) route(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		return nil
	case tea.BackgroundColorMsg:
		m.desk.Look = m.desk.Look.On(msg.IsDark())
		return nil
	case tea.ModeReportMsg:
		if msg.Mode == ansi.ModeUnicodeCore && (msg.Value == ansi.ModeReset || msg.Value == ansi.ModeSet || msg.Value == ansi.ModePermanentlySet) {
			m.desk.Look = m.desk.Look.ByGrapheme()
		}
		return nil
	case tea.KeyPressMsg:
		return m.press(msg)
	case tea.PasteMsg:
		if m.dialog != nil {
			return m.answer(msg)
		}
		return m.pages[m.here].Update(msg)
	case tea.MouseClickMsg, tea.MouseWheelMsg:
		return m.point(msg)
	case desk.Question:
		m.dialog = newDialog(msg)
		return nil
	case desk.Said:
		m.said, m.saidAt = msg, m.desk.Now()
		return nil
	case desk.Link:
		if m.link.Up && !msg.Up || !m.linked {
			m.lostAt = m.desk.Now()
		}
		m.link, m.linked = msg, true
	case desk.Tick:
		const staysFor = 15 * time.Second
		if m.desk.Now().Sub(m.saidAt) > staysFor {
			m.said = desk.Said{}
		}
		return tea.Batch(tick(), m.tell(msg))
	case desk.Addressed:
		return m.turnTo(m.find(msg.To()), msg)
	}
	return m.tell(msg)
}

// tell tells every page.
func (m *Root) tell(msg tea.Msg) tea.Cmd {
	cmds := []tea.Cmd{m.pulse.update(msg)}
	for _, p := range m.pages {
		cmds = append(cmds, p.Update(msg))
	}
	return tea.Batch(cmds...)
}

func (m *Root) find(name string) int {
	for i, p := range m.pages {
		if p.Name() == name {
			return i
		}
	}
	return m.here
}

// turnTo shows a page and hands it a message, unless that is nil.
func (m *Root) turnTo(i int, msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	if msg != nil {
		cmds = append(cmds, m.pages[i].Update(msg))
	}
	if i != m.here {
		if isAside(m.pages[i]) {
			m.back = append(m.back, m.here)
		} else {
			m.back = nil
		}
		cmds = append(cmds, m.swap(i))
	}
	return tea.Batch(cmds...)
}

func (m *Root) swap(i int) tea.Cmd {
	hidden := m.pages[m.here].Update(desk.Hidden{})
	m.here = i
	return tea.Batch(hidden, m.pages[i].Update(desk.Shown{}))
}

func (m *Root) press(msg tea.KeyPressMsg) tea.Cmd {
	k := m.desk.Keys
	switch {
	case key.Matches(msg, k.Interrupt):
		return tea.Quit
	case msg.String() == "ctrl+z":
		return tea.Suspend
	case m.dialog != nil:
		return m.answer(msg)
	case m.help:
		m.scrollHelp(msg)
		return nil
	case m.pages[m.here].Typing():
		return m.pages[m.here].Update(msg)
	}
	m.said = desk.Said{}
	switch {
	case key.Matches(msg, k.Quit):
		return tea.Quit
	case key.Matches(msg, k.Help):
		m.help, m.helpTop = true, 0
		return nil
	case key.Matches(msg, k.Next):
		return m.turnTo(m.beside(1), nil)
	case key.Matches(msg, k.Previous):
		return m.turnTo(m.beside(-1), nil)
	case key.Matches(msg, k.Number):
		if i := m.numbered(int(msg.String()[0] - '1')); i >= 0 {
			return m.turnTo(i, nil)
		}
		return nil
	case key.Matches(msg, k.Back) && isAside(m.pages[m.here]) && len(m.back) > 0:
		to := m.back[len(m.back)-1]
		m.back = m.back[:len(m.back)-1]
		return m.swap(to)
	}
	return m.pages[m.here].Update(msg)
}

func (m *Root) answer(msg tea.Msg) tea.Cmd {
	cmd, done := m.dialog.update(msg, m.desk.Keys)
	if done {
		m.dialog = nil
	}
	return cmd
}

func (m *Root) scrollHelp(msg tea.KeyPressMsg) {
	k := m.desk.Keys
	switch {
	case key.Matches(msg, k.Down), key.Matches(msg, k.PageDown):
		m.helpTop++
	case key.Matches(msg, k.Up), key.Matches(msg, k.PageUp):
		m.helpTop--
	default:
		m.help = false
	}
}

// tabs are the pages that stand in the row, by their places.
func (m *Root) tabs() []int {
	var tabs []int
	for i, p := range m.pages {
		if !isAside(p) {
			tabs = append(tabs, i)
		}
	}
	return tabs
}

// tab is the tab that is shown, or that an aside page came up from.
func (m *Root) tab() int {
	if isAside(m.pages[m.here]) && len(m.back) > 0 {
		return m.back[0]
	}
	return m.here
}

func (m *Root) beside(step int) int {
	tabs := m.tabs()
	for n, i := range tabs {
		if i == m.tab() {
			return tabs[(n+step+len(tabs))%len(tabs)]
		}
	}
	return m.here
}

func (m *Root) numbered(n int) int {
	if tabs := m.tabs(); n >= 0 && n < len(tabs) {
		return tabs[n]
	}
	return -1
}

// point hands a mouse's doings to the page, in the page's own lines.
func (m *Root) point(msg tea.Msg) tea.Cmd {
	if m.dialog != nil || m.help {
		return nil
	}
	switch msg := msg.(type) {
	case tea.MouseClickMsg:
		msg.Y -= len(m.head())
		return m.pages[m.here].Update(msg)
	case tea.MouseWheelMsg:
		return m.pages[m.here].Update(msg)
	}
	return nil
}
