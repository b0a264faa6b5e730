package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/tui/pages"
	"github.com/vecctl/vecctl/tui/ui"
)

// statusPoller reads the status of the agent: soon after an event, else every few seconds,
// and less often if the answer takes long.
type statusPoller struct {
	ui     *ui.Context
	vault  pages.Vault
	status adminclient.AgentStatus
	known  bool
	asking bool
	stale  bool
	asked  time.Time
	took   time.Duration
}

// Intervals of polling.
const (
	pollSoon  = time.Second
	pollIdle  = 5 * time.Second
	pollShare = 20 // of the time that the answer takes
)

func (p *statusPoller) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case ui.ConnStateMsg:
		p.stale = true
	case ui.EventsMsg:
		p.stale = true
		for _, m := range msg.Messages {
			if m.Snapshot != nil {
				p.status, p.known = m.Snapshot.Status, true
			}
		}
	case ui.StatusMsg:
		p.asking, p.took = false, msg.Took
		if msg.Err == nil {
			p.status, p.known = msg.Status, true
		}
		return nil
	case ui.TickMsg:
	default:
		return nil
	}
	pause := pollIdle
	if p.stale {
		pause = pollSoon
	}
	if p.ui.Remote || p.asking || p.ui.Now().Sub(p.asked) < max(pause, pollShare*p.took) {
		return nil
	}
	p.asking, p.stale, p.asked = true, false, p.ui.Now()
	return p.ui.Query(func(ctx context.Context) tea.Msg {
		begun := p.ui.Now()
		s, err := p.vault.AgentStatus(ctx)
		return ui.StatusMsg{Status: s, Took: p.ui.Now().Sub(begun), Err: err}
	})
}
