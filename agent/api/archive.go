package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
	"github.com/vecctl/vecctl/pkg/zipstream"
)

// archivePage is how many certificates are in memory while an archive is sent.
const archivePage = 100

// downloadAll sends the verified PDFs that a filter selects as one ZIP, newest first. The
// order is that of creation, which nothing changes. So an archive that broke off continues
// behind its last whole document, which the parameter after names: what was issued meanwhile
// lies before it.
func (a *API) downloadAll(w http.ResponseWriter, r *http.Request, who Caller) error {
	if err := who.checkPermission(apiaccess.MayList); err != nil {
		return err // it shows what there is, as a list does
	}
	filter, err := a.parseArchiveQuery(r, who)
	if err != nil {
		return err
	}
	page, err := a.Store.List(r.Context(), filter, 1, archivePage)
	if err != nil {
		return err
	}
	if page.Total == 0 && filter.Below == 0 {
		return fault.New(fault.NotFound, "No verified PDF matches. Certificates may still be processing.")
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", attachmentDisposition("certificates-"+a.Now().UTC().Format("20060102-150405")+".zip"))
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Accept-Ranges", "none")
	h.Set(client.TotalHeader, strconv.Itoa(page.Total))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	archive := &archiveWriter{api: a, zip: zipstream.NewWriter(w), sum: make([]byte, 128<<10)}
	defer archive.zip.Discard()
	if err := archive.write(r.Context(), filter, page); err != nil {
		// The answer has begun; all that is left is to break it off.
		if r.Context().Err() == nil {
			a.Log.Error("an archive broke off", "request_id", requestID(r.Context()), "documents", archive.documents, "error", err)
		}
		panic(http.ErrAbortHandler)
	}
	a.Log.Info("an archive was sent", "request_id", requestID(r.Context()), "caller", who.id(), "documents", archive.documents, "skipped", archive.skipped)
	return nil
}

// parseArchiveQuery reads which documents an archive is to have.
func (a *API) parseArchiveQuery(r *http.Request, who Caller) (store.Filter, error) {
	values := r.URL.Query()
	q, err := parseListQuery(values)
	if err != nil {
		return q.Filter, err
	}
	var bad []fault.Field
	for _, name := range []string{"page", "per_page", "sort_field", "sort_order", "generated_at_from", "generated_at_to"} {
		if values.Has(name) {
			bad = append(bad, fault.Field{Name: name, Message: "The " + strings.ReplaceAll(name, "_", " ") + " field is prohibited: an archive has one order and no pages. To continue one, name its last document with after."})
		}
	}
	if q.Filter.Status != "" && q.Filter.Status != vault.Approved {
		bad = append(bad, fault.Field{Name: "status", Message: "The status field must be approved: other certificates have no verified PDF to download."})
	}
	f := q.Filter
	f.Institution, f.Source, f.Status = who.institution, vault.FromVault, vault.Approved
	if f.Below, err = a.archivePosition(r.Context(), who, values); fault.Is(err, fault.NotFound) {
		bad = append(bad, fault.Field{Name: "after", Message: "The selected after is invalid: no certificate has this UUID or reference ID."})
		err = nil
	}
	if err != nil {
		return f, err
	}
	return f, fault.InvalidFields(bad)
}

// archivePosition is the ID of the certificate behind which an archive begins; 0 for the
// beginning.
func (a *API) archivePosition(ctx context.Context, who Caller, values url.Values) (uint64, error) {
	after := values.Get("after")
	if after == "" {
		return 0, nil
	}
	c, err := a.Store.Certificate(ctx, who.institution, after)
	if err == nil {
		err = who.checkVisible(c)
	}
	return c.ID, err
}

// archiveWriter writes an archive.
type archiveWriter struct {
	api       *API
	zip       *zipstream.Writer
	sum       []byte // a buffer
	documents int
	skipped   int
}

// write writes the documents of a page and of those behind it, and the end of the archive.
func (z *archiveWriter) write(ctx context.Context, f store.Filter, page store.Page) (err error) {
	for {
		for _, c := range page.Certificates {
			if err := z.add(ctx, c); err != nil {
				return err
			}
			f.Below = c.ID
		}
		if len(page.Certificates) < archivePage {
			break
		}
		if page, err = z.api.Store.List(ctx, f, 1, archivePage); err != nil {
			return err
		}
	}
	return z.zip.Close()
}

// add writes a document, or notes why it is left out. One that changed since the page was
// read is read again.
func (z *archiveWriter) add(ctx context.Context, c vault.Certificate) error {
	err := z.addDocument(ctx, c)
	if !fault.Is(err, fault.Damaged) {
		return err
	}
	now, readErr := z.api.Store.Certificate(ctx, c.Institution, c.UUID)
	if readErr != nil {
		return readErr
	}
	if now.Status != vault.Approved || now.Verified == nil {
		return nil // taken back meanwhile, so that the filter no longer selects it
	}
	if now.Verified.SHA256 != c.Verified.SHA256 {
		err = z.addDocument(ctx, now)
	}
	if fault.Is(err, fault.Damaged) {
		return z.note(c, err)
	}
	return err
}

// addDocument writes a document. It is read twice, so that its checksum is known before it is
// sent, and a damaged one is not sent at all.
func (z *archiveWriter) addDocument(ctx context.Context, c vault.Certificate) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.Verified == nil {
		return nil
	}
	document, err := z.api.Documents.Open(ctx, c)
	if err != nil {
		return err
	}
	defer document.Close()
	sum, err := z.checksum(document, c)
	if err != nil {
		return err
	}
	if _, err := document.Seek(0, io.SeekStart); err != nil {
		return err
	}
	z.documents++
	return z.zip.Add(zipstream.Entry{Name: c.VerifiedFileName(), Size: c.Verified.Size(), CRC32: sum, Modified: c.ApprovedAt}, document)
}

// checksum returns a document's CRC-32. A document that is not the verified PDF is Damaged.
func (z *archiveWriter) checksum(document *results.Verified, c vault.Certificate) (uint32, error) {
	whole, short := sha256.New(), crc32.NewIEEE()
	_, err := io.CopyBuffer(io.MultiWriter(whole, short), struct{ io.Reader }{document}, z.sum)
	if err == nil && hex.EncodeToString(whole.Sum(nil)) != c.Verified.SHA256 {
		return 0, fault.New(fault.Damaged, "the stored document is not what it was; restore the home from a backup")
	}
	if err != nil {
		return 0, fault.Wrap(fault.Damaged, err, "the stored document cannot be read; restore the home from a backup")
	}
	return short.Sum32(), nil
}

// note puts in a document's place why it is left out.
func (z *archiveWriter) note(c vault.Certificate, why error) error {
	z.api.Log.Error("a document is left out of an archive", "certificate", c.UUID, "error", why)
	message, ok := fault.Message(why)
	if !ok {
		message = "it cannot be read"
	}
	z.skipped++
	message += "\n"
	e := zipstream.Entry{Name: c.Reference + client.SkippedSuffix, Size: int64(len(message)), CRC32: crc32.ChecksumIEEE([]byte(message)), Modified: z.api.Now()}
	return z.zip.Add(e, strings.NewReader(message))
}
