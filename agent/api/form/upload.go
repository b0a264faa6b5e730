package form

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// maxUploadBody bounds the body of a request with a document: what is more than
// 20 MB is read to its end up to here, so that the client gets to read why it
// was refused.
const maxUploadBody = 3*vault.MaxFile + 1<<20

// Form is a form with one document.
type Form struct {
	Fields  map[string]string // the texts that it was asked for
	NotText []string          // fields that hold no text
	Upload  *intake.Document  // nil where there is none that can be taken

	textFields []string // fields that are kept
	fileField  string   // the document's field
	request    *http.Request
	receiver   *intake.Uploads
	rejected   error // why there is no document
	asText     bool  // the document's field held a text
}

// Wants reports whether a field is one of the form's.
func (f *Form) Wants(name string) bool {
	return name == f.fileField || slices.Contains(f.textFields, name)
}

// Text keeps a value; of two with one name the last counts, as in PHP.
func (f *Form) Text(name, value string) {
	if name == f.fileField {
		f.asText = value != ""
		return
	}
	f.Fields[name] = value
}

// File stages the document; of two the last counts.
func (f *Form) File(name, fileName string, r io.Reader) error {
	if name != f.fileField {
		f.NotText = append(f.NotText, name)
		return nil
	}
	f.Discard()
	f.rejected, f.asText = nil, false
	if fileName == "" {
		return nil // what browsers send for no file
	}
	d, err := f.receiver.Receive(f.request.Context(), r, fileName)
	if fault.Is(err, fault.Invalid) || errors.Is(err, intake.ErrTooLarge) || errors.Is(err, intake.ErrWrongType) ||
		errors.Is(err, intake.ErrEmpty) || errors.As(err, new(*intake.ExtensionError)) {
		f.rejected = err
		return nil
	}
	if err == nil {
		f.Upload = d
	}
	return err
}

// Discard gives the document up, where there is one that nobody stored.
func (f *Form) Discard() {
	if f.Upload != nil {
		f.Upload.Discard()
		f.Upload = nil
	}
}

// FingerprintFields is what the form says, for telling one call from another.
func (f *Form) FingerprintFields() map[string]string {
	all := map[string]string{}
	for name, value := range f.Fields {
		all["text "+name] = value
	}
	if f.Upload != nil {
		all["file"], all["file name"] = f.Upload.File.SHA256, f.Upload.File.Name
	}
	return all
}

// FileErrors are what is wrong with the document.
func (f *Form) FileErrors() []fault.Field {
	fieldError := func(format string) []fault.Field {
		return []fault.Field{{Name: f.fileField, Message: fmt.Sprintf(format, strings.ReplaceAll(f.fileField, "_", " "))}}
	}
	const wrongType = "The %s field must be a file of type: pdf, jpg, jpeg, png."
	var extension *intake.ExtensionError
	switch {
	case errors.Is(f.rejected, intake.ErrTooLarge):
		return fieldError("The %s field must not be greater than 20480 kilobytes.")
	case fault.Is(f.rejected, fault.Invalid):
		why, _ := fault.Message(f.rejected)
		return fieldError("The %s field cannot be accepted: " + strings.ReplaceAll(why, "%", "%%") + ".")
	case errors.Is(f.rejected, intake.ErrEmpty):
		return fieldError("The %s field must not be empty: the file has 0 bytes.")
	case errors.As(f.rejected, &extension):
		return fieldError(wrongType + strings.ReplaceAll(fmt.Sprintf(" Its content is %s, but its name ends in %s.", strings.ToUpper(extension.Format), extension.Extension), "%", "%%"))
	case f.rejected != nil:
		return fieldError(wrongType)
	case f.Upload != nil:
		return nil
	case f.asText || slices.Contains(f.NotText, f.fileField):
		return fieldError("The %s field must be a file.")
	}
	return fieldError("The %s field is required.")
}

// ReadUpload reads a request's form with a document, whose field is named before those of
// its texts. Whatever it returns, the form is the caller's to discard.
func ReadUpload(w http.ResponseWriter, r *http.Request, receiver *intake.Uploads, file string, texts ...string) (*Form, error) {
	f := &Form{textFields: texts, fileField: file, request: r, receiver: receiver, Fields: map[string]string{}}
	if r.ContentLength > maxUploadBody {
		return f, ErrBodyTooLarge
	}
	defer LimitBody(w, r, maxUploadBody, DefaultReadRate())()
	handled, err := ReadForm(r, f)
	if err == nil && !handled {
		f.NotText, err = ReadJSON(r.Body, f, PlacementField)
	}
	return f, err
}
