package admin

import (
	"context"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// How many received events are listed at a time.
const (
	defaultReceivedEvents = 50
	maxReceivedEvents     = 1000
)

// ReceivedEvents lists the events that other vaults sent to this one, newest first.
func (s *Service) ReceivedEvents(ctx context.Context, before uint64, n int) ([]adminclient.ReceivedEvent, error) {
	if n <= 0 {
		n = defaultReceivedEvents
	}
	all, err := s.store.InboundEvents(ctx, before, min(n, maxReceivedEvents))
	if err != nil {
		return nil, err
	}
	shown := make([]adminclient.ReceivedEvent, len(all))
	for i, e := range all {
		shown[i] = adminclient.ReceivedEvent{Number: e.Seq, Identity: e.Identity, At: e.At.UTC(), Event: e.Event, UUID: e.Subject,
			Payload: e.Body, Tasks: make([]adminclient.ReceivedTask, len(e.Tasks))}
		for n, task := range e.Tasks {
			shown[i].Tasks[n] = adminclient.ReceivedTask{Kind: string(task.Kind), Status: string(task.State), Tries: task.Attempts, Error: task.Error}
		}
	}
	return shown, nil
}
