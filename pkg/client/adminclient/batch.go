package adminclient

import (
	"context"
	"net/http"
	"net/url"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

// BatchAction is something that staff do to a batch.
type BatchAction string

// The acts that exist.
const (
	PauseBatch  BatchAction = "pause"  // begin nothing more of it
	ResumeBatch BatchAction = "resume" // go on
	CancelBatch BatchAction = "cancel" // end what has not begun
)

// ActOnBatch does something to a batch of an agent's home.
func (c *Client) ActOnBatch(ctx context.Context, id string, act BatchAction) (client.Batch, error) {
	var b client.Batch
	err := c.Post(ctx, "/panel/batches/"+url.PathEscape(id)+"/"+string(act), struct{}{}, &b)
	return b, err
}

// RejectedRows returns the rows of a batch that were refused and not issued since.
func (c *Client) RejectedRows(ctx context.Context, id string) (vault.RejectedRows, error) {
	var rows vault.RejectedRows
	err := c.Call(ctx, http.MethodGet, "/panel/batches/"+url.PathEscape(id)+"/rejected", nil, &rows)
	return rows, err
}
