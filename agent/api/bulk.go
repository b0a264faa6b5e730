package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/vecctl/vecctl/agent/api/form"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// maxBulkBody bounds a bulk request: 10,000 entries with every field at its
// longest, in an alphabet of three bytes a letter.
const maxBulkBody = 96 << 20

// entryFields are those of one entry (guide, step 5b), and ours.
func entryFields() []string {
	return slices.Concat(vault.Keys(), []string{"file_id"}, form.PlacementFields())
}

// bulk issues a batch of uploaded files: all of its entries or none.
func (a *API) bulk(w http.ResponseWriter, r *http.Request, who Caller) error {
	k, err := a.beginUpload(r, who, slotsFor(r, maxBulkBody))
	if err != nil {
		return err
	}
	defer k.end()
	entries, err := a.readEntries(w, r)
	if err != nil {
		return err
	}
	if done, err := k.replay(w, r, fingerprintFields(entries)); done || err != nil {
		return err
	}
	institution, err := a.institution(who)
	if err != nil {
		return err
	}
	o := &bulkRequest{entries: entries, fieldErrors: make([][]fault.Field, len(entries)), fileIDs: make([]string, len(entries))}
	for _, e := range entries {
		d := a.newDraft(institution, e.Fields)
		d.Trigger = vault.BulkUpload
		o.drafts = append(o.drafts, d)
	}
	if err := a.validate(r, institution, o); err != nil {
		return err
	}
	return a.issueBatch(w, r, institution, k, o)
}

// readEntries reads the request; what is wrong with it as a whole is a complaint
// about the field "entries".
func (a *API) readEntries(w http.ResponseWriter, r *http.Request) ([]form.Entry, error) {
	if r.ContentLength > maxBulkBody {
		return nil, form.ErrBodyTooLarge
	}
	defer form.LimitBody(w, r, maxBulkBody, form.DefaultReadRate())()
	entries, err := form.ReadEntries(r, entryFields(), form.PlacementField)
	entriesError := func(message string) error {
		return fault.InvalidFields([]fault.Field{{Name: "entries", Message: message}})
	}
	switch {
	case errors.Is(err, form.ErrNoEntries):
		return nil, entriesError("The entries field is required.")
	case errors.Is(err, form.ErrNotArray):
		return nil, entriesError("The entries field must be an array.")
	case errors.Is(err, form.ErrTooManyEntries):
		return nil, entriesError(fmt.Sprintf("The entries field must not have more than %d items.", form.MaxEntries))
	}
	return entries, err
}

func fingerprintFields(entries []form.Entry) map[string]string {
	fields := map[string]string{}
	for i, e := range entries {
		for name, value := range e.Fields {
			fields[fmt.Sprintf("%d %s %s", i, e.Key, name)] = value
		}
	}
	return fields
}

// bulkRequest is a bulk request on its way: what stands at one place of its lists
// belongs together.
type bulkRequest struct {
	entries     []form.Entry
	drafts      []vault.Draft
	fileIDs     []string // file IDs
	fieldErrors [][]fault.Field
}

// addError notes what is wrong with a field of an entry; %s is the field's name.
func (o *bulkRequest) addError(i int, field, format string) {
	name := "entries." + o.entries[i].Key + "." + field
	message := format
	if strings.Contains(format, "%s") {
		message = fmt.Sprintf(format, name)
	}
	o.fieldErrors[i] = append(o.fieldErrors[i], fault.Field{Name: name, Message: message})
}

// err names everything that is wrong, in the order of the entries.
func (o *bulkRequest) err() error {
	var all []fault.Field
	for _, bad := range o.fieldErrors {
		all = append(all, bad...)
	}
	return fault.InvalidFields(all)
}

// validate finds everything that is wrong with a request's entries.
func (a *API) validate(r *http.Request, institution vault.Institution, o *bulkRequest) error {
	held, err := a.Uploads.Claim(r.Context(), institution, o.drafts)
	if err != nil {
		return err
	}
	seen := map[vault.Key]bool{}
	for i, e := range o.entries {
		prefix := "entries." + e.Key + "."
		if !e.IsObject {
			o.fieldErrors[i] = []fault.Field{{Name: "entries." + e.Key, Message: "The entries." + e.Key + " field must be an array."}}
			continue
		}
		o.fieldErrors[i] = validateDraft(o.drafts[i], withoutName(e.NotText, "file_id"), prefix)
		refusal, err := a.Uploads.ErasedRefusal(institution, o.drafts[i].Email)
		if err != nil {
			return err
		}
		if refusal != "" {
			o.addError(i, "applicant_email", refusal)
		}
		key := o.drafts[i].Key()
		if len(o.fieldErrors[i]) == 0 && (seen[key] || held[i]) {
			o.addError(i, "applicant_email", duplicateMessage)
		}
		seen[key] = true
	}
	if err := a.checkFiles(r, institution, o); err != nil {
		return err
	}
	if err := a.readPlacements(r.Context(), institution, o); err != nil {
		return err
	}
	return o.err()
}

func withoutName(names []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == one })
}

// checkFiles finds the uploads that entries name. One of another institution is
// no different from one that never was.
func (a *API) checkFiles(r *http.Request, institution vault.Institution, o *bulkRequest) error {
	for i, e := range o.entries {
		id := strings.ToLower(strings.TrimSpace(e.Fields["file_id"]))
		parsed, err := uuid.Parse(id)
		switch {
		case !e.IsObject:
		case len(e.NotText) > len(withoutName(e.NotText, "file_id")):
			o.addError(i, "file_id", "The %s field must be a string.")
		case id == "":
			o.addError(i, "file_id", "The %s field is required.")
		case err != nil || parsed.String() != id:
			o.addError(i, "file_id", "The %s field must be a valid UUID.")
		default:
			o.fileIDs[i] = id
		}
	}
	found, err := a.Store.Uploads(r.Context(), institution.ID, o.fileIDs)
	if err != nil {
		return err
	}
	used := map[string]bool{}
	for i, u := range found {
		switch id := o.fileIDs[i]; {
		case id == "":
		case u == nil || !u.Usable(a.Now()):
			o.addError(i, "file_id", "The selected %s is invalid.")
		case used[id]:
			o.addError(i, "file_id", "The %s field has a duplicate value.")
		default:
			used[id] = true
			o.drafts[i].File = u.File
		}
	}
	return nil
}

// issueBatch submits a checked request. What another request took meanwhile
// refuses it still.
func (a *API) issueBatch(w http.ResponseWriter, r *http.Request, institution vault.Institution, k *idempotentCall, o *bulkRequest) error {
	now := a.Now()
	id, err := vault.NewUUID(a.Random, now)
	if err != nil {
		return err
	}
	batch := vault.Batch{
		ID: id, Institution: institution.ID, Trigger: vault.BulkUpload, Total: len(o.drafts), CreatedAt: now,
		Name: fmt.Sprintf("%s-api-%s", institution.Today(now), id[len(id)-12:]),
	}
	for i := range o.drafts {
		o.drafts[i].Batch = id
	}
	raw, err := json.Marshal(createdBody[client.BulkAccepted]{"Bulk vault upload queued for processing",
		client.BulkAccepted{BatchID: id, Total: len(o.drafts), Status: string(vault.Processing)}})
	if err != nil {
		return err
	}
	var reply func([]vault.Certificate) (apiaccess.StoredResponse, error)
	if k.key.Key != "" {
		reply = func([]vault.Certificate) (apiaccess.StoredResponse, error) {
			return k.storedResponse(http.StatusAccepted, raw), nil
		}
	}
	refused, err := a.Uploads.IssueBatch(r.Context(), institution, batch, o.drafts, o.fileIDs, reply)
	if err != nil {
		return err
	}
	if len(refused) > 0 {
		return o.addConflicts(refused)
	}
	a.Work.Wake()
	writeRawJSON(w, http.StatusAccepted, raw)
	return nil
}

// addConflicts names what the store refused.
func (o *bulkRequest) addConflicts(refused []store.Conflict) error {
	for _, one := range refused {
		if one.Duplicate {
			o.addError(one.Row, "applicant_email", duplicateMessage)
		} else {
			o.addError(one.Row, "file_id", "The selected %s is invalid.")
		}
	}
	return o.err()
}
