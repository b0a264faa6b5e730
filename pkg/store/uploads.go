package store

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// Uploads are the operations on uploaded files and on stored responses. Neither looks
// at the age of a record: apiaccess says how long one may be used, and DeleteExpired
// removes the rest.
type Uploads interface {
	// AddUpload keeps an uploaded file and, unless it is nil, the response to its
	// upload. An ID that is taken is a Conflict.
	AddUpload(ctx context.Context, u apiaccess.Upload, response *apiaccess.StoredResponse) error
	// Uploads finds an institution's uploads that are not used up; the result has
	// an entry for each ID, nil where there is none.
	Uploads(ctx context.Context, institution uint32, ids []string) ([]*apiaccess.Upload, error)
	// StoredResponse finds a stored response; NotFound when there is none. A new
	// response replaces an older one of the same key.
	StoredResponse(ctx context.Context, name apiaccess.IdempotencyKey) (apiaccess.StoredResponse, error)
	// DeleteExpired removes uploads, responses, magic links, sessions and unconfirmed
	// applications that are no longer usable and returns how many records that were.
	// Where there are none, nothing is written. It takes several transactions, so that
	// many expired records keep no other call waiting.
	DeleteExpired(ctx context.Context, now time.Time) (int, error)
}
