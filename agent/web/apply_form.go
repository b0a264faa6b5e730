package web

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/agent/api/form"
	"github.com/vecctl/vecctl/agent/web/layout"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// maxApplicationForm bounds what is read of a form. A file that is larger than 20 MB is
// read over up to here, so that its sender gets to read what is wrong with it.
const maxApplicationForm = 3*vault.MaxFile + 1<<20

// The form's fields, in the order in which they are shown and sent. Own is a title
// that the institution does not offer.
const (
	fieldTitle       = "title"
	fieldCustomTitle = "own"
	fieldName        = "name"
	fieldEmail       = "email"
	fieldDetails     = "details"
	fieldEvidence    = "evidence"
)

// applicationForm is an application that is being filled in.
type applicationForm struct {
	storeEvidence func(r io.Reader, name string) (vault.File, error)
	policy        vault.ApplicationPolicy
	accountEmail  string // address of who is signed in, "" for nobody
	texts         map[string]string
	fileSent      bool        // a file came
	evidence      *vault.File // the one that was taken
	fileError     errorText   // why it was not
}

// errorText is what is wrong with a field: a text of the table, and words of
// the reader of a file, which are English.
type errorText struct{ key, detail string }

func newApplicationForm(ctx context.Context, applications applicationSubmitter, policy vault.ApplicationPolicy, who vault.Account) *applicationForm {
	storeEvidence := func(r io.Reader, name string) (vault.File, error) { return applications.TakeEvidence(ctx, r, name) }
	return &applicationForm{storeEvidence: storeEvidence, policy: policy, accountEmail: who.Email, texts: map[string]string{}}
}

// read reads a request's form as the documented API reads its own: streamed, with bounds, and
// whole or not at all. What is no form is form.ErrMalformed.
func (f *applicationForm) read(w http.ResponseWriter, r *http.Request) error {
	defer form.LimitBody(w, r, maxApplicationForm, form.DefaultReadRate())()
	handled, err := form.ReadForm(r, f)
	switch {
	case err == nil && !handled, errors.Is(err, form.ErrContentType), errors.Is(err, form.ErrTooSlow):
		return form.ErrMalformed
	}
	return err
}

// Wants implements form.Handler.
func (f *applicationForm) Wants(name string) bool {
	return slices.Contains([]string{fieldTitle, fieldCustomTitle, fieldName, fieldEmail, fieldDetails, fieldEvidence}, name)
}

// Text implements form.Handler; of two values with one name the last counts.
func (f *applicationForm) Text(name, value string) {
	// Browsers end lines with two characters and count them as one.
	f.texts[name] = strings.ReplaceAll(value, "\r\n", "\n")
}

// File implements form.Handler. A file is taken only when the texts before it are in
// order, so that nothing is stored that nobody could apply with.
func (f *applicationForm) File(name, fileName string, r io.Reader) error {
	switch {
	case name != fieldEvidence || fileName == "": // browsers send an empty name for no file
		return nil
	case f.fileSent:
		f.rejectFile("apply.bad.one", "")
		return nil
	}
	f.fileSent = true
	if len(f.textErrors()) > 0 {
		return nil
	}
	counted := &countingReader{Reader: r}
	file, err := f.storeEvidence(counted, fileName)
	switch {
	case err == nil:
		f.evidence = &file
	case fault.Is(err, fault.Invalid) && counted.n > vault.MaxFile:
		f.rejectFile("apply.bad.large", "")
	case fault.Is(err, fault.Invalid):
		why, _ := fault.Message(err)
		f.rejectFile("apply.bad.file", why)
	default:
		return err
	}
	return nil
}

// rejectFile notes why there is no evidence.
func (f *applicationForm) rejectFile(text, why string) {
	f.fileSent, f.evidence, f.fileError = true, nil, errorText{text, why}
}

// countingReader counts what is read.
type countingReader struct {
	io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

// customTitle is a title that the institution does not offer, where it takes one.
func (f *applicationForm) customTitle() string {
	if !f.policy.FreeTitle {
		return ""
	}
	return vault.Clean(f.texts[fieldCustomTitle])
}

// draft is what the form says.
func (f *applicationForm) draft() vault.ApplicationDraft {
	return vault.ApplicationDraft{
		Content: vault.Content{Title: cmp.Or(f.customTitle(), f.texts[fieldTitle]), Name: f.texts[fieldName],
			Email: cmp.Or(f.accountEmail, f.texts[fieldEmail]), Details: f.texts[fieldDetails]}, Evidence: f.evidence,
	}.Clean()
}

// fieldError is what is wrong with a field; a field without a name is the whole form.
type fieldError struct {
	Field string
	errorText
}

// textErrors finds what is wrong with the texts.
func (f *applicationForm) textErrors() (found []fieldError) {
	wrong := map[string]bool{}
	for _, one := range fault.FieldsOf(f.policy.Check(f.draft())) {
		wrong[one.Name] = true
	}
	title := "apply.bad.choose"
	switch {
	case f.customTitle() != "" && vault.Clean(f.texts[fieldTitle]) != "":
		wrong["certificate_title"], title = true, "apply.bad.both"
	case f.policy.FreeTitle:
		title = "apply.bad.title"
	}
	for _, one := range []struct{ name, field, text string }{
		{"certificate_title", f.titleField(), title}, {"full_name", fieldName, "apply.bad.name"},
		{"applicant_email", fieldEmail, "signin.bad"}, {"details", fieldDetails, "apply.bad.details"},
	} {
		if wrong[one.name] {
			found = append(found, fieldError{one.field, errorText{key: one.text}})
		}
	}
	return found
}

// titleField is the field that the title comes from.
func (f *applicationForm) titleField() string {
	if len(f.policy.Titles) == 0 || f.customTitle() != "" {
		return fieldCustomTitle
	}
	return fieldTitle
}

// errors finds what is wrong with the form.
func (f *applicationForm) errors() []fieldError {
	found := f.textErrors()
	switch {
	case f.fileError.key != "":
		return append(found, fieldError{fieldEvidence, f.fileError})
	case f.fileSent && len(found) > 0:
		return append(found, f.fileAgain())
	case f.evidence == nil && !f.policy.EvidenceOptional:
		text := "apply.bad.evidence"
		if f.fileSent {
			text = "apply.bad.again"
		}
		return append(found, fieldError{fieldEvidence, errorText{key: text}})
	}
	return found
}

// fileAgain asks for the file once more: browsers do not keep it.
func (f *applicationForm) fileAgain() fieldError {
	return fieldError{fieldEvidence, errorText{key: "apply.bad.again"}}
}

// formErrors is something that no field can help.
func (f *applicationForm) formErrors(text string) []fieldError {
	found := []fieldError{{"", errorText{key: text}}}
	if f.fileSent {
		found = append(found, f.fileAgain())
	}
	return found
}

// applyData is the form as it is shown.
type applyData struct {
	Here, Account                            string
	Titles                                   []titleOption
	Free, Optional                           bool
	Own, Name, Email, Details, Why           string
	Complaints                               map[string]string // by field
	Problems                                 []shownError
	MaxText, MaxDetails, MaxAddress, MaxFile int
}

// titleOption is a title that the institution offers.
type titleOption struct {
	Title  string
	Chosen bool
}

// shownError is a problem in the words of the visitor's language.
type shownError struct{ Field, Text string }

func (p *applyPages) renderForm(w http.ResponseWriter, r *http.Request, status int, f *applicationForm, found []fieldError) {
	v := p.Layout.CurrentPageContext(r)
	s := applyData{
		Here: v.Link("/apply"), Account: f.accountEmail, Free: f.policy.FreeTitle, Optional: f.policy.EvidenceOptional,
		Own: f.typed(fieldCustomTitle), Name: f.typed(fieldName), Email: f.typed(fieldEmail), Details: f.typed(fieldDetails),
		Complaints: map[string]string{}, MaxText: vault.MaxName, MaxDetails: vault.MaxDetails, MaxAddress: vault.MaxEmail, MaxFile: vault.MaxFile,
	}
	for _, title := range f.policy.Titles {
		s.Titles = append(s.Titles, titleOption{title, title == vault.Clean(f.texts[fieldTitle]) || len(f.policy.Titles) == 1 && !f.policy.FreeTitle})
	}
	for _, one := range found {
		s.Problems = append(s.Problems, shownError{one.Field, v.T(one.key)})
		s.Complaints[one.Field] = v.T(one.key)
		s.Why = cmp.Or(s.Why, one.detail)
	}
	page := layout.Page{PageContext: v, Title: v.T("apply")}
	if len(found) > 0 {
		page.Title = v.T("apply.wrong", page.Title)
	}
	p.Layout.RenderPage(w, r, status, page, p.formPage, s)
}

// typed is a text as it can be shown again.
func (f *applicationForm) typed(field string) string {
	return strings.ToValidUTF8(f.texts[field], "\ufffd")
}
