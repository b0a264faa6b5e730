package intake

import (
	"context"

	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Mended is what corrections need of the store.
type Mended interface {
	Successions
	Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error)
}

// Mender makes corrected successors of the current institution's certificates.
type Mender struct {
	Uploads *Uploads
	Records Mended
	Current func() vault.Institution
	// Accepting says why no new document is taken; nil when it is.
	Accepting func() error
}

// Succeed makes a corrected successor of a certificate; without a file it has the
// document of the one before.
func (d *Mender) Succeed(ctx context.Context, name string, m vault.Mend, file *staff.NewFile) (vault.Certificate, error) {
	var document *NewFile
	if file != nil {
		if err := d.Accepting(); err != nil {
			return vault.Certificate{}, err
		}
		document = &NewFile{Name: file.Name, Body: file.Body, Origin: file.Origin}
	}
	if err := d.roomFor(ctx, name, m, document); err != nil {
		return vault.Certificate{}, err
	}
	made, err := d.Uploads.Reissue(ctx, d.Records, d.Current(), name, m, document)
	return made.Next, err
}

// roomFor refuses a correction whose document does not have the place that its code
// goes to.
func (d *Mender) roomFor(ctx context.Context, name string, m vault.Mend, file *NewFile) error {
	if file == nil && m.Placement == nil {
		return nil
	}
	c, err := d.Records.Certificate(ctx, d.Current().ID, name)
	if err != nil {
		return err
	}
	at := c.Placement
	if m.Placement != nil {
		at = *m.Placement
	}
	if file != nil {
		return file.Room(at)
	}
	return d.Uploads.RoomOf(c.File, at)
}
