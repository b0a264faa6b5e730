package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/vecctl/vecctl/agent/api/body"
	"github.com/vecctl/vecctl/agent/api/placing"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// largestBulk bounds a bulk request: 10,000 entries with every field at its
// longest, in an alphabet of three bytes a letter.
const largestBulk = 96 << 20

// entryFields are those of one entry (guide, step 5b), and ours.
func entryFields() []string {
	return append([]string{"certificate_title", "full_name", "applicant_email", "file_id", "issue_date", "details"}, placing.Fields()...)
}

// bulk issues a batch of uploaded files: all of its entries or none.
func (a *API) bulk(w http.ResponseWriter, r *http.Request, who Caller) error {
	k, err := a.begin(r, who)
	if err != nil {
		return err
	}
	defer k.end()
	entries, err := a.readEntries(w, r)
	if err != nil {
		return err
	}
	if done, err := k.replay(w, r, entriesSaid(entries)); done || err != nil {
		return err
	}
	institution, err := a.institution(who)
	if err != nil {
		return err
	}
	o := &order{entries: entries, bad: make([][]fault.Field, len(entries)), ids: make([]string, len(entries))}
	for _, e := range entries {
		d := a.draft(institution, e.Fields)
		d.Trigger = vault.BulkUpload
		o.drafts = append(o.drafts, d)
	}
	if err := a.check(r, institution, o); err != nil {
		return err
	}
	return a.issueBatch(w, r, institution, k, o)
}

// readEntries reads the request; what is wrong with it as a whole is a complaint
// about the field "entries".
func (a *API) readEntries(w http.ResponseWriter, r *http.Request) ([]body.Entry, error) {
	if r.ContentLength > largestBulk {
		return nil, body.ErrTooLarge
	}
	defer body.Bound(w, r, largestBulk, body.DefaultPace())()
	entries, err := body.ReadEntries(r, entryFields(), placing.Group)
	say := func(message string) error {
		return fault.InvalidFields([]fault.Field{{Name: "entries", Message: message}})
	}
	switch {
	case errors.Is(err, body.ErrNoEntries):
		return nil, say("The entries field is required.")
	case errors.Is(err, body.ErrNotArray):
		return nil, say("The entries field must be an array.")
	case errors.Is(err, body.ErrTooMany):
		return nil, say(fmt.Sprintf("The entries field must not have more than %d items.", body.MaxEntries))
	}
	return entries, err
}

func entriesSaid(entries []body.Entry) map[string]string {
	said := map[string]string{}
	for i, e := range entries {
		for name, value := range e.Fields {
			said[fmt.Sprintf("%d %s %s", i, e.Key, name)] = value
		}
	}
	return said
}

// order is a bulk request on its way: what stands at one place of its lists
// belongs together.
type order struct {
	entries []body.Entry
	drafts  []vault.Draft
	ids     []string // file IDs
	bad     [][]fault.Field
}

// complain notes what is wrong with a field of an entry; %s is the field's name.
func (o *order) complain(i int, field, format string) {
	name := "entries." + o.entries[i].Key + "." + field
	message := format
	if strings.Contains(format, "%s") {
		message = fmt.Sprintf(format, name)
	}
	o.bad[i] = append(o.bad[i], fault.Field{Name: name, Message: message})
}

// err names everything that is wrong, in the order of the entries.
func (o *order) err() error {
	var all []fault.Field
	for _, bad := range o.bad {
		all = append(all, bad...)
	}
	return fault.InvalidFields(all)
}

// check finds everything that is wrong with a request's entries.
func (a *API) check(r *http.Request, institution vault.Institution, o *order) error {
	seen := map[vault.Key]bool{}
	keys := make([]vault.Key, len(o.drafts))
	for i, e := range o.entries {
		prefix := "entries." + e.Key + "."
		if !e.Object {
			o.bad[i] = []fault.Field{{Name: "entries." + e.Key, Message: "The entries." + e.Key + " field must be an array."}}
			continue
		}
		o.bad[i] = draftProblems(o.drafts[i], without(e.Wrong, "file_id"), prefix)
		keys[i] = o.drafts[i].Key()
		if len(o.bad[i]) == 0 && seen[keys[i]] {
			o.complain(i, "applicant_email", duplicate)
		}
		seen[keys[i]] = true
	}
	holders, err := a.Vault.KeyHolders(r.Context(), institution.ID, keys)
	if err != nil {
		return err
	}
	for i, holder := range holders {
		if holder != nil && len(o.bad[i]) == 0 {
			o.complain(i, "applicant_email", duplicate)
		}
	}
	if err := a.checkFiles(r, institution, o); err != nil {
		return err
	}
	if err := a.placeAll(r.Context(), o); err != nil {
		return err
	}
	return o.err()
}

func without(names []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == one })
}

// checkFiles finds the uploads that entries name. One of another institution is
// no different from one that never was.
func (a *API) checkFiles(r *http.Request, institution vault.Institution, o *order) error {
	for i, e := range o.entries {
		id := strings.ToLower(strings.TrimSpace(e.Fields["file_id"]))
		parsed, err := uuid.Parse(id)
		switch {
		case !e.Object:
		case len(e.Wrong) > len(without(e.Wrong, "file_id")):
			o.complain(i, "file_id", "The %s field must be a string.")
		case id == "":
			o.complain(i, "file_id", "The %s field is required.")
		case err != nil || parsed.String() != id:
			o.complain(i, "file_id", "The %s field must be a valid UUID.")
		default:
			o.ids[i] = id
		}
	}
	found, err := a.Vault.Uploads(r.Context(), institution.ID, o.ids)
	if err != nil {
		return err
	}
	used := map[string]bool{}
	for i, u := range found {
		switch id := o.ids[i]; {
		case id == "":
		case u == nil || !u.Usable(a.Now()):
			o.complain(i, "file_id", "The selected %s is invalid.")
		case used[id]:
			o.complain(i, "file_id", "The %s field has a duplicate value.")
		default:
			used[id] = true
			o.drafts[i].File = u.File
		}
	}
	return nil
}

// issueBatch hands a checked request in. What another request took meanwhile
// refuses it still.
func (a *API) issueBatch(w http.ResponseWriter, r *http.Request, institution vault.Institution, k *keyed, o *order) error {
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
	raw, err := json.Marshal(made[client.BulkAccepted]{"Bulk vault upload queued for processing",
		client.BulkAccepted{BatchID: id, Total: len(o.drafts), Status: string(vault.Processing)}})
	if err != nil {
		return err
	}
	var reply func([]vault.Certificate) (apiaccess.StoredResponse, error)
	if k.name.Key != "" {
		reply = func([]vault.Certificate) (apiaccess.StoredResponse, error) {
			return k.reply(http.StatusAccepted, raw), nil
		}
	}
	refused, err := a.Intake.IssueBatch(r.Context(), institution, batch, o.drafts, o.ids, reply)
	if err != nil {
		return err
	}
	if len(refused) > 0 {
		return o.late(refused)
	}
	a.Wake()
	respondRaw(w, http.StatusAccepted, raw)
	return nil
}

// late names what the store refused.
func (o *order) late(refused []store.Conflict) error {
	for _, one := range refused {
		if one.Duplicate {
			o.complain(one.Row, "applicant_email", duplicate)
		} else {
			o.complain(one.Row, "file_id", "The selected %s is invalid.")
		}
	}
	return o.err()
}
