package api

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/agent/api/form"
	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// duplicateMessage is the guide's text, step 4.
const duplicateMessage = vault.DuplicateMessage

// uploadOne issues one certificate (guide, step 4).
func (a *API) uploadOne(w http.ResponseWriter, r *http.Request, who Caller) error {
	k, err := a.beginUpload(r, who, 1)
	if err != nil {
		return err
	}
	defer k.end()
	f, err := form.ReadUpload(w, r, a.Uploads, "certificate_file", append(form.PlacementFields(), vault.Keys()...)...)
	defer f.Discard()
	if err != nil {
		return err
	}
	if done, err := k.replay(w, r, f.FingerprintFields()); done || err != nil {
		return err
	}
	institution, err := a.institution(who)
	if err != nil {
		return err
	}
	draft := a.newDraft(institution, f.Fields)
	draft.Trigger = vault.SingleUpload
	if f.Upload != nil {
		draft.File = f.Upload.File
	}
	placed, misplaced, err := a.readPlacement(institution, f)
	if err != nil {
		return err
	}
	draft.Placement = placed
	bad := slices.Concat(validateDraft(draft, f.NotText, ""), f.FileErrors(), misplaced)
	refusal, err := a.Uploads.ErasedRefusal(institution, draft.Email)
	if err != nil {
		return err
	}
	if refusal != "" {
		bad = append(bad, fault.Field{Name: "applicant_email", Message: refusal})
	}
	if err := fault.InvalidFields(bad); err != nil {
		return err
	}
	return a.issueOne(w, r, who, institution, k, draft, f.Upload)
}

func (a *API) issueOne(w http.ResponseWriter, r *http.Request, who Caller, institution vault.Institution, k *idempotentCall, draft vault.Draft, d *intake.Document) error {
	answer := func(c vault.Certificate) ([]byte, error) {
		return json.Marshal(createdBody[client.Certificate]{"Vault certificate uploaded successfully", a.toAPI(who, c)})
	}
	var reply func([]vault.Certificate) (apiaccess.StoredResponse, error)
	if k.key.Key != "" {
		reply = func(all []vault.Certificate) (apiaccess.StoredResponse, error) {
			raw, err := answer(all[0])
			return k.storedResponse(http.StatusCreated, raw), err
		}
	}
	c, refused, err := a.Uploads.IssueOne(r.Context(), institution, draft, d, reply)
	if err != nil {
		return err
	}
	if len(refused) > 0 {
		return fault.InvalidFields([]fault.Field{{Name: "applicant_email", Message: duplicateMessage}})
	}
	a.Work.Wake()
	raw, err := answer(c)
	if err == nil {
		writeRawJSON(w, http.StatusCreated, raw)
	}
	return err
}

// createdBody is the answer to a call that made something.
type createdBody[T any] struct {
	Message string `json:"message"`
	Data    T      `json:"data"`
}

// uploadFile stores a document for a bulk request (guide, step 5a).
func (a *API) uploadFile(w http.ResponseWriter, r *http.Request, who Caller) error {
	k, err := a.beginUpload(r, who, 1)
	if err != nil {
		return err
	}
	defer k.end()
	f, err := form.ReadUpload(w, r, a.Uploads, "file")
	defer f.Discard()
	if err != nil {
		return err
	}
	if done, err := k.replay(w, r, f.FingerprintFields()); done || err != nil {
		return err
	}
	institution, err := a.institution(who)
	if err != nil {
		return err
	}
	if err := fault.InvalidFields(f.FileErrors()); err != nil {
		return err
	}
	var raw []byte
	_, err = a.Uploads.KeepFile(r.Context(), institution, f.Upload, func(u apiaccess.Upload) (*apiaccess.StoredResponse, error) {
		raw, err = json.Marshal(createdBody[client.UploadedFile]{"File uploaded successfully", client.UploadedFile{
			FileID: u.ID, Name: u.File.Name, MIME: f.Upload.MIME(), Size: u.File.Size}})
		if err != nil || k.key.Key == "" {
			return nil, err
		}
		reply := k.storedResponse(http.StatusCreated, raw)
		return &reply, nil
	})
	if err != nil {
		return err
	}
	writeRawJSON(w, http.StatusCreated, raw)
	return nil
}

// institution is the caller's.
func (a *API) institution(who Caller) (vault.Institution, error) {
	i, ok := a.Institutions.ByID(who.institution)
	if !ok {
		return i, fault.Newf(fault.Damaged, "institution %d of a token is missing from the home", who.institution)
	}
	return i, nil
}

// newDraft makes a draft of a request's fields. The date defaults to today, where
// the institution is.
func (a *API) newDraft(institution vault.Institution, fields map[string]string) vault.Draft {
	var d vault.Draft
	for _, f := range vault.Fields() {
		f.Set(&d.Content, fields[f.Key])
	}
	d = d.Clean()
	d.IssueDate = cmp.Or(vault.Date(strings.TrimSpace(string(d.IssueDate))), institution.Today(a.Now()))
	d.ExpiryDate = vault.Date(strings.TrimSpace(string(d.ExpiryDate)))
	d.ResolveTerm()
	return d
}

// validateDraft are what is wrong with a draft's fields but its document. The
// prefix stands before the fields of an entry, which are called by their names.
func validateDraft(d vault.Draft, wrong []string, prefix string) []fault.Field {
	var bad []fault.Field
	label := func(field string) string {
		if prefix != "" {
			return prefix + field
		}
		return strings.ReplaceAll(field, "_", " ")
	}
	for _, name := range wrong {
		if name != "certificate_file" && !slices.Contains(form.PlacementFields(), name) {
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
