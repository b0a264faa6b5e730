package adminclient

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// BackupRequest asks an agent for a backup.
type BackupRequest struct {
	// Since is the backup that the new one builds on, Have the SHA-256 of the
	// documents that it and those before it hold.
	Since *BaseBackup `json:"since,omitempty"`
	Have  []string    `json:"have,omitempty"`
}

// BaseBackup names a backup.
type BaseBackup struct {
	ID   string `json:"id"`
	File string `json:"file"` // its name, without a folder
}

// BackupResult is what a backup holds.
type BackupResult struct {
	ID     string    `json:"id"`
	MadeAt time.Time `json:"made_at"`
	Files  int       `json:"files"` // besides documents
	Blobs  int       `json:"documents"`
	Bytes  int64     `json:"bytes"` // before compression
	// Damaged counts documents that lie damaged in the home, or are missing; Examples
	// are some of their SHA-256.
	Damaged  int      `json:"damaged"`
	Examples []string `json:"examples,omitempty"`
	Error    *Problem `json:"error,omitempty"`
}

// BackupOutcome is the trailer in which an agent says what became of a backup.
const BackupOutcome = "Vecctl-Backup"

// Backup has an agent write a backup of its home to w. Until it returns without an
// error, what was written is none.
func (c *Client) Backup(ctx context.Context, q BackupRequest, w io.Writer) (BackupResult, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return BackupResult{}, fmt.Errorf("asking for a backup: %w", err)
	}
	resp, err := c.Send(ctx, http.MethodPost, "/panel/backup", bytes.NewReader(body))
	if err != nil {
		return BackupResult{}, err
	}
	defer resp.Body.Close()
	out := &trackingWriter{Writer: w}
	_, err = io.CopyBuffer(out, resp.Body, make([]byte, backupBuffer))
	switch {
	case out.err != nil:
		return BackupResult{}, out.err
	case ctx.Err() != nil:
		return BackupResult{}, ctx.Err()
	}
	raw, e := url.QueryUnescape(resp.Trailer.Get(BackupOutcome))
	var result BackupResult
	if err != nil || e != nil || json.Unmarshal([]byte(raw), &result) != nil {
		return BackupResult{}, fault.Wrap(fault.Unavailable, cmp.Or(err, io.ErrUnexpectedEOF),
			"the agent ended the backup early; run the same command again")
	}
	if result.Error != nil {
		return BackupResult{}, result.Error.err()
	}
	return result, nil
}

// backupBuffer is how much of a backup is taken over at once, in bytes.
const backupBuffer = 1 << 20

// trackingWriter remembers the error of writing, which is not the reader's.
type trackingWriter struct {
	io.Writer
	err error
}

func (w *trackingWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.err = err
	return n, err
}
