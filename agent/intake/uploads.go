package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/groupcommit"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// Uploads takes what comes in over the API: documents first, then the requests
// that name them.
type Uploads struct {
	*Intake
	Inserter BatchInserter
	// blobs makes documents that arrive together durable together.
	blobs *groupcommit.Queue[*flushGroup]
	// waiting counts the callers who wait for their documents' acceptance.
	waiting atomic.Int32
	waited  atomic.Bool
}

// busyThreshold is how many callers who wait make a rush.
const busyThreshold = 4

// Busy reports whether many callers wait at present.
func (u *Uploads) Busy() bool { return u.waiting.Load() >= busyThreshold }

// Waited reports whether anybody has waited since it was last asked.
func (u *Uploads) Waited() bool { return u.waited.Swap(false) }

// BatchInserter is what uploads need of the store.
type BatchInserter interface {
	InsertAtomic(ctx context.Context, w store.AtomicBatch) ([]vault.Certificate, []store.Conflict, error)
	AddUpload(ctx context.Context, u apiaccess.Upload, reply *apiaccess.StoredResponse) error
	Uploads(ctx context.Context, institution uint32, ids []string) ([]*apiaccess.Upload, error)
}

// NewUploads makes the door for uploads.
func NewUploads(in *Intake, wholes BatchInserter) *Uploads {
	return &Uploads{Intake: in, Inserter: wholes, blobs: groupcommit.New(func(all []func(*flushGroup) error) []error {
		var g flushGroup
		outcomes := make([]error, len(all))
		for i, add := range all {
			outcomes[i] = add(&g)
		}
		if err := in.Blobs.Commit(g.ctx, g.staged...); err != nil {
			for i := range outcomes {
				outcomes[i] = fmt.Errorf("storing a document: %w", err)
			}
		}
		return outcomes
	})}
}

// flushGroup is documents that are made durable together.
type flushGroup struct {
	ctx    context.Context // of the last one, without its end: the flush is everybody's
	staged []*blob.Staged
}

// Document is an uploaded document that is not stored yet.
type Document struct {
	File   vault.File
	staged *blob.Staged
}

// MIME is the document's media type.
func (d *Document) MIME() string {
	if d.File.Format == string(pdf.FormatPDF) {
		return "application/pdf"
	}
	return "image/" + d.File.Format
}

// Discard drops a document that will not be stored. Nil is none; it may be
// called after the document was stored.
func (d *Document) Discard() {
	if d != nil {
		d.staged.Discard()
	}
}

// Errors of a document that is not accepted. An error that is neither is that of its reader
// or of the disk, or says that the document was issued already.
var (
	ErrTooLarge  = errors.New("the document is larger than 20 MB")
	ErrWrongType = errors.New("the file is neither a PDF nor a JPEG or PNG image")
	ErrEmpty     = errors.New("the file is empty: it has 0 bytes")
)

// ExtensionError is about a document whose name ends as its content does not.
type ExtensionError struct{ Format, Extension string }

func (e *ExtensionError) Error() string {
	return fmt.Sprintf("the file is a %s by its content, but its name ends in %s: rename it", strings.ToUpper(e.Format), e.Extension)
}

// Receive reads an uploaded document to its end. One that was issued already is Invalid, with
// words for a person. It is looked at no deeper: one that cannot be stamped fails when it is
// processed.
func (u *Uploads) Receive(ctx context.Context, r io.Reader, name string) (*Document, error) {
	head := make([]byte, pdf.SniffLen)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	if n == 0 {
		return nil, ErrEmpty
	}
	head = head[:n]
	format, err := pdf.SniffFormat(head)
	if err != nil {
		return nil, ErrWrongType
	}
	name = fileName(name, format)
	if checkExtension(name, format) != nil {
		return nil, &ExtensionError{string(format), path.Ext(name)}
	}
	// A caller that breaks off is answered by the error of its body, not by that of ctx.
	scan := &markScanner{Reader: io.MultiReader(bytes.NewReader(head), r)}
	staged, err := u.Blobs.Stage(context.WithoutCancel(ctx), scan, vault.MaxFile)
	if fault.Is(err, fault.Invalid) {
		return nil, ErrTooLarge
	}
	if err != nil {
		return nil, err
	}
	d := &Document{staged: staged, File: vault.File{
		Name: name, Format: string(format), Size: staged.Size, SHA256: staged.SHA256, HashState: staged.HashState,
	}}
	if err := u.checkDocument(ctx, d, scan.found); err != nil {
		d.Discard()
		return nil, err
	}
	return d, nil
}

// checkDocument refuses a received document that was issued already.
func (u *Uploads) checkDocument(ctx context.Context, d *Document, hasMark bool) error {
	ctx = context.WithoutCancel(ctx)
	if !hasMark {
		_, err := u.checkNotIssued(ctx, d.File.SHA256, false, nil, 0)
		return err
	}
	f, err := d.staged.Open()
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = u.checkNotIssued(ctx, d.File.SHA256, true, f, d.File.Size)
	return err
}

// extension is what can stand for a type.
var extension = regexp.MustCompile(`^\.[0-9A-Za-z]{1,8}$`)

// fileName is the last part of an uploaded file's name, fit to stand in a folder
// of any system. A name without an extension gets that of the content.
func fileName(name string, format pdf.Format) string {
	name = strings.ToValidUTF8(name[strings.LastIndexAny(name, `/\`)+1:], "_")
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	}, vault.Clean(name))
	ext := path.Ext(name)
	if !extension.MatchString(ext) {
		ext = "" // "Dr. Smith" has none
	}
	stem := strings.Trim(strings.TrimSuffix(name, ext), ". ")
	if ext == "" {
		ext = extensionOf(format)
	}
	if stem == "" {
		stem = "document"
	}
	const longest = 200 // bytes
	for len(stem)+len(ext) > longest {
		_, n := utf8.DecodeLastRuneInString(stem)
		stem = stem[:len(stem)-n]
	}
	return stem + ext
}

func extensionOf(format pdf.Format) string {
	switch format {
	case pdf.FormatJPEG:
		return ".jpg"
	case pdf.FormatPNG:
		return ".png"
	case pdf.FormatPDF:
	}
	return ".pdf"
}

// countWaiting counts a caller until the function that it returns is called.
func (u *Uploads) countWaiting() (over func()) {
	u.waiting.Add(1)
	u.waited.Store(true)
	return func() { u.waiting.Add(-1) }
}

// store makes documents durable.
func (u *Uploads) store(ctx context.Context, d *Document) error {
	return u.blobs.Do(func(g *flushGroup) error {
		g.ctx, g.staged = context.WithoutCancel(ctx), append(g.staged, d.staged)
		return nil
	})
}

// KeepFile stores a document for a later request. The function makes the answer
// that is kept with it; nil keeps none.
func (u *Uploads) KeepFile(ctx context.Context, who vault.Institution, d *Document,
	reply func(apiaccess.Upload) (*apiaccess.StoredResponse, error)) (apiaccess.Upload, error) {
	defer u.countWaiting()()
	if err := u.store(ctx, d); err != nil {
		return apiaccess.Upload{}, err
	}
	kept, err := apiaccess.NewUpload(u.Random, who.ID, d.File, u.Now())
	if err != nil {
		return kept, err
	}
	answer, err := reply(kept)
	if err != nil {
		return kept, err
	}
	return kept, u.Inserter.AddUpload(ctx, kept, answer)
}

// IssueOne accepts one certificate of a valid draft and its document. A key that
// is held already is refused.
func (u *Uploads) IssueOne(ctx context.Context, who vault.Institution, draft vault.Draft, d *Document,
	reply func([]vault.Certificate) (apiaccess.StoredResponse, error)) (vault.Certificate, []store.Conflict, error) {
	defer u.countWaiting()()
	drafts := []vault.Draft{draft}
	held, err := u.Claim(ctx, who, drafts)
	if err != nil {
		return vault.Certificate{}, nil, err
	}
	if held[0] {
		return vault.Certificate{}, []store.Conflict{{Duplicate: true}}, nil
	}
	if err := u.store(ctx, d); err != nil {
		return vault.Certificate{}, nil, err
	}
	made, refused, err := u.insertBatch(ctx, who, drafts, store.AtomicBatch{Rows: make([]store.AtomicRow, 1), Response: reply})
	if err != nil || len(refused) > 0 {
		return vault.Certificate{}, refused, err
	}
	return made[0], nil, nil
}

// IssueBatch accepts certificates of valid drafts, one of each upload, as one
// batch, or refuses them all.
func (u *Uploads) IssueBatch(ctx context.Context, who vault.Institution, batch vault.Batch, drafts []vault.Draft, uploads []string,
	reply func([]vault.Certificate) (apiaccess.StoredResponse, error)) ([]store.Conflict, error) {
	whole := store.AtomicBatch{Batch: &batch, Rows: make([]store.AtomicRow, len(drafts)), Response: reply}
	for i, id := range uploads {
		whole.Rows[i].Upload = id
	}
	_, refused, err := u.insertBatch(ctx, who, drafts, whole)
	return refused, err
}

// insertBatch draws identities for drafts and has the store keep them.
func (u *Uploads) insertBatch(ctx context.Context, who vault.Institution, drafts []vault.Draft, whole store.AtomicBatch) (
	[]vault.Certificate, []store.Conflict, error) {
	// What has begun is finished, so that the outcome is known to the store alone or
	// to nobody.
	ctx = context.WithoutCancel(ctx)
	var made []vault.Certificate
	var refused []store.Conflict
	err := vault.RetryOnCollision(func() (err error) {
		now := u.Now()
		for i, d := range drafts {
			id, err := vault.NewIdentity(u.Random, now, who.Year(now))
			if err != nil {
				return err
			}
			whole.Rows[i].Certificate, whole.Rows[i].Effects = vault.Accept(d, who.ID, id, now)
		}
		made, refused, err = u.Inserter.InsertAtomic(ctx, whole)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("accepting certificates: %w", err)
	}
	return made, refused, nil
}
