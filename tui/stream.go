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

// Stream is where news come from.
type Stream interface {
	// Follow hands on what happens after the message with an ID, "" beginning with a
	// snapshot, until ctx ends or the connection is lost. An empty message says that
	// the stream has begun.
	Follow(ctx context.Context, after string, each func(adminclient.Message) error) error
}

// streamReader brings the event stream to the screen: in gathered portions, since a screen
// need not be drawn for every certificate, and again from where it was when the
// connection was lost.
type streamReader struct {
	stream Stream
	send   func(tea.Msg)
	pause  func(context.Context, time.Duration) error
}

// Times of a link.
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

// deliver sends what comes, until the channel is closed, and returns the last ID and
// whether the stream began at all.
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

// gather takes what comes within a moment of the first message.
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

// PollingStream is the stream of a vault that has none: its latest batches, looked at
// every few seconds.
type PollingStream struct {
	Name  string // of the vault
	Vault pages.Vault
	Every time.Duration
	Pause func(context.Context, time.Duration) error
}

// Follow implements Stream: a snapshot, then the batches that are new or changed.
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
