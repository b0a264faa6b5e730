// Package form reads a request that brings one document, with what is said of it.
package form

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/agent/api/body"
	"github.com/vecctl/vecctl/agent/api/placing"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Receiver reads a document to its end. ErrTooLarge and ErrWrongType refuse it.
type Receiver interface {
	Receive(r io.Reader, name string) (Incoming, error)
}

// Incoming is a document that was handed in and is not stored yet.
type Incoming interface {
	Describe() vault.File
	MIME() string
	Discard()
}

// Refusals of a document.
var (
	ErrTooLarge  = errors.New("the document is too large")
	ErrWrongType = errors.New("the document is of a type that is not accepted, or its name says otherwise")
)

// largestUpload bounds the body of a request with a document: what is more than
// 20 MB is read to its end up to here, so that the client gets to read why it
// was refused.
const largestUpload = 3*vault.MaxFile + 1<<20

// Form is a form with one document.
type Form struct {
	Fields   map[string]string // the texts that it was asked for
	Wrong    []string          // fields that hold no text
	Document Incoming          // nil where there is none that can be taken

	texts   []string // fields that are kept
	file    string   // the document's field
	door    Receiver
	refused error // why there is no document
	asText  bool  // the document's field held a text
}

// Wants tells whether a field is one of the form's.
func (f *Form) Wants(name string) bool {
	return name == f.file || slices.Contains(f.texts, name)
}

// Text keeps a value; of two with one name the last counts, as in PHP.
func (f *Form) Text(name, value string) {
	if name == f.file {
		f.asText = value != ""
		return
	}
	f.Fields[name] = value
}

// File stages the document; of two the last counts.
func (f *Form) File(name, fileName string, r io.Reader) error {
	if name != f.file {
		f.Wrong = append(f.Wrong, name)
		return nil
	}
	f.Discard()
	f.refused, f.asText = nil, false
	if fileName == "" {
		return nil // what browsers send for no file
	}
	d, err := f.door.Receive(r, fileName)
	if errors.Is(err, ErrTooLarge) || errors.Is(err, ErrWrongType) {
		f.refused = err
		return nil
	}
	if err == nil {
		f.Document = d
	}
	return err
}

// Discard gives the document up, where there is one that nobody stored.
func (f *Form) Discard() {
	if f.Document != nil {
		f.Document.Discard()
		f.Document = nil
	}
}

// Said is what the form says, for telling one call from another.
func (f *Form) Said() map[string]string {
	all := map[string]string{}
	for name, value := range f.Fields {
		all["text "+name] = value
	}
	if f.Document != nil {
		all["file"], all["file name"] = f.Document.Describe().SHA256, f.Document.Describe().Name
	}
	return all
}

// Problems are what is wrong with the document.
func (f *Form) Problems() []fault.Field {
	say := func(format string) []fault.Field {
		return []fault.Field{{Name: f.file, Message: fmt.Sprintf(format, strings.ReplaceAll(f.file, "_", " "))}}
	}
	switch {
	case errors.Is(f.refused, ErrTooLarge):
		return say("The %s field must not be greater than 20480 kilobytes.")
	case f.refused != nil:
		return say("The %s field must be a file of type: pdf, jpg, jpeg, png.")
	case f.Document != nil:
		return nil
	case f.asText || slices.Contains(f.Wrong, f.file):
		return say("The %s field must be a file.")
	}
	return say("The %s field is required.")
}

// Read reads a request's form with a document, whose field is named before those of
// its texts. Whatever it returns, the form is the caller's to discard.
func Read(w http.ResponseWriter, r *http.Request, door Receiver, file string, texts ...string) (*Form, error) {
	f := &Form{texts: texts, file: file, door: door, Fields: map[string]string{}}
	if r.ContentLength > largestUpload {
		return f, body.ErrTooLarge
	}
	defer body.Bound(w, r, largestUpload, body.DefaultPace())()
	handled, err := body.ReadForm(r, f)
	if err == nil && !handled {
		f.Wrong, err = body.ReadObject(r.Body, f, placing.Group)
	}
	return f, err
}
