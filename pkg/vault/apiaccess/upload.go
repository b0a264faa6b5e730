package apiaccess

import (
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/vecctl/vecctl/pkg/vault"
)

// UploadTTL is how long an uploaded file may wait for the request that names it.
const UploadTTL = 24 * time.Hour

// Upload is a file that was uploaded ahead of the request that names it (guide,
// step 5a). It serves for one certificate.
type Upload struct {
	ID          string     `json:"id"` // UUID, the file_id
	Institution uint32     `json:"institution"`
	File        vault.File `json:"file"`
	CreatedAt   time.Time  `json:"created_at"`
}

// NewUpload draws the identity of an uploaded file. It is random throughout: it
// is all that a request needs to know of the file.
func NewUpload(random io.Reader, institution uint32, f vault.File, now time.Time) (Upload, error) {
	id, err := uuid.NewRandomFromReader(random)
	if err != nil {
		return Upload{}, fmt.Errorf("drawing a file ID: %w", err)
	}
	return Upload{ID: id.String(), Institution: institution, File: f, CreatedAt: now}, nil
}

// Usable reports whether the file may still be named.
func (u Upload) Usable(now time.Time) bool { return now.Before(u.CreatedAt.Add(UploadTTL)) }
