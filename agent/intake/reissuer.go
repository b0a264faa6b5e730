package intake

import (
	"context"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
)

// CertificateStore is what corrections need of the store.
type CertificateStore interface {
	ReissueStore
	Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error)
}

// Reissuer makes corrected successors of the current institution's certificates.
type Reissuer struct {
	Uploads *Uploads
	Store   CertificateStore
	Current func() vault.Institution
	// Accepting says why no new document is taken; nil when it is.
	Accepting func() error
}

// Reissue makes a corrected successor of a certificate; without a file it has the
// document of the one before.
func (d *Reissuer) Reissue(ctx context.Context, name string, m vault.Amendment, file *adminclient.NewFile) (vault.Certificate, error) {
	var document *Replacement
	if file != nil {
		if err := d.Accepting(); err != nil {
			return vault.Certificate{}, err
		}
		document = &Replacement{Name: file.Name, Body: file.Body, Origin: file.Origin}
	}
	if err := d.checkPlacement(ctx, name, m, document); err != nil {
		return vault.Certificate{}, err
	}
	made, err := d.Uploads.Reissue(ctx, d.Store, d.Current(), name, m, document)
	return made.Next, err
}

// checkPlacement refuses a correction whose document does not have the place that its code
// goes to.
func (d *Reissuer) checkPlacement(ctx context.Context, name string, m vault.Amendment, file *Replacement) error {
	if file == nil && m.Placement == nil {
		return nil
	}
	c, err := d.Store.Certificate(ctx, d.Current().ID, name)
	if err != nil {
		return err
	}
	at := c.Placement
	if m.Placement != nil {
		at = *m.Placement
	}
	if file != nil {
		return file.CheckPlacement(at)
	}
	return d.Uploads.RoomOf(ctx, c.File, at)
}
