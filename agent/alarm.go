package agent

import "github.com/vecctl/vecctl/agent/health"

// alarm is one problem by its name, as those raise it who find it.
type alarm struct {
	agent    *Agent
	name     string
	blocking bool // nothing new is taken as long as it lasts
}

// Raise shows the problem and tells whether that is new.
func (l alarm) Raise(message string) bool {
	return l.agent.health.Raise(health.Problem{Name: l.name, Message: message, Blocking: l.blocking})
}

// Clear ends the problem and tells whether there was one.
func (l alarm) Clear() bool { return l.agent.health.Clear(l.name) }

// Find is what the problem says, where there is one.
func (l alarm) Find() (message string, found bool) {
	p, found := l.agent.health.Find(l.name)
	return p.Message, found
}
