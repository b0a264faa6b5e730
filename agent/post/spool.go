package post

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Spool is the carrier where there is no mail server: it writes each mail into
// a folder, as a file that mail programs open.
type Spool struct{ Folder string }

// SpoolFile is the name of a mail's file in the folder of the spool.
func SpoolFile(id uint64) string { return fmt.Sprintf("%08d.eml", id) }

// Send writes a mail.
func (s Spool) Send(_ context.Context, m mail.Message) error {
	if err := os.MkdirAll(s.Folder, 0o700); err != nil {
		return blob.DiskError(err, "making the folder of mails")
	}
	name := filepath.Join(s.Folder, SpoolFile(vault.MailOf(m.MessageID)))
	return blob.WriteFile(name, 0o600, func(w io.Writer) error {
		_, err := m.WriteTo(w)
		return err
	})
}

// Close does nothing.
func (Spool) Close() {}
