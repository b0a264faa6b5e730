package adminclient

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// ReceivedEvent is an event that others told the agent.
type ReceivedEvent struct {
	Number   uint64          `json:"number"` // in order of arrival
	Identity string          `json:"identity"`
	At       time.Time       `json:"at"`
	Event    string          `json:"event"`
	UUID     string          `json:"uuid"` // of the certificate
	Payload  json.RawMessage `json:"payload"`
	Tasks    []ReceivedTask  `json:"tasks"`
}

// ReceivedTask is something that is done with a received event.
type ReceivedTask struct {
	Kind   string `json:"kind"`   // forward, exec, apply
	Status string `json:"status"` // pending, success, failed
	Tries  int    `json:"tries"`
	Error  string `json:"error,omitempty"`
}

// ReceivedEvents returns up to n events that others told the agent, newest first, with
// numbers below before; 0 for all.
func (c *Client) ReceivedEvents(ctx context.Context, before uint64, n int) ([]ReceivedEvent, error) {
	q := url.Values{"limit": {strconv.Itoa(n)}}
	if before > 0 {
		q.Set("before", strconv.FormatUint(before, 10))
	}
	var all []ReceivedEvent
	err := c.Call(ctx, http.MethodGet, "/panel/received?"+q.Encode(), nil, &all)
	return all, err
}
