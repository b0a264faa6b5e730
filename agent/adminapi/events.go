package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// Times of a stream.
const (
	heartbeat = 15 * time.Second
	// eventWriteTimeout is how long one write may take; who reads slower is dropped and may
	// come back with the last ID that it saw.
	eventWriteTimeout = 5 * time.Second
	// reconnectDelay is what a browser is told to wait, in milliseconds.
	reconnectDelay = 1000
)

// serveEvents streams server-sent events (WHATWG HTML, section 9.2): a snapshot, then
// what happens. Events are read from the store at the reader's own pace, so a
// slow one costs nobody anything.
func (p *Handler) serveEvents(w http.ResponseWriter, r *http.Request) {
	news := p.Service.Subscribe()
	defer news.Stop()
	s := &eventWriter{w: w, control: http.NewResponseController(w)}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	seq, err := p.sendSnapshot(r, s)
	if err != nil {
		p.logFailure(r, err)
		return
	}
	heartbeats := time.NewTicker(heartbeat)
	defer heartbeats.Stop()
	for {
		if seq, err = p.sendPending(r.Context(), s, seq); err == nil {
			for _, m := range p.Service.Notices(r.Context(), news) {
				err = errors.Join(err, s.message(m))
			}
			err = errors.Join(err, s.flush())
		}
		if err != nil {
			if r.Context().Err() == nil && !errors.Is(err, errReaderGone) {
				p.logFailure(r, err)
			}
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-news.Ready():
		case <-heartbeats.C:
			if errors.Join(s.write(":\n\n"), s.flush()) != nil {
				return
			}
		}
	}
}

// sendSnapshot sends a snapshot, unless the reader says what it saw last.
func (p *Handler) sendSnapshot(r *http.Request, s *eventWriter) (uint64, error) {
	if errors.Join(s.write(fmt.Sprintf("retry: %d\n\n", reconnectDelay)), s.flush()) != nil {
		return 0, nil
	}
	if seq, err := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 64); err == nil {
		return seq, nil
	}
	snapshot, seq, err := p.Service.Snapshot(r.Context())
	if err != nil {
		return 0, err
	}
	return seq, s.send("snapshot", strconv.FormatUint(seq, 10), snapshot)
}

// sendPending sends everything that has happened since.
func (p *Handler) sendPending(ctx context.Context, s *eventWriter, seq uint64) (uint64, error) {
	for {
		messages, next, err := p.Service.EventsSince(ctx, seq)
		if err != nil {
			return seq, err
		}
		for _, m := range messages {
			if err := s.message(m); err != nil {
				return seq, err
			}
		}
		if next == seq {
			return seq, s.flush()
		}
		seq = next
	}
}

// errReaderGone is a reader that has gone or reads too slowly.
var errReaderGone = errors.New("the reader of the event stream has gone")

type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (s *eventWriter) message(m adminclient.Message) error {
	switch {
	case m.Certificate != nil:
		return s.send("certificate", m.ID, m.Certificate)
	case m.Batch != nil:
		return s.send("batch", m.ID, m.Batch)
	}
	return s.send("notice", m.ID, m.Notice)
}

func (s *eventWriter) send(kind, id string, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encoding a %s message: %w", kind, err)
	}
	text := "event: " + kind + "\n"
	if id != "" {
		text += "id: " + id + "\n"
	}
	return s.write(text + "data: " + string(raw) + "\n\n")
}

// write hands a text over; flush sends what has gathered on its way.
func (s *eventWriter) write(text string) error {
	// Not every transport knows deadlines; the network's does.
	_ = s.control.SetWriteDeadline(time.Now().Add(eventWriteTimeout))
	if _, err := s.w.Write([]byte(text)); err != nil {
		return errReaderGone
	}
	return nil
}

func (s *eventWriter) flush() error {
	_ = s.control.SetWriteDeadline(time.Now().Add(eventWriteTimeout))
	if err := s.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return errReaderGone
	}
	return nil
}
