package signing

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/tlog"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/signer"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Signer makes verified PDFs: it finds a certificate's document in the blob store and has
// pdf.Stamper add the code and the signature.
type Signer struct {
	Blobs blob.Store
	// Institutions are asked for each document, since settings change.
	Institutions Institutions
	Now          func() time.Time
	Log          *slog.Logger
	// ImageToPDF writes the one-page PDF of an image.
	ImageToPDF func(w io.Writer, r io.ReaderAt, size int64) error
	// MailHold is how long mails about new certificates wait.
	MailHold time.Duration
	// Forks says which logs are known elsewhere otherwise; nil where nobody asks.
	Forks *tlog.Forks
	// Cosigned says that log proofs get the cosignatures of witnesses later.
	Cosigned bool
	// RequireTimestamp holds certificates while no server gives a time stamp.
	RequireTimestamp bool
	// Level is what verified PDFs are to reach. What goes beyond a time stamp is added later.
	Level vault.SealLevel
}

// checkLog holds the certificates of a log that is known elsewhere otherwise than it is here.
func (s *Signer) checkLog(ctx context.Context, key string) error {
	if s.Forks == nil {
		return nil
	}
	if found := s.Forks.Find(ctx, key); found != "" {
		return &HeldError{found + "; let only one home issue: if this home was moved and no other goes on, run \"vecctl tlog continue\", else begin a new log with \"vecctl tlog new\""}
	}
	return nil
}

// Institutions know what documents are signed with. An institutions.Registry is one.
type Institutions interface {
	// Stamper returns that of an institution. The error says why there is none.
	Stamper(institution uint32) (*pdf.Stamper, error)
	// LogKey returns the key of an institution's log of issued certificates.
	LogKey(institution uint32) (*transparency.Key, error)
	// Links returns the public addresses of certificates.
	Links() vault.Links
}

// Sign is the processing of one certificate.
func (s *Signer) Sign(ctx context.Context, c vault.Certificate) (store.Change, error) {
	if c.Remote != nil {
		return nil, &HeldError{fmt.Sprintf("certificate %s was sent to the vault at %s, and relay.url is not set; set it again, so that it is not issued twice", c.Reference, c.Remote.Vault)}
	}
	v, entry, err := s.stamp(ctx, c)
	if refusal, ok := errors.AsType[*pdf.Rejection](err); ok {
		return fail(vault.Failure{Code: string(refusal.Reason), Reason: refusal.Message}, s.Now()), nil
	}
	if u, ok := errors.AsType[unreadableCode](err); ok {
		return fail(vault.Failure{Code: vault.CodeUnreadable, Reason: u.Error()}, s.Now()), nil
	}
	if fault.Is(err, fault.Damaged) {
		message, _ := fault.Message(err)
		return fail(vault.Failure{Code: vault.CodeMissing, Reason: message}, s.Now()), nil
	}
	if err != nil {
		return nil, err
	}
	now := s.Now()
	return func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		c, fx, err := c.Approve(v, entry.update.Bytes, now)
		if err == nil && s.Cosigned {
			c, fx = c.OweCosignatures(fx, now)
		}
		fx.Log = entry
		if s.MailHold > 0 {
			fx = fx.HoldMailsUntil(now.Add(s.MailHold))
		}
		return c, fx, err
	}, nil
}

// stamp makes the verified PDF of a certificate, with its entry for the log.
func (s *Signer) stamp(ctx context.Context, c vault.Certificate) (vault.Verified, logEntry, error) {
	// What has begun is finished; only the reading back ends with ctx.
	files := context.WithoutCancel(ctx)
	stamper, err := s.Institutions.Stamper(c.Institution)
	if err != nil {
		return vault.Verified{}, logEntry{}, keyLost(err)
	}
	if err := checkKey(stamper, s.Now()); err != nil {
		return vault.Verified{}, logEntry{}, err
	}
	document, state, err := s.openDocument(files, c)
	if err != nil {
		return vault.Verified{}, logEntry{}, err
	}
	f, err := openSized(files, s.Blobs, document.SHA256, document.Size)
	if err != nil {
		return vault.Verified{}, logEntry{}, err
	}
	defer f.Close()
	link, at := s.Institutions.Links().Verify(c.Reference), c.Placement
	mark, err := pdf.StampAt(at.At, at.Page, at.SizeMM, at.MarginMM)
	if err != nil {
		return vault.Verified{}, logEntry{}, err
	}
	key, err := s.Institutions.LogKey(c.Institution)
	if err != nil {
		return vault.Verified{}, logEntry{}, err
	}
	if err := s.checkLog(ctx, key.Public()); err != nil {
		return vault.Verified{}, logEntry{}, err
	}
	mark.URL, mark.Caption, mark.SignedAt, mark.Log = link, c.Reference, s.Now(), key.Public()
	tail, err := stamper.Stamp(pdf.Source{R: f, Size: document.Size, HashState: state}, mark)
	if why, ok := errors.AsType[*signer.Failure](err); ok {
		return vault.Verified{}, logEntry{}, &HeldError{why.Message}
	}
	if err != nil {
		return vault.Verified{}, logEntry{}, fmt.Errorf("sealing a document: %w", err)
	}
	if tail.Lost != "" {
		s.Log.Warn("a document does not say any more that it is "+tail.Lost+": nothing can be added to its structure", "certificate", c.UUID)
	}
	if tail.TimestampError != nil {
		if s.RequireTimestamp {
			return vault.Verified{}, logEntry{}, &HeldError{fmt.Sprintf("no time stamp server answers as it should (%s); signing.require_timestamp demands a time stamp", oneLine(tail.TimestampError))}
		}
		s.Log.Warn("a document was signed without a time stamp", "certificate", c.UUID, "error", tail.TimestampError)
	}
	if c.ScanBack {
		if err := readBackCode(ctx, f, document.Size, tail, link); err != nil {
			return vault.Verified{}, logEntry{}, err
		}
	}
	entry, err := newLogEntry(key, tail, s.Now())
	return s.verifiedOf(document, tail), entry, err
}

// verifiedOf describes a verified PDF that was just made, and what it is owed.
func (s *Signer) verifiedOf(document vault.Document, tail pdf.Update) vault.Verified {
	v := vault.Verified{
		Document: document, TailSize: int64(len(tail.Bytes)), SHA256: hex.EncodeToString(tail.SHA256[:]),
		TimestampOwed: tail.TimestampError != nil, Level: vault.SealB, TimestampUntil: tail.TimestampUntil,
	}
	if !tail.TimestampUntil.IsZero() {
		v.Level = vault.SealT
	}
	if s.Level == vault.SealLT || s.Level == vault.SealLTA {
		v.LevelOwed = s.Level
	}
	return v
}

// oneLine is the text of joined errors in one line.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// openDocument returns the PDF that is to be continued; for an image, the page that
// is made of it and stored first.
func (s *Signer) openDocument(ctx context.Context, c vault.Certificate) (vault.Document, []byte, error) {
	if c.File.Format == string(pdf.FormatPDF) {
		return vault.Document{SHA256: c.File.SHA256, Size: c.File.Size}, c.File.HashState, nil
	}
	f, err := openSized(ctx, s.Blobs, c.File.SHA256, c.File.Size)
	if err != nil {
		return vault.Document{}, nil, err
	}
	defer f.Close()
	var page bytes.Buffer
	if err := s.ImageToPDF(&page, f, c.File.Size); err != nil {
		return vault.Document{}, nil, fmt.Errorf("making a page of an image: %w", err)
	}
	title := strings.Trim(c.Title+" - "+c.Name, " -")
	document, err := pdf.TagImage(page.Bytes(), pdf.Label{Title: title}, title)
	if err != nil {
		return vault.Document{}, nil, fmt.Errorf("tagging the page of an image: %w", err)
	}
	staged, err := s.Blobs.Stage(ctx, bytes.NewReader(document), int64(len(document)))
	if err != nil {
		return vault.Document{}, nil, err
	}
	defer staged.Discard()
	if err := s.Blobs.Commit(ctx, staged); err != nil {
		return vault.Document{}, nil, err
	}
	return vault.Document{SHA256: staged.SHA256, Size: staged.Size}, staged.HashState, nil
}

// checkSize finds a stored document that was cut off.
func checkSize(f blob.File, want int64) error {
	info, err := f.Stat()
	if err != nil {
		return fsutil.DiskError(err, "looking at a stored document")
	}
	if info.Size() != want {
		return fault.New(fault.Damaged, "a stored document is not as long as it was; restore the home's blobs folder from a backup")
	}
	return nil
}
