package staff

import (
	"context"
	"net/url"

	"github.com/vecctl/vecctl/pkg/client"
)

// BatchAct is something that staff do to a batch.
type BatchAct string

// The acts that exist.
const (
	PauseBatch  BatchAct = "pause"  // begin nothing more of it
	ResumeBatch BatchAct = "resume" // go on
	CancelBatch BatchAct = "cancel" // end what has not begun
)

// ActOnBatch does something to a batch of an agent's home.
func (c *Client) ActOnBatch(ctx context.Context, id string, act BatchAct) (client.Batch, error) {
	var b client.Batch
	err := c.Post(ctx, "/panel/batches/"+url.PathEscape(id)+"/"+string(act), struct{}{}, &b)
	return b, err
}
