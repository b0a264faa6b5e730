package backup

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/vecctl/vecctl/pkg/backup"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// Maker makes the backups that staff ask for.
type Maker struct {
	Home        func() Home
	HomeID      func() string // tells homes apart
	Institution func() string // its name
	Version     string        // of the program
	Now         func() time.Time
	Random      io.Reader
	Log         *slog.Logger
}

// Backup writes a backup of the home to w while everything goes on.
func (m *Maker) Backup(ctx context.Context, q adminclient.BackupRequest, w io.Writer) (adminclient.BackupResult, error) {
	id, err := uuid.NewRandomFromReader(m.Random)
	if err != nil {
		return adminclient.BackupResult{}, err
	}
	h := backup.Header{ID: id.String(), MadeAt: m.Now().UTC(), Vecctl: m.Version,
		HomeID: m.HomeID(), Institution: m.Institution()}
	if q.Since != nil {
		h.Since = &backup.Base{ID: q.Since.ID, File: q.Since.File}
	}
	found, err := m.Home().Write(ctx, h, q.Have, w)
	if err != nil {
		return adminclient.BackupResult{}, err
	}
	if len(found.Damaged) > 0 {
		m.Log.Error("documents in the home are damaged or missing", "documents", len(found.Damaged), "first", found.Damaged[0])
	}
	const examples = 10
	return adminclient.BackupResult{
		ID: h.ID, MadeAt: h.MadeAt, Files: found.Files, Blobs: found.Blobs, Bytes: found.Bytes,
		Damaged: len(found.Damaged), Examples: found.Damaged[:min(len(found.Damaged), examples)],
	}, nil
}
