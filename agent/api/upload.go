package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/agent/api/body"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/caller"
)

// Intake is the door that uploads go through.
type Intake interface {
	// Receive reads a document to its end. ErrTooLarge and ErrWrongType refuse it.
	Receive(r io.Reader, name string) (Incoming, error)
	// Room refuses a place for the code that a document does not have; RoomOf does so
	// for one that is stored.
	Room(d Incoming, p vault.Placement) error
	RoomOf(file vault.File, p vault.Placement) error
	// KeepFile stores a document for a later request, with the answer unless that
	// is nil.
	KeepFile(ctx context.Context, who vault.Institution, d Incoming,
		reply func(caller.Upload) (*caller.Reply, error)) (caller.Upload, error)
	// IssueOne accepts a certificate; IssueBatch accepts all of a batch or nothing.
	// A reply that is nil keeps no answer.
	IssueOne(ctx context.Context, who vault.Institution, draft vault.Draft, d Incoming,
		reply func([]vault.Certificate) (caller.Reply, error)) (vault.Certificate, []store.Refused, error)
	IssueBatch(ctx context.Context, who vault.Institution, batch vault.Batch, drafts []vault.Draft, uploads []string,
		reply func([]vault.Certificate) (caller.Reply, error)) ([]store.Refused, error)
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

// duplicate is the guide's text, step 4.
const duplicate = vault.DuplicateMessage

// largestUpload bounds the body of a request with a document: what is more than
// 20 MB is read to its end up to here, so that the client gets to read why it
// was refused.
const largestUpload = 3*vault.MaxFile + 1<<20

// documentForm is a form with one document.
type documentForm struct {
	texts  []string // fields that are kept
	file   string   // the document's field
	intake Intake

	fields   map[string]string
	wrong    []string // fields that hold no text
	document Incoming
	refused  error // why there is no document
	asText   bool  // the document's field held a text
}

// Wants tells whether a field is one of the form's.
func (f *documentForm) Wants(name string) bool {
	return name == f.file || slices.Contains(f.texts, name)
}

// Text keeps a value; of two with one name the last counts, as in PHP.
func (f *documentForm) Text(name, value string) {
	if name == f.file {
		f.asText = value != ""
		return
	}
	f.fields[name] = value
}

// File stages the document; of two the last counts.
func (f *documentForm) File(name, fileName string, r io.Reader) error {
	if name != f.file {
		f.wrong = append(f.wrong, name)
		return nil
	}
	f.discard()
	f.refused, f.asText = nil, false
	if fileName == "" {
		return nil // what browsers send for no file
	}
	d, err := f.intake.Receive(r, fileName)
	if errors.Is(err, ErrTooLarge) || errors.Is(err, ErrWrongType) {
		f.refused = err
		return nil
	}
	if err == nil {
		f.document = d
	}
	return err
}

func (f *documentForm) discard() {
	if f.document != nil {
		f.document.Discard()
		f.document = nil
	}
}

// said is what the form says, for telling one call from another.
func (f *documentForm) said() map[string]string {
	all := map[string]string{}
	for name, value := range f.fields {
		all["text "+name] = value
	}
	if f.document != nil {
		all["file"], all["file name"] = f.document.Describe().SHA256, f.document.Describe().Name
	}
	return all
}

// problems are what is wrong with the document.
func (f *documentForm) problems() []fault.Field {
	say := func(format string) []fault.Field {
		return []fault.Field{{Name: f.file, Message: fmt.Sprintf(format, strings.ReplaceAll(f.file, "_", " "))}}
	}
	switch {
	case errors.Is(f.refused, ErrTooLarge):
		return say("The %s field must not be greater than 20480 kilobytes.")
	case f.refused != nil:
		return say("The %s field must be a file of type: pdf, jpg, jpeg, png.")
	case f.document != nil:
		return nil
	case f.asText || slices.Contains(f.wrong, f.file):
		return say("The %s field must be a file.")
	}
	return say("The %s field is required.")
}

// readDocument reads a form with a document. Whatever it returns, the form's
// document is the caller's to discard.
func (a *API) readDocument(w http.ResponseWriter, r *http.Request, file string, texts ...string) (*documentForm, error) {
	f := &documentForm{texts: texts, file: file, intake: a.Intake, fields: map[string]string{}}
	if r.ContentLength > largestUpload {
		return f, body.ErrTooLarge
	}
	defer body.Bound(w, r, largestUpload, body.DefaultPace())()
	handled, err := body.ReadForm(r, f)
	if err == nil && !handled {
		f.wrong, err = body.ReadObject(r.Body, f, groupQR)
	}
	return f, err
}

// uploadOne issues one certificate (guide, step 4).
func (a *API) uploadOne(w http.ResponseWriter, r *http.Request, who Caller) error {
	release, err := a.slots.Take(r.Context())
	if err != nil {
		return err
	}
	defer release()
	k, err := a.begin(r, who)
	if err != nil {
		return err
	}
	defer k.end()
	form, err := a.readDocument(w, r, "certificate_file", append(placementFields(),
		"certificate_title", "full_name", "applicant_email", "issue_date", "details")...)
	defer form.discard()
	if err != nil {
		return err
	}
	if done, err := k.replay(w, r, form.said()); done || err != nil {
		return err
	}
	institution, err := a.institution(who)
	if err != nil {
		return err
	}
	draft := a.draft(institution, form.fields)
	draft.Trigger = vault.SingleUpload
	if form.document != nil {
		draft.File = form.document.Describe()
	}
	placed, misplaced, err := a.place(form)
	if err != nil {
		return err
	}
	draft.Placement = placed
	bad := slices.Concat(draftProblems(draft, form.wrong, ""), form.problems(), misplaced)
	if err := fault.InvalidFields(bad); err != nil {
		return err
	}
	return a.issueOne(w, r, institution, k, draft, form.document)
}

func (a *API) issueOne(w http.ResponseWriter, r *http.Request, institution vault.Institution, k *keyed, draft vault.Draft, d Incoming) error {
	answer := func(c vault.Certificate) ([]byte, error) {
		return json.Marshal(made[client.Certificate]{"Vault certificate uploaded successfully", a.shape(c)})
	}
	var reply func([]vault.Certificate) (caller.Reply, error)
	if k.name.Key != "" {
		reply = func(all []vault.Certificate) (caller.Reply, error) {
			raw, err := answer(all[0])
			return k.reply(http.StatusCreated, raw), err
		}
	}
	c, refused, err := a.Intake.IssueOne(r.Context(), institution, draft, d, reply)
	if err != nil {
		return err
	}
	if len(refused) > 0 {
		return fault.InvalidFields([]fault.Field{{Name: "applicant_email", Message: duplicate}})
	}
	a.Wake()
	raw, err := answer(c)
	if err == nil {
		respondRaw(w, http.StatusCreated, raw)
	}
	return err
}

// made is the answer to a call that made something.
type made[T any] struct {
	Message string `json:"message"`
	Data    T      `json:"data"`
}

// uploadFile stores a document for a bulk request (guide, step 5a).
func (a *API) uploadFile(w http.ResponseWriter, r *http.Request, who Caller) error {
	release, err := a.slots.Take(r.Context())
	if err != nil {
		return err
	}
	defer release()
	k, err := a.begin(r, who)
	if err != nil {
		return err
	}
	defer k.end()
	form, err := a.readDocument(w, r, "file")
	defer form.discard()
	if err != nil {
		return err
	}
	if done, err := k.replay(w, r, form.said()); done || err != nil {
		return err
	}
	institution, err := a.institution(who)
	if err != nil {
		return err
	}
	if err := fault.InvalidFields(form.problems()); err != nil {
		return err
	}
	var raw []byte
	_, err = a.Intake.KeepFile(r.Context(), institution, form.document, func(u caller.Upload) (*caller.Reply, error) {
		raw, err = json.Marshal(made[client.UploadedFile]{"File uploaded successfully", client.UploadedFile{
			FileID: u.ID, Name: u.File.Name, MIME: form.document.MIME(), Size: u.File.Size}})
		if err != nil || k.name.Key == "" {
			return nil, err
		}
		reply := k.reply(http.StatusCreated, raw)
		return &reply, nil
	})
	if err != nil {
		return err
	}
	respondRaw(w, http.StatusCreated, raw)
	return nil
}

// institution is the caller's.
func (a *API) institution(who Caller) (vault.Institution, error) {
	i, ok := a.Institution(who.institution)
	if !ok {
		return i, fault.Newf(fault.Damaged, "institution %d of a token is missing from the home", who.institution)
	}
	return i, nil
}

// draft makes a draft of a request's fields. The date defaults to today, where
// the institution is.
func (a *API) draft(institution vault.Institution, fields map[string]string) vault.Draft {
	d := vault.Draft{
		Title: fields["certificate_title"], Name: fields["full_name"], Email: fields["applicant_email"], Details: fields["details"],
	}.Clean()
	d.IssueDate = vault.Date(cmp.Or(strings.TrimSpace(fields["issue_date"]), string(institution.Today(a.Now()))))
	return d
}

// draftProblems are what is wrong with a draft's fields but its document. The
// prefix stands before the fields of an entry, which are called by their names.
func draftProblems(d vault.Draft, wrong []string, prefix string) []fault.Field {
	var bad []fault.Field
	label := func(field string) string {
		if prefix != "" {
			return prefix + field
		}
		return strings.ReplaceAll(field, "_", " ")
	}
	for _, name := range wrong {
		if name != "certificate_file" && !slices.Contains(placementFields(), name) {
			bad = append(bad, fault.Field{Name: prefix + name, Message: "The " + label(name) + " field must be a string."})
		}
	}
	for _, f := range fault.FieldsOf(d.Validate()) {
		if f.Name == "certificate_file" || slices.Contains(wrong, f.Name) {
			continue
		}
		plain := strings.ReplaceAll(f.Name, "_", " ")
		bad = append(bad, fault.Field{Name: prefix + f.Name,
			Message: strings.Replace(f.Message, "The "+plain+" field", "The "+label(f.Name)+" field", 1)})
	}
	return bad
}
