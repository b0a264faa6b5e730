package tui

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/tui/pages"
	"github.com/vecctl/vecctl/tui/ui"
)

// flood is a stream that tells of 500 certificates a second for a time, then ends.
type flood struct{ seconds int }

func (s flood) Follow(ctx context.Context, after string, each func(adminclient.Message) error) error {
	if after != "" {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := each(adminclient.Message{}); err != nil {
		return err
	}
	for range s.seconds * 500 {
		time.Sleep(2 * time.Millisecond)
		if err := each(adminclient.Message{ID: "1", Certificate: &adminclient.CertificateEvent{}}); err != nil {
			return err
		}
	}
	return errors.New("ended")
}

// The screen hears of a flood in a few portions a second, and of all of it.
func TestTheLinkGathers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		portions, messages, up, down := 0, 0, 0, 0
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			streamReader{flood{10}, func(msg tea.Msg) {
				switch msg := msg.(type) {
				case ui.EventsMsg:
					portions++
					messages += len(msg.Messages)
				case ui.ConnStateMsg:
					if msg.Up {
						up++
					} else {
						down++
					}
				}
			}, func(context.Context, time.Duration) error { return nil }}.run(ctx)
		}()
		time.Sleep(time.Minute)
		stop()
		<-ended
		if messages != 5000 || portions > 110 || up != 1 || down != 1 {
			t.Errorf("%d messages in %d portions, %d times up and %d down", messages, portions, up, down)
		}
	})
}

// lists is a vault of which only the batches are read.
type lists struct {
	pages.Vault
	batches []client.Batch
	asked   int
}

func (l *lists) Batches(context.Context, int, int) (client.Page[client.Batch], error) {
	l.asked++
	if l.asked == 3 {
		l.batches[1].Approved++
		l.batches = append([]client.Batch{{BatchID: "new"}}, l.batches...)
	}
	return client.Page[client.Batch]{Data: append([]client.Batch{}, l.batches...)}, nil
}

// A vault without a stream is looked at, and what changed is told.
func TestPolling(t *testing.T) {
	t.Parallel()
	v := &lists{batches: []client.Batch{{BatchID: "a"}, {BatchID: "b"}}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var heard []adminclient.Message
	err := PollingStream{Name: "x", Vault: v, Pause: func(ctx context.Context, _ time.Duration) error {
		if v.asked == 4 {
			stop()
		}
		return ctx.Err()
	}}.Follow(ctx, "", func(m adminclient.Message) error {
		heard = append(heard, m)
		return nil
	})
	if !errors.Is(err, context.Canceled) || len(heard) != 4 || heard[1].Snapshot == nil || len(heard[1].Snapshot.Batches) != 2 ||
		heard[2].Batch == nil || heard[2].Batch.BatchID != "new" || heard[3].Batch.BatchID != "b" {
		t.Errorf("%v: %+v", err, heard)
	}
}
