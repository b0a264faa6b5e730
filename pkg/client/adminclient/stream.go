package adminclient

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
)

// Snapshot is how everything stands when a stream begins.
type Snapshot struct {
	Status  AgentStatus    `json:"status"`
	Batches []client.Batch `json:"batches"` // the latest ones, newest first
}

// CertificateEvent is something that happened to a certificate.
type CertificateEvent struct {
	Event       string    `json:"event"` // the guide's names: certificate_application.approved, ...
	UUID        string    `json:"uuid"`
	ReferenceID string    `json:"reference_id"`
	BatchID     string    `json:"batch_id,omitempty"`
	Title       string    `json:"certificate_title"`
	Name        string    `json:"full_name"`
	Email       string    `json:"applicant_email"`
	Source      string    `json:"source"` // vault or customer
	Trigger     string    `json:"trigger_context"`
	At          time.Time `json:"at"`
}

// Message is one message of an agent's event stream; one of the pointers is set,
// and none when the stream has just begun.
type Message struct {
	ID          string // to resume behind it; empty when it cannot be resumed behind
	Snapshot    *Snapshot
	Certificate *CertificateEvent
	Batch       *client.Batch
	Notice      *Notice
}

// Notice is something that staff should know.
type Notice struct {
	Level   string `json:"level"` // "info", "warn", "error"
	Message string `json:"message"`
}

// Follow reads an agent's event stream until ctx or the stream ends, and hands
// each message on, an empty one first. After is the ID of the last message that was seen; "" begins
// with a snapshot.
func (c *Client) Follow(ctx context.Context, after string, each func(Message) error) error {
	req, err := c.Request(ctx, http.MethodGet, "/panel/events", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/event-stream")
	if after != "" {
		req.Header.Set("Last-Event-ID", after)
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err = each(Message{}); err == nil {
		err = readStream(resp.Body, each)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// errEnd is the error of a stream that ended; the caller may connect again.
var errEnd = fault.New(fault.Unavailable, "the agent ended the event stream")

// readStream takes server-sent events apart (WHATWG HTML, section 9.2).
func readStream(r io.Reader, each func(Message) error) error {
	in := bufio.NewReaderSize(r, 64<<10)
	var kind, id string
	var data strings.Builder
	for {
		line, err := in.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return errEnd
		}
		if err != nil {
			return fault.Wrap(fault.Unavailable, err, "the event stream ended early")
		}
		name, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "event":
			kind = value
		case "id":
			id = value
		case "data":
			data.WriteString(value)
		}
		if line != "\n" && line != "\r\n" {
			continue
		}
		if data.Len() > 0 {
			m, err := message(kind, id, data.String())
			if err != nil {
				return err
			}
			if err := each(m); err != nil {
				return err
			}
		}
		kind, id = "", ""
		data.Reset()
	}
}

func message(kind, id, data string) (Message, error) {
	m := Message{ID: id}
	var into any
	switch kind {
	case "snapshot":
		m.Snapshot = new(Snapshot)
		into = m.Snapshot
	case "certificate":
		m.Certificate = new(CertificateEvent)
		into = m.Certificate
	case "batch":
		m.Batch = new(client.Batch)
		into = m.Batch
	case "notice":
		m.Notice = new(Notice)
		into = m.Notice
	default:
		return m, nil // a newer agent's
	}
	if err := json.Unmarshal([]byte(data), into); err != nil {
		return m, fault.Wrap(fault.Unavailable, err, fmt.Sprintf("a message of the event stream (%s) cannot be read", kind))
	}
	return m, nil
}
