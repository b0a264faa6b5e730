package tui

import (
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/vecctl/vecctl/tui/pages"
	"github.com/vecctl/vecctl/tui/ui"
)

// Root is the whole screen. It only routes messages: events go to every page, keys to the
// page that is shown, or to the help or a dialog above it.
type Root struct {
	ui      *ui.Context
	pages   []ui.Page // the tabs first, then the subpages
	current int
	history []int // the pages under a subpage, the tab first
	mouse   bool

	tabCount int

	width, height int
	conn          ui.ConnStateMsg
	connKnown     bool      // conn was set
	lostAt        time.Time // when the connection was lost
	poller        statusPoller
	dialog        *dialog
	help          bool
	helpTop       int
	result        ui.ResultMsg
	resultAt      time.Time
}

// NewRoot returns the screen of a vault. It leaves out pages that a remote vault cannot
// fill.
func NewRoot(d *ui.Context, o Options) *Root {
	tabs := []ui.Page{
		pages.NewBatches(d, o.Vault),
		pages.NewBatch(d, o.Vault),
		pages.NewCertificates(d, o.Vault),
		pages.NewFailures(d, o.Vault),
	}
	if !o.Remote {
		tabs = append(tabs, pages.NewApplications(d, o.Vault), pages.NewWebhooks(d, o.Vault),
			pages.NewAuthority(d, o.Vault), pages.NewLog(d), pages.NewHealth(d, o.Doctor))
	}
	return &Root{ui: d, pages: append(tabs, pages.NewCertificateDetail(d, o.Vault), pages.NewAudit(d, o.Vault)), tabCount: len(tabs),
		mouse: o.Mouse, poller: statusPoller{ui: d, vault: o.Vault}}
}

// Init implements tea.Model.
func (m *Root) Init() tea.Cmd {
	return tea.Batch(tick(), tea.RequestBackgroundColor, m.pages[m.current].Update(ui.PageShownMsg{}))
}

func tick() tea.Cmd {
	return tea.Tick(time.Second, func(time.Time) tea.Msg { return ui.TickMsg{} })
}

// Update implements tea.Model.
func (m *Root) Update(msg tea.Msg) (tea.Model, tea.Cmd) { return m, m.route(msg) }

func (m *Root) route(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		return nil
	case tea.BackgroundColorMsg:
		m.ui.Theme = m.ui.Theme.ForBackground(msg.IsDark())
		return nil
	case tea.ModeReportMsg:
		if msg.Mode == ansi.ModeUnicodeCore && (msg.Value == ansi.ModeReset || msg.Value == ansi.ModeSet || msg.Value == ansi.ModePermanentlySet) {
			m.ui.Theme = m.ui.Theme.WithGraphemes()
		}
		return nil
	case tea.KeyPressMsg:
		return m.handleKey(msg)
	case tea.PasteMsg:
		if m.dialog != nil {
			return m.updateDialog(msg)
		}
		return m.pages[m.current].Update(msg)
	case tea.MouseClickMsg, tea.MouseWheelMsg:
		return m.handleMouse(msg)
	case ui.DialogMsg:
		m.dialog = newDialog(msg)
		return nil
	case ui.ResultMsg:
		m.result, m.resultAt = msg, m.ui.Now()
		return nil
	case ui.ConnStateMsg:
		if m.conn.Up && !msg.Up || !m.connKnown {
			m.lostAt = m.ui.Now()
		}
		m.conn, m.connKnown = msg, true
	case ui.TickMsg:
		const staysFor = 15 * time.Second
		if m.ui.Now().Sub(m.resultAt) > staysFor {
			m.result = ui.ResultMsg{}
		}
		return tea.Batch(tick(), m.broadcast(msg))
	case ui.NavigateMsg:
		return m.showPage(m.pageByName(msg.To()), msg)
	}
	return m.broadcast(msg)
}

// broadcast sends a message to every page.
func (m *Root) broadcast(msg tea.Msg) tea.Cmd {
	cmds := []tea.Cmd{m.poller.update(msg)}
	for _, p := range m.pages {
		cmds = append(cmds, p.Update(msg))
	}
	return tea.Batch(cmds...)
}

func (m *Root) pageByName(name string) int {
	for i, p := range m.pages {
		if p.Name() == name {
			return i
		}
	}
	return m.current
}

// showPage shows a page and sends it a message, unless that is nil.
func (m *Root) showPage(i int, msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	if msg != nil {
		cmds = append(cmds, m.pages[i].Update(msg))
	}
	if i != m.current {
		if m.isSubpage(i) {
			m.history = append(m.history, m.current)
		} else {
			m.history = nil
		}
		cmds = append(cmds, m.switchTo(i))
	}
	return tea.Batch(cmds...)
}

func (m *Root) switchTo(i int) tea.Cmd {
	hidden := m.pages[m.current].Update(ui.PageHiddenMsg{})
	m.current = i
	return tea.Batch(hidden, m.pages[i].Update(ui.PageShownMsg{}))
}

func (m *Root) handleKey(msg tea.KeyPressMsg) tea.Cmd {
	k := m.ui.Keys
	switch {
	case key.Matches(msg, k.Interrupt):
		return tea.Quit
	case msg.String() == "ctrl+z":
		return tea.Suspend
	case m.dialog != nil:
		return m.updateDialog(msg)
	case m.help:
		m.scrollHelp(msg)
		return nil
	case m.pages[m.current].Typing():
		return m.pages[m.current].Update(msg)
	}
	m.result = ui.ResultMsg{}
	switch {
	case key.Matches(msg, k.Quit):
		return tea.Quit
	case key.Matches(msg, k.Help):
		m.help, m.helpTop = true, 0
		return nil
	case key.Matches(msg, k.Next):
		return m.showPage(m.adjacentTab(1), nil)
	case key.Matches(msg, k.Previous):
		return m.showPage(m.adjacentTab(-1), nil)
	case key.Matches(msg, k.Number):
		if i := m.tabByNumber(int(msg.String()[0] - '1')); i >= 0 {
			return m.showPage(i, nil)
		}
		return nil
	case key.Matches(msg, k.Back) && m.isSubpage(m.current) && len(m.history) > 0:
		to := m.history[len(m.history)-1]
		m.history = m.history[:len(m.history)-1]
		return m.switchTo(to)
	}
	return m.pages[m.current].Update(msg)
}

func (m *Root) updateDialog(msg tea.Msg) tea.Cmd {
	cmd, done := m.dialog.update(msg, m.ui.Keys)
	if done {
		m.dialog = nil
	}
	return cmd
}

func (m *Root) scrollHelp(msg tea.KeyPressMsg) {
	k := m.ui.Keys
	switch {
	case key.Matches(msg, k.Down), key.Matches(msg, k.PageDown):
		m.helpTop++
	case key.Matches(msg, k.Up), key.Matches(msg, k.PageUp):
		m.helpTop--
	default:
		m.help = false
	}
}

// isSubpage reports whether a page has no tab: it opens when something is selected, and
// closes with esc.
func (m *Root) isSubpage(i int) bool { return i >= m.tabCount }

// tab returns the tab that is shown, or the one under a subpage.
func (m *Root) tab() int {
	if m.isSubpage(m.current) && len(m.history) > 0 {
		return m.history[0]
	}
	return m.current
}

func (m *Root) adjacentTab(step int) int {
	return (m.tab() + step + m.tabCount) % m.tabCount
}

func (m *Root) tabByNumber(n int) int {
	if n >= 0 && n < m.tabCount {
		return n
	}
	return -1
}

// handleMouse sends mouse events to the page, with the line counted from the page's top.
func (m *Root) handleMouse(msg tea.Msg) tea.Cmd {
	if m.dialog != nil || m.help {
		return nil
	}
	switch msg := msg.(type) {
	case tea.MouseClickMsg:
		msg.Y -= len(m.header())
		return m.pages[m.current].Update(msg)
	case tea.MouseWheelMsg:
		return m.pages[m.current].Update(msg)
	}
	return nil
}
