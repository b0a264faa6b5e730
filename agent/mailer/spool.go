package mailer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/groupcommit"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Spool is the carrier where there is no mail server: it writes each mail into
// a folder, as a file that mail programs open. All senders share it, and files
// that are finished at one time become durable together.
type Spool struct {
	folder string
	queue  *groupcommit.Queue[*flushGroup]
}

// flushGroup is what becomes durable together.
type flushGroup struct {
	files []fsutil.Pending
	end   <-chan struct{} // closed when nobody has time to wait any more
}

// SpoolConnections is how many senders a spool is for.
const SpoolConnections = 256

// spoolLinger is how long a spool gathers after it wrote several mails. Flushing
// takes the disk from what mails are about, which is in more of a hurry.
const spoolLinger = 200 * time.Millisecond

// NewSpool makes a spool in a folder, which is made with the first mail.
func NewSpool(folder string) *Spool {
	return &Spool{folder: folder, queue: groupcommit.New(func(all []func(*flushGroup) error) []error {
		var g flushGroup
		outcomes := make([]error, len(all))
		for i, add := range all {
			outcomes[i] = add(&g)
		}
		if err := fsutil.Publish(g.files); err != nil {
			for i := range outcomes {
				outcomes[i] = err
			}
		}
		if len(all) > 1 {
			g.linger()
		}
		return outcomes
	})}
}

// linger lets others gather.
func (g *flushGroup) linger() {
	timer := time.NewTimer(spoolLinger)
	defer timer.Stop()
	select {
	case <-g.end:
	case <-timer.C:
	}
}

// SpoolFile is the name of a mail's file in the folder of the spool.
func SpoolFile(id uint64) string { return fmt.Sprintf("%08d.eml", id) }

// Send writes a mail. When ctx ends, what is written becomes durable without rest.
func (s *Spool) Send(ctx context.Context, m mail.Message) error {
	if err := os.MkdirAll(s.folder, 0o700); err != nil {
		return fsutil.DiskError(err, "making the folder of mails")
	}
	file := SpoolFile(vault.ParseMessageID(m.MessageID))
	// What a crash leaves under the second name is overwritten when the mail is
	// written anew, or removed when the home is opened (fsutil.RemoveTempIn).
	name, temp := filepath.Join(s.folder, file), filepath.Join(s.folder, ".tmp-"+file)
	if err := writeMail(temp, m); err != nil {
		_ = os.Remove(temp) // the first error says more
		return err
	}
	return s.queue.Do(func(g *flushGroup) error {
		g.files = append(g.files, fsutil.Pending{Temp: temp, Name: name})
		g.end = ctx.Done()
		return nil
	})
}

func writeMail(path string, m mail.Message) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fsutil.DiskError(err, "writing a mail")
	}
	_, err = m.WriteTo(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return fsutil.DiskError(err, "writing a mail")
	}
	return nil
}

// Close does nothing: there is nothing to say good-bye to.
func (*Spool) Close() {}
