// Package form reads what requests bring: forms in both encodings and JSON,
// streamed and bounded; a form with one document; and where a document's code goes.
package form

import (
	"bufio"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/vecctl/vecctl/pkg/vault"
)

// Errors that a request's body can make.
var (
	ErrContentType  = errors.New("the request's content type is not understood")
	ErrMalformed    = errors.New("the request's body is not what its content type says, or it ended early")
	ErrBodyTooLarge = errors.New("the request's body is too large")
	ErrTooSlow      = errors.New("the request's body came too slowly")
	ErrEncoding     = errors.New("the request's body is not valid UTF-8")
)

// Bounds of what is kept of a request. A value that is longer than any that is
// valid is cut off, still too long to be valid.
const (
	maxName  = 200
	maxValue = 16 << 10
	// maxParts is more than 10,000 entries of all fields, each given twice: what the
	// certificate says, the document, and six that say where its code goes.
	maxParts = 2 * MaxEntries * (vault.FieldCount + 7)
)

// Handler takes the parts of a form one by one.
type Handler interface {
	// Wants reports whether a field is to be kept; others are passed over.
	Wants(name string) bool
	// Text is one field's value.
	Text(name, value string)
	// File is one document; it need not be read to its end.
	File(name, fileName string, r io.Reader) error
}

// ReadForm reads a form in either encoding into t. A request without a body is an
// empty form. handled is false for JSON, which is the caller's to read.
func ReadForm(r *http.Request, t Handler) (handled bool, err error) {
	kind := r.Header.Get("Content-Type")
	if kind == "" {
		if n, err := io.CopyN(io.Discard, r.Body, 1); n > 0 || !errors.Is(err, io.EOF) {
			return true, unlessMalformed(classify(err), ErrContentType)
		}
		return true, nil
	}
	media, parameters, err := mime.ParseMediaType(kind)
	if err != nil {
		return true, ErrContentType
	}
	switch media {
	case "multipart/form-data":
		if parameters["boundary"] == "" || len(parameters["boundary"]) > 70 {
			return true, ErrMalformed // RFC 2046, section 5.1.1
		}
		seen := &tailReader{Reader: r.Body}
		// The multipart reader itself asks for a few kilobytes at a time.
		err := readParts(multipart.NewReader(bufio.NewReaderSize(seen, 64<<10), parameters["boundary"]), t)
		if err == nil && !seen.complete(parameters["boundary"]) {
			err = ErrMalformed
		}
		return true, err
	case "application/x-www-form-urlencoded":
		return true, readPairs(r.Body, t)
	case "application/json":
		return false, nil
	}
	return true, ErrContentType
}

func unlessMalformed(err, other error) error {
	if err != nil && !errors.Is(err, ErrMalformed) {
		return err
	}
	return other
}

func readParts(parts *multipart.Reader, t Handler) error {
	for n := 0; ; n++ {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return asBodyError(classify(err))
		}
		if n == maxParts {
			return ErrBodyTooLarge
		}
		if err := readPart(p, t); err != nil {
			return err
		}
	}
}

func readPart(p *multipart.Part, t Handler) error {
	name := p.FormName()
	_, parameters, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
	fileName, isFile := parameters["filename"]
	if err != nil || len(name) > maxName || !t.Wants(name) {
		_, err := io.Copy(io.Discard, p)
		return classify(err)
	}
	if isFile {
		err := t.File(name, fileName, p)
		if err == nil {
			_, err = io.Copy(io.Discard, p) // what it left unread
		}
		return classify(err)
	}
	value, err := readValue(p)
	if err != nil {
		return err
	}
	t.Text(name, value)
	return nil
}

// readValue keeps the beginning of a value, and reads over the rest.
func readValue(r io.Reader) (string, error) {
	value, err := io.ReadAll(io.LimitReader(r, maxValue+1))
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	return truncate(string(value)), classify(err)
}

// truncate keeps the beginning of a value, in whole characters.
func truncate(s string) string {
	if len(s) <= maxValue {
		return s
	}
	n := maxValue
	for n > maxValue-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// readPairs reads name=value pairs, one at a time.
func readPairs(r io.Reader, t Handler) error {
	const longest = 3*(maxName+maxValue) + 1 // every byte escaped
	in := bufio.NewReaderSize(r, 32<<10)
	for n := 0; ; n++ {
		pair, end, err := readUntil(in, '&', longest)
		if err != nil {
			return classify(err)
		}
		if n == maxParts {
			return ErrBodyTooLarge
		}
		escapedName, escaped, _ := strings.Cut(pair, "=")
		name, nameErr := url.QueryUnescape(escapedName)
		value, valueErr := url.QueryUnescape(escaped)
		if nameErr != nil || valueErr != nil {
			return ErrMalformed
		}
		if len(name) <= maxName && t.Wants(name) {
			t.Text(name, truncate(value))
		}
		if end {
			return nil
		}
	}
}

// readUntil reads to a separator or the end. Of more than most bytes it is an
// error.
func readUntil(in *bufio.Reader, separator byte, most int) (text string, end bool, err error) {
	var b []byte
	for {
		piece, err := in.ReadSlice(separator)
		b = append(b, piece...)
		switch {
		case len(b) > most:
			return "", false, ErrBodyTooLarge
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return string(b), true, nil
		case err != nil:
			return "", false, err
		default:
			return string(b[:len(b)-1]), false, nil
		}
	}
}

// classify names what went wrong while a body was read. An error with a meaning
// of its own, such as a full disk's, stays what it is.
func classify(err error) error {
	if err == nil {
		return nil
	}
	if isBodyError(err) {
		return err
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok || errors.Is(err, multipart.ErrMessageTooLarge) {
		return ErrBodyTooLarge
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ErrTooSlow
	}
	if _, ok := errors.AsType[*connError](err); ok || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		strings.HasPrefix(err.Error(), "multipart: ") || strings.HasPrefix(err.Error(), "malformed MIME header") {
		return ErrMalformed
	}
	return err
}

func isBodyError(err error) bool {
	for _, known := range []error{ErrContentType, ErrMalformed, ErrBodyTooLarge, ErrTooSlow, ErrEncoding} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// asBodyError makes any other error of a parser one of form.
func asBodyError(err error) error {
	if isBodyError(err) {
		return err
	}
	return ErrMalformed
}
