package adminclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Webhook is an endpoint that is told of events, as staff see it.
type Webhook struct {
	ID       string   `json:"id"` // the webhook_id of payloads
	URL      string   `json:"url"`
	Events   []string `json:"events"`
	IsActive bool     `json:"is_active"`
	Store    string   `json:"store,omitempty"` // of the authority, whose events it is told

	LastDeliveryStatus  string     `json:"last_delivery_status"` // success, failed, none
	LastDeliveryAt      *time.Time `json:"last_delivery_at"`
	ConsecutiveFailures int        `json:"consecutive_failures"` // deliveries in a row that were given up
	SuspendedAt         *time.Time `json:"suspended_at"`         // since when deliveries wait after too many failures
	OldSecretUntil      *time.Time `json:"old_secret_until"`     // while a rotated secret signs along
	CreatedAt           time.Time  `json:"created_at"`
	Secret              string     `json:"secret,omitempty"` // only in the answer that made it
}

// WebhookEdit is what is to be decided about a webhook; what is not set stays.
type WebhookEdit struct {
	URL      *string  `json:"url,omitempty"`
	Events   []string `json:"events,omitempty"`
	IsActive *bool    `json:"is_active,omitempty"`
	Store    string   `json:"store,omitempty"` // only for a new one
}

// WebhookDelivery is one event on its way to one webhook.
type WebhookDelivery struct {
	ID            string            `json:"id"` // the delivery_id of payloads
	Number        uint64            `json:"number"`
	WebhookID     string            `json:"webhook_id"`
	Event         string            `json:"event"`
	UUID          string            `json:"uuid"`   // of the certificate
	Status        string            `json:"status"` // pending, success, failed
	CreatedAt     time.Time         `json:"created_at"`
	NextAttemptAt *time.Time        `json:"next_attempt_at"` // of a pending one
	Attempts      []DeliveryAttempt `json:"attempts"`
	Body          string            `json:"body,omitempty"` // only where one is asked for
}

// DeliveryAttempt is one request to a webhook, and its answer.
type DeliveryAttempt struct {
	At         time.Time `json:"at"`
	DurationMS int64     `json:"duration_ms"`
	Status     int       `json:"status"` // of HTTP; 0 where no answer came
	Error      string    `json:"error,omitempty"`
	Response   string    `json:"response,omitempty"` // its start
}

// DeliveryFilter selects deliveries; empty fields do not restrict.
type DeliveryFilter struct {
	Webhook string    `json:"webhook,omitempty"` // its ID
	Status  string    `json:"status,omitempty"`
	From    time.Time `json:"from,omitzero"` // of creation
	To      time.Time `json:"to,omitzero"`
	Before  uint64    `json:"before,omitempty"` // only numbers below
	Limit   int       `json:"limit,omitempty"`
}

// Redelivery selects deliveries to send again: by their IDs, or else with a filter.
type Redelivery struct {
	Deliveries []string        `json:"deliveries,omitempty"`
	Filter     *DeliveryFilter `json:"filter,omitempty"`
}

// CreateWebhook makes a webhook; the answer alone has its signing secret.
func (c *Client) CreateWebhook(ctx context.Context, e WebhookEdit) (Webhook, error) {
	var w Webhook
	err := c.Post(ctx, "/panel/webhooks", e, &w)
	return w, err
}

// Webhooks lists the institution's webhooks in order of creation.
func (c *Client) Webhooks(ctx context.Context) ([]Webhook, error) {
	var all []Webhook
	err := c.Call(ctx, http.MethodGet, "/panel/webhooks", nil, &all)
	return all, err
}

// UpdateWebhook changes a webhook. One that is set active is no longer suspended.
func (c *Client) UpdateWebhook(ctx context.Context, id string, e WebhookEdit) (Webhook, error) {
	raw, err := json.Marshal(e)
	if err != nil {
		return Webhook{}, fmt.Errorf("changing a webhook: %w", err)
	}
	var w Webhook
	err = c.Call(ctx, http.MethodPatch, webhookPath(id), bytes.NewReader(raw), &w)
	return w, err
}

// DeleteWebhook ends a webhook; what was delivered stays on record.
func (c *Client) DeleteWebhook(ctx context.Context, id string) (Webhook, error) {
	var w Webhook
	err := c.Call(ctx, http.MethodDelete, webhookPath(id), nil, &w)
	return w, err
}

// RotateWebhook makes a new signing secret, which the answer alone has. The old
// one signs along for a day.
func (c *Client) RotateWebhook(ctx context.Context, id string) (Webhook, error) {
	var w Webhook
	err := c.Post(ctx, webhookPath(id)+"/rotate", nil, &w)
	return w, err
}

// TestWebhook sends a webhook a test at once, and returns what came of it.
func (c *Client) TestWebhook(ctx context.Context, id string) (WebhookDelivery, error) {
	var d WebhookDelivery
	err := c.Post(ctx, webhookPath(id)+"/test", nil, &d)
	return d, err
}

// Deliveries returns those that a filter selects, newest first.
func (c *Client) Deliveries(ctx context.Context, f DeliveryFilter) ([]WebhookDelivery, error) {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("webhook", f.Webhook)
	set("status", f.Status)
	if !f.From.IsZero() {
		set("from", f.From.UTC().Format(time.RFC3339Nano))
	}
	if !f.To.IsZero() {
		set("to", f.To.UTC().Format(time.RFC3339Nano))
	}
	if f.Before > 0 {
		set("before", strconv.FormatUint(f.Before, 10))
	}
	if f.Limit > 0 {
		set("limit", strconv.Itoa(f.Limit))
	}
	var all []WebhookDelivery
	err := c.Call(ctx, http.MethodGet, "/panel/deliveries?"+q.Encode(), nil, &all)
	return all, err
}

// Delivery returns one with its body.
func (c *Client) Delivery(ctx context.Context, id string) (WebhookDelivery, error) {
	var d WebhookDelivery
	err := c.Call(ctx, http.MethodGet, "/panel/deliveries/"+url.PathEscape(id), nil, &d)
	return d, err
}

// Redeliver sends deliveries again, and returns how many.
func (c *Client) Redeliver(ctx context.Context, r Redelivery) (int, error) {
	var answer struct{ Redelivered int }
	err := c.Post(ctx, "/panel/redeliver", r, &answer)
	return answer.Redelivered, err
}

func webhookPath(id string) string { return "/panel/webhooks/" + url.PathEscape(id) }
