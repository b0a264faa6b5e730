package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/zipstream"
)

const (
	// TotalHeader is the header with the number of documents that an archive is to have.
	TotalHeader = "X-Total-Count"
	// SkippedSuffix ends the name of the entry in the place of a document that the vault
	// cannot read: REFERENCE_ID.skipped.txt says why.
	SkippedSuffix = ".skipped.txt"
)

// Archive is a stream of verified PDFs, newest first. Close ends it.
type Archive struct {
	// Total is how many documents the vault selected.
	Total int
	base  string
	body  io.ReadCloser
	zip   *zipstream.Reader
}

// ArchivedFile is a file of an archive.
type ArchivedFile struct {
	Name        string
	ReferenceID string
	Size        int64
	CRC32       uint32
	// Skipped says that the content is the reason why the vault left the document out.
	Skipped bool
}

// Archive asks for the verified PDFs of all approved certificates that a filter selects, as one
// stream. It begins behind the document that after names by its reference ID; "" is all.
// Pages of the filter do not count. A vault that has no such call is an error of kind Illegal.
func (c *Client) Archive(ctx context.Context, f Filter, after string) (*Archive, error) {
	q := f.values()
	q.Del("status")
	q.Del("page")
	q.Del("per_page")
	if after != "" {
		q.Set("after", after)
	}
	req, err := c.Request(ctx, http.MethodGet, vaultPath("download")+"?"+q.Encode(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/zip, application/json")
	resp, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "application/zip" {
		return nil, errors.Join(fault.Newf(fault.Illegal, "the vault at %s has no call for many documents", c.base), resp.Body.Close())
	}
	total, _ := strconv.Atoi(resp.Header.Get(TotalHeader)) // 0 where the server does not say
	return &Archive{Total: total, base: c.base, body: resp.Body, zip: zipstream.NewReader(resp.Body)}, nil
}

// Next goes to the next file; Read reads its content. It returns io.EOF when the archive has
// ended and came whole.
func (a *Archive) Next() (ArchivedFile, error) {
	e, err := a.zip.Next()
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return ArchivedFile{}, io.EOF
	}
	if err != nil {
		return ArchivedFile{}, a.broken(err)
	}
	f := ArchivedFile{Name: e.Name, ReferenceID: vault.ReferenceInFileName(e.Name), Size: e.Size, CRC32: e.CRC32}
	if reference, ok := strings.CutSuffix(e.Name, SkippedSuffix); ok {
		f.ReferenceID, f.Skipped = reference, true
	}
	if vault.IsReference(f.ReferenceID) && !safeFileName(f.Name) {
		f.Name = f.ReferenceID + ".pdf"
	}
	if !vault.IsReference(f.ReferenceID) {
		return f, fault.Newf(fault.Unavailable, "the archive of the vault at %s has a file named %.100q, which is no document's name", a.base, f.Name)
	}
	return f, nil
}

// Read reads the content of the file.
func (a *Archive) Read(p []byte) (int, error) {
	n, err := a.zip.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = a.broken(err)
	}
	return n, err
}

// Close ends the call.
func (a *Archive) Close() error { return a.body.Close() }

// broken is the error of an archive that did not come whole. Asking again continues it.
func (a *Archive) broken(err error) error {
	if _, said := fault.Message(err); said {
		return err // the transport knows better why
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fault.Wrap(fault.Unavailable, err, fmt.Sprintf("the archive of the vault at %s broke off; run the same command again to continue", a.base))
}

// safeFileName reports whether a name that a server or an uploader chose is that of a plain file
// in a folder, on every system.
func safeFileName(name string) bool {
	const longest = 255
	return name != "" && len(name) <= longest && !strings.HasPrefix(name, ".") &&
		!strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) })
}

// lacksArchives reports whether an error is that of a vault which does not know the call for
// many documents, and takes "download" for a certificate's name.
func lacksArchives(err error) bool {
	if answered, ok := errors.AsType[*Error](err); ok {
		switch answered.Status {
		case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnprocessableEntity, http.StatusInternalServerError, http.StatusNotImplemented:
			return true
		}
	}
	return fault.Is(err, fault.Illegal)
}

// values are the parameters that say a filter.
func (f Filter) values() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{
		"status": f.Status, "applicant_email": f.Email, "search": f.Search,
		"batch_id": f.Batch, "from": f.From, "to": f.To, "expires_from": f.EndsFrom, "expires_to": f.EndsTo,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Page > 0 {
		q.Set("page", strconv.Itoa(f.Page))
	}
	if f.PerPage > 0 {
		q.Set("per_page", strconv.Itoa(f.PerPage))
	}
	return q
}
