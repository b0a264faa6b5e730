package mailer

import (
	"bytes"
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/mail/dsn"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// BounceStore is what bounces need of the store.
type BounceStore interface {
	MailsByID(ctx context.Context, ids ...uint64) ([]vault.Mail, error)
	ChangeMail(ctx context.Context, id uint64, change func(vault.Mail) (vault.Mail, error)) (vault.Mail, error)
}

// BounceHandler notes on mails, and so on certificates, what came back of them.
type BounceHandler struct {
	Store BounceStore
	Now   func() time.Time
	Log   *slog.Logger
	// Work, if set, is woken when a certificate's recipient was not reached.
	Work wake.Waker
}

// Process reads one message; it is true when it says that a mail of ours did not
// arrive. A message that is something else, or about others' mail, is none.
func (b *BounceHandler) Process(ctx context.Context, message []byte) (bool, error) {
	reports, err := dsn.Parse(bytes.NewReader(message))
	if errors.Is(err, dsn.ErrNone) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, r := range reports {
		if noted, err := b.record(ctx, r); noted || err != nil {
			return noted, err
		}
	}
	return false, nil
}

// record notes a report. Only who got the mail, or carried it, knows its Message-ID
// whole, so nobody else can have it counted as returned.
func (b *BounceHandler) record(ctx context.Context, r dsn.Report) (bool, error) {
	id := vault.ParseMessageID(r.MessageID)
	if !r.Failed || id == 0 {
		return false, nil
	}
	found, err := b.Store.MailsByID(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if found[0].MessageID == "" || subtle.ConstantTimeCompare([]byte(found[0].MessageID), []byte(r.MessageID)) == 0 {
		return false, nil
	}
	why := vault.MailFailure{Code: mail.Shorten(r.Status), Reason: cmp.Or(mail.Shorten(r.Reason), "it came back"), At: b.Now()}
	_, err = b.Store.ChangeMail(ctx, id, func(m vault.Mail) (vault.Mail, error) { return m.MarkBounced(why) })
	if fault.Is(err, fault.Illegal) {
		return false, nil // noted already
	}
	if err == nil {
		b.Log.Warn("a mail came back", "mail", id, "code", why.Code)
		if b.Work != nil {
			b.Work.Wake()
		}
	}
	return err == nil, err
}

// mailboxPollInterval is how often a mailbox is looked at.
const mailboxPollInterval = 30 * time.Second

// Watch reads what comes into a mailbox, a file in mbox form or a Maildir, until
// ctx ends. It changes nothing there.
func (b *BounceHandler) Watch(ctx context.Context, path string) error {
	box := mailbox{path: path, seen: map[string]bool{}}
	tick := time.NewTicker(mailboxPollInterval)
	defer tick.Stop()
	trouble := ""
	for {
		err := box.read(func(message []byte) error {
			_, err := b.Process(ctx, message)
			return err
		})
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && err.Error() != trouble:
			trouble = err.Error()
			b.Log.Error("the mailbox of returned mails cannot be read", "error", err)
		case err == nil:
			trouble = ""
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// mailbox remembers how far it was read. To read something twice does no harm.
type mailbox struct {
	path string
	last fs.FileInfo // of a file, when it was read
	from int64       // where its last message began
	seen map[string]bool
}

func (m *mailbox) read(each func([]byte) error) error {
	info, err := os.Stat(m.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // nothing has come back yet
	case err != nil:
		return fsutil.DiskError(err, "looking at the mailbox")
	case info.IsDir():
		return m.readFolders(each)
	}
	if m.last != nil && os.SameFile(info, m.last) && info.Size() == m.last.Size() && info.ModTime().Equal(m.last.ModTime()) {
		return nil
	}
	if m.last == nil || !os.SameFile(info, m.last) || info.Size() < m.last.Size() {
		m.from = 0
	}
	f, err := os.Open(m.path)
	if err != nil {
		return fsutil.DiskError(err, "opening the mailbox")
	}
	defer f.Close()
	if _, err := f.Seek(m.from, io.SeekStart); err != nil {
		return fsutil.DiskError(err, "reading the mailbox")
	}
	var failed error
	last, err := dsn.Mailbox(f, func(message []byte) { failed = errors.Join(failed, each(message)) })
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	m.last, m.from = info, m.from+last
	return nil
}

// readFolders reads a Maildir.
func (m *mailbox) readFolders(each func([]byte) error) error {
	for _, folder := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(m.path, folder))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fsutil.DiskError(err, "listing the mailbox")
		}
		for _, e := range entries {
			name, _, _ := strings.Cut(e.Name(), ":") // what follows are flags
			if m.seen[name] || !e.Type().IsRegular() {
				continue
			}
			raw, err := os.ReadFile(filepath.Join(m.path, folder, e.Name()))
			if errors.Is(err, fs.ErrNotExist) {
				continue // a mail program has moved it
			}
			if err != nil {
				return fsutil.DiskError(err, "reading the mailbox")
			}
			if err := each(raw); err != nil {
				return err
			}
			m.seen[name] = true
		}
	}
	return nil
}

// WebhookHandler takes returned mails over HTTP, from any caller that knows the secret: a message
// as it came, or, from mail services, JSON with message_id, status and reason.
func (b *BounceHandler) WebhookHandler(secret string, fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if subtle.ConstantTimeCompare([]byte(vault.HashSecret(given)), []byte(vault.HashSecret(secret))) == 0 {
			fail(w, r, fault.New(fault.Unauthenticated, "Unauthorized - wrong secret"))
			return
		}
		noted, err := b.processCall(r)
		if err != nil {
			fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		// An error here is the client's connection.
		_ = json.NewEncoder(w).Encode(map[string]bool{"noted": noted})
	})
}

func (b *BounceHandler) processCall(r *http.Request) (bool, error) {
	const most = 1 << 20
	raw, err := io.ReadAll(io.LimitReader(r.Body, most))
	if err != nil {
		return false, fault.Wrap(fault.Invalid, err, "the message cannot be read")
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return b.Process(r.Context(), raw)
	}
	var q struct {
		MessageID string `json:"message_id"`
		Status    string `json:"status"`
		Reason    string `json:"reason"`
	}
	if err := json.Unmarshal(raw, &q); err != nil || q.MessageID == "" {
		return false, fault.New(fault.Invalid, `want {"message_id": "...", "status": "5.1.1", "reason": "..."}`)
	}
	return b.record(r.Context(), dsn.Report{MessageID: strings.Trim(strings.TrimSpace(q.MessageID), "<>"), Failed: true, Status: q.Status, Reason: q.Reason})
}
