package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/tui/desk"
)

// StatusVault says how its agent is.
type StatusVault interface {
	AgentStatus(ctx context.Context) (staff.AgentStatus, error)
}

// pulse asks the agent how it is: soon after something happened, else now and
// then, and never so often that it matters.
type pulse struct {
	desk   *desk.Desk
	vault  StatusVault
	status staff.AgentStatus
	known  bool
	asking bool
	stale  bool
	asked  time.Time
	took   time.Duration
}

// Times of a pulse.
const (
	pulseSoon  = time.Second
	pulseIdle  = 5 * time.Second
	pulseShare = 20 // of the time that the answer takes
)

func (p *pulse) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case desk.Link:
		p.stale = true
	case desk.News:
		p.stale = true
		for _, m := range msg.Messages {
			if m.Snapshot != nil {
				p.status, p.known = m.Snapshot.Status, true
			}
		}
	case desk.Pulse:
		p.asking, p.took = false, msg.Took
		if msg.Err == nil {
			p.status, p.known = msg.Status, true
		}
		return nil
	case desk.Tick:
	default:
		return nil
	}
	pause := pulseIdle
	if p.stale {
		pause = pulseSoon
	}
	if p.desk.Remote || p.asking || p.desk.Now().Sub(p.asked) < max(pause, pulseShare*p.took) {
		return nil
	}
	p.asking, p.stale, p.asked = true, false, p.desk.Now()
	return p.desk.Ask(func(ctx context.Context) tea.Msg {
		begun := p.desk.Now()
		s, err := p.vault.AgentStatus(ctx)
		return desk.Pulse{Status: s, Took: p.desk.Now().Sub(begun), Err: err}
	})
}
