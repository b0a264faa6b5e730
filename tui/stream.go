package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/tui/pages"
	"github.com/vecctl/vecctl/tui/ui"
)

// Stream is a source of events.
type Stream interface {
	// Follow calls each with the messages after the one with an ID, until ctx ends or the
	// connection is lost. With the ID "" it begins with a snapshot. An empty message means
	// that the stream has begun.
	Follow(ctx context.Context, after string, each func(adminclient.Message) error) error
}

// streamReader brings the event stream to the screen. It collects messages, so that the
// screen is not drawn for every certificate. When the connection was lost, it continues
// after the last message.
type streamReader struct {
	stream Stream
	send   func(tea.Msg)
	pause  func(context.Context, time.Duration) error
}

// Times and limits of a connection.
const (
	gatherWindow   = 200 * time.Millisecond
	maxGathered    = 2048
	reconnectDelay = time.Second
)

// run follows until ctx ends.
func (k streamReader) run(ctx context.Context) {
	last, lost := "", false
	for ctx.Err() == nil {
		messages := make(chan adminclient.Message, maxGathered)
		ended := make(chan error, 1)
		go func() {
			defer close(messages)
			ended <- k.stream.Follow(ctx, last, func(m adminclient.Message) error {
				select {
				case messages <- m:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
		}()
		begun := false
		last, begun = k.deliver(messages, last)
		err := <-ended
		if ctx.Err() != nil {
			return
		}
		if begun || !lost {
			k.send(ui.ConnStateMsg{Err: err})
		}
		lost = true
		if k.pause(ctx, reconnectDelay) != nil {
			return
		}
	}
}

// deliver sends the messages to the screen until the channel is closed. It returns the last ID
// and whether the stream began.
func (k streamReader) deliver(messages <-chan adminclient.Message, last string) (seen string, begun bool) {
	for m := range messages {
		if m == (adminclient.Message{}) {
			begun = true
			k.send(ui.ConnStateMsg{Up: true})
			continue
		}
		portion := k.gather(m, messages)
		for _, one := range portion {
			if one.ID != "" {
				last = one.ID
			}
		}
		k.send(ui.EventsMsg{Messages: portion})
	}
	return last, begun
}

// gather collects the messages that come shortly after the first one.
func (k streamReader) gather(first adminclient.Message, messages <-chan adminclient.Message) []adminclient.Message {
	portion := []adminclient.Message{first}
	end := time.NewTimer(gatherWindow)
	defer end.Stop()
	for len(portion) < maxGathered {
		select {
		case m, more := <-messages:
			if !more {
				return portion
			}
			portion = append(portion, m)
		case <-end.C:
			return portion
		}
	}
	return portion
}

// PollingStream is the stream of a vault without one: it polls the latest batches every few
// seconds.
type PollingStream struct {
	Name  string // of the vault
	Vault pages.Vault
	Every time.Duration
	Pause func(context.Context, time.Duration) error
}

// Follow implements Stream. It sends a snapshot, then the batches that are new or changed.
func (p PollingStream) Follow(ctx context.Context, _ string, each func(adminclient.Message) error) error {
	const latest = 50
	var before map[string]client.Batch
	for {
		found, err := p.Vault.Batches(ctx, 1, latest)
		if err != nil {
			return err
		}
		for _, m := range p.changes(before, found.Data) {
			if err := each(m); err != nil {
				return err
			}
		}
		before = map[string]client.Batch{}
		for _, b := range found.Data {
			before[b.BatchID] = b
		}
		if err := p.Pause(ctx, p.Every); err != nil {
			return err
		}
	}
}

func (p PollingStream) changes(before map[string]client.Batch, now []client.Batch) []adminclient.Message {
	if before == nil {
		return []adminclient.Message{{}, {Snapshot: &adminclient.Snapshot{Status: adminclient.AgentStatus{Institution: p.Name}, Batches: now}}}
	}
	var changed []adminclient.Message
	for _, b := range now {
		if old, known := before[b.BatchID]; !known || old != b {
			changed = append(changed, adminclient.Message{Batch: &b})
		}
	}
	return changed
}
