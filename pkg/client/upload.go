package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// keyHeader names a call, so that a vault that knows the header makes nothing
// twice when the call is sent again.
const keyHeader = "Idempotency-Key"

// Document is a file that is sent. It is read as it goes out, never held whole.
type Document struct {
	Name string // as the vault is told it, with its extension
	Size int64  // bytes
	Open func() (io.ReadCloser, error)
}

// FileDocument is a file of this machine.
func FileDocument(path string) (Document, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Document{}, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the file %s cannot be opened; check its name and permissions", path))
	}
	if !info.Mode().IsRegular() {
		return Document{}, fault.Newf(fault.Invalid, "%s is not a file", path)
	}
	return Document{Name: filepath.Base(path), Size: info.Size(),
		Open: func() (io.ReadCloser, error) { return os.Open(path) }}, nil
}

// SentFunc gets the number of bytes of a document that were sent. It may restart at 0 when
// a call is tried again.
type SentFunc func(bytes int64)

// NewCertificate is what one upload says (guide, step 4).
type NewCertificate struct {
	Content
	File Document
	// QR says where the code goes, and Template whose place it takes: the ID of one of
	// Templates. QR goes before it. Both are extensions of the guide.
	QR       Placement
	Template string
	// Key, where set, names the call: sent again with the same key, it makes nothing
	// new.
	Key string
}

// UploadedFile is a document that waits for a bulk request (guide, step 5a).
type UploadedFile struct {
	FileID string `json:"file_id"` // UUID; serves once, within 24 hours
	Name   string `json:"file_name"`
	MIME   string `json:"mime_type"`
	Size   int64  `json:"size"` // bytes
}

// Upload issues one certificate. Sent may be nil. If the answer to an attempt is lost and the
// next says that the certificate exists, the vault's list decides whether it is this one.
func (c *Client) Upload(ctx context.Context, n NewCertificate, sent SentFunc) (Certificate, error) {
	issued, err := c.upload(ctx, n, sent)
	answered, ok := errors.AsType[*Error](err)
	if !ok || !answered.Repeated || !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), vault.DuplicateMessage) {
		return issued, err
	}
	if lost, ok := c.findUpload(ctx, n.Content); ok {
		return lost, nil
	}
	return issued, err
}

// findUpload finds the certificate of an upload whose answer was lost.
func (c *Client) findUpload(ctx context.Context, n Content) (Certificate, bool) {
	for one, err := range c.All(ctx, Filter{Email: n.Email}) {
		if err != nil {
			break
		}
		same := vault.FoldEmail(one.Email) == vault.FoldEmail(n.Email) && one.Title == vault.Clean(n.Title) && one.Name == vault.Clean(n.Name) &&
			(one.IssueDate == "" || n.IssueDate == "" || one.IssueDate == n.IssueDate)
		if same {
			return one, true
		}
	}
	return Certificate{}, false
}

func (c *Client) upload(ctx context.Context, n NewCertificate, sent SentFunc) (Certificate, error) {
	fields := n.formFields()
	if n.Template != "" {
		fields = append(fields, [2]string{"template", n.Template})
	}
	for _, part := range n.QR.parts() {
		fields = append(fields, [2]string{"qr[" + part[0] + "]", part[1]})
	}
	var raw json.RawMessage
	if err := c.form(ctx, "/business/certificate-vault", n.Key, formBody{fields, "certificate_file", n.File, sent}, &raw); err != nil {
		return Certificate{}, err
	}
	return c.readCertificate(raw)
}

// UploadFile sends a document ahead of the bulk request that names it. Sent may be
// nil.
func (c *Client) UploadFile(ctx context.Context, d Document, key string, sent SentFunc) (UploadedFile, error) {
	var raw json.RawMessage
	if err := c.form(ctx, "/business/certificate-vault/upload-file", key, formBody{nil, "file", d, sent}, &raw); err != nil {
		return UploadedFile{}, err
	}
	var kept struct {
		UploadedFile
		FileID AnyID `json:"file_id"`
	}
	data, err := object(raw)
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	if err == nil && kept.FileID == "" {
		err = shapeError("an uploaded file has no file_id")
	}
	if err != nil {
		return UploadedFile{}, c.unknownShape(raw, err)
	}
	kept.UploadedFile.FileID = string(kept.FileID)
	return kept.UploadedFile, nil
}

// BulkEntry is one certificate of a bulk request (guide, step 5b).
type BulkEntry struct {
	Content
	FileID   string // of UploadFile
	QR       Placement
	Template string // as in NewCertificate
}

// BulkAccepted is the answer to a bulk request.
type BulkAccepted struct {
	BatchID string `json:"batch_id"` // "" where the server does not say
	Total   int    `json:"total"`
	Status  string `json:"status"` // processing
}

// EntriesPerCall returns how many of some entries one bulk request has by default: a
// PHP server takes 1,000 form fields. An entry counts as the guide's six fields, and
// more where it has more.
func EntriesPerCall(entries []BulkEntry) int {
	const maxFields, guideFields, placementFields = 900, 6, 4
	most := guideFields
	for _, e := range entries {
		n := max(guideFields, len(e.formFields())+1) // and the file
		if e.QR != (Placement{}) {
			n += placementFields
		}
		most = max(most, n)
	}
	return maxFields / most
}

// SubmitBulk issues certificates of uploaded files, all of them or none. An error
// names what is wrong with which entry: entries.0.file_id. More than
// EntriesPerCall are for the caller to send in several calls.
func (c *Client) SubmitBulk(ctx context.Context, entries []BulkEntry, key string) (BulkAccepted, error) {
	var fields [][2]string
	for i, e := range entries {
		name := "entries[" + strconv.Itoa(i) + "]"
		for _, f := range append(e.formFields(), [2]string{"file_id", e.FileID}, [2]string{"template", e.Template}) {
			if f[1] != "" {
				fields = append(fields, [2]string{name + "[" + f[0] + "]", f[1]})
			}
		}
		for _, part := range e.QR.parts() {
			fields = append(fields, [2]string{name + "[qr][" + part[0] + "]", part[1]})
		}
	}
	var raw json.RawMessage
	if err := c.form(ctx, "/business/certificate-vault/bulk", key, formBody{fields: fields}, &raw); err != nil {
		return BulkAccepted{}, err
	}
	return c.readAccepted(raw)
}

// readAccepted reads the answer to a bulk call. It may lack the batch's ID, but it must be
// an object.
func (c *Client) readAccepted(raw []byte) (BulkAccepted, error) {
	var accepted struct {
		BulkAccepted
		BatchID AnyID `json:"batch_id"`
		ID      AnyID `json:"id"`
	}
	data, err := object(raw)
	if err == nil && len(data) > 0 && data[0] != '{' {
		err = shapeError("the accepted batch is not an object")
	}
	if err == nil {
		err = json.Unmarshal(data, &accepted)
	}
	if err != nil {
		return BulkAccepted{}, c.unknownShape(raw, err)
	}
	accepted.BulkAccepted.BatchID = string(cmp.Or(accepted.BatchID, accepted.ID))
	if accepted.BulkAccepted == (BulkAccepted{}) {
		return BulkAccepted{}, c.unknownShape(raw, shapeError("it does not say that the batch was accepted"))
	}
	return accepted.BulkAccepted, nil
}

// formBody is a form that is sent as multipart/form-data.
type formBody struct {
	fields [][2]string
	file   string // the document's field; "" is none
	doc    Document
	sent   SentFunc
}

// form sends a form and decodes the answer.
func (c *Client) form(ctx context.Context, path, key string, f formBody, into any) error {
	var text bytes.Buffer
	w := multipart.NewWriter(&text)
	for _, field := range f.fields {
		if err := w.WriteField(field[0], field[1]); err != nil {
			return fmt.Errorf("writing a form: %w", err)
		}
	}
	if f.file != "" {
		if _, err := w.CreateFormFile(f.file, f.doc.Name); err != nil {
			return fmt.Errorf("writing a form: %w", err)
		}
	}
	head := bytes.Clone(text.Bytes())
	text.Reset()
	if err := w.Close(); err != nil {
		return fmt.Errorf("writing a form: %w", err)
	}
	tail := text.Bytes()
	req, err := c.Request(ctx, http.MethodPost, path, http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	if key != "" {
		req.Header.Set(keyHeader, key)
	}
	req.ContentLength = int64(len(head)+len(tail)) + f.doc.Size
	req.GetBody = func() (io.ReadCloser, error) { return f.open(head, tail) }
	if req.Body, err = req.GetBody(); err != nil {
		return err
	}
	return c.decode(req, into)
}

// open makes the form's bytes, from the beginning.
func (f formBody) open(head, tail []byte) (io.ReadCloser, error) {
	if f.file == "" {
		return io.NopCloser(io.MultiReader(bytes.NewReader(head), bytes.NewReader(tail))), nil
	}
	if f.doc.Open == nil {
		return nil, fault.New(fault.Invalid, "there is no document to send; FileDocument makes one of a file")
	}
	doc, err := f.doc.Open()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the file "+f.doc.Name+" cannot be opened")
	}
	in := io.Reader(io.LimitReader(doc, f.doc.Size))
	if f.sent != nil {
		in = &countingReader{in, f.sent, 0}
	}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), in, bytes.NewReader(tail)), doc}, nil
}

// countingReader reports the number of bytes that were read.
type countingReader struct {
	io.Reader
	report SentFunc
	n      int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if n > 0 {
		c.n += int64(n)
		c.report(c.n)
	}
	return n, err
}
