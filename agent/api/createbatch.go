package api

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vecctl/vecctl/agent/api/form"
	"github.com/vecctl/vecctl/agent/batch"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The headings of VEC.digital's tables, and the date in them.
const (
	recipientEmail = "RecipientsEmail"
	recipientName  = "RecipientsName"
	issueDate      = "IssueDate"
	tableDate      = "DD-MM-YYYY"
)

// maxTableComplaints is how many rows a refusal names.
const maxTableComplaints = 100

// createBatch issues a table with a template, as VEC.digital's reference has it: all of its
// rows or none. The same table under the same name is the same batch, so that the call can be
// repeated.
func (a *API) createBatch(w http.ResponseWriter, r *http.Request, who Caller) error {
	k, err := a.beginUpload(r, who, slotsFor(r, form.MaxTable))
	if err != nil {
		return err
	}
	defer k.end()
	f, err := form.ReadBatch(w, r)
	if err != nil {
		return err
	}
	institution, err := a.institution(who)
	if err != nil {
		return err
	}
	o, bad, err := a.readTable(institution, f)
	if err != nil {
		return err
	}
	if err := fault.InvalidFields(bad); err != nil {
		return err
	}
	o.Institution, o.Trigger, o.Progress = institution, vault.BulkUpload, func(client.Progress) {}
	if o.Bulk.Files, err = os.MkdirTemp("", "vecctl-batch-*"); err != nil { // no row brings a document
		return fsutil.DiskError(err, "making a folder for a batch")
	}
	defer os.RemoveAll(o.Bulk.Files)
	made, err := a.issueTable(r.Context(), o)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, createdBody[client.Batch]{"Batch created successfully", batchToAPI(made)})
}

// issueTable checks a table and issues it.
func (a *API) issueTable(ctx context.Context, o batch.Request) (vault.Batch, error) {
	o.Bulk.DryRun = true
	found, _, err := a.Batches.Issue(ctx, o)
	if fault.Is(err, fault.Invalid) {
		message, _ := fault.Message(err)
		return vault.Batch{}, tableError(message)
	}
	if err != nil {
		return vault.Batch{}, err
	}
	sum := sha256.Sum256(o.Bulk.Manifest)
	_, err = a.Store.FindBatch(ctx, o.Institution.ID, hex.EncodeToString(sum[:]))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return vault.Batch{}, err
	}
	if err := tableErrors(found, err == nil); err != nil {
		return vault.Batch{}, err
	}
	o.Bulk.DryRun, o.Bulk.NoWait = false, true
	// A caller who goes away leaves no half of a batch.
	report, made, err := a.Batches.Issue(context.WithoutCancel(ctx), o)
	if err == nil {
		err = tableErrors(report, true) // of what happened since
	}
	if err != nil {
		return made, err
	}
	return a.Store.Batch(ctx, o.Institution.ID, made.ID)
}

// tableErrors are the rows that keep a table from being issued; again says that it was
// submitted before, so that its certificates may exist.
func tableErrors(report client.BulkReport, again bool) error {
	var bad []fault.Field
	for _, row := range report.Rows {
		message := row.Error
		if row.Status != client.RowRejected {
			if again || row.UUID == "" {
				continue
			}
			message = fmt.Sprintf("row %d: %s", row.Row, duplicateMessage)
		}
		if len(bad) < maxTableComplaints {
			bad = append(bad, fault.Field{Name: "csv_file", Message: message})
		}
	}
	if len(report.Rows) == 0 {
		return tableError("The csv file field must have at least one row.")
	}
	return fault.InvalidFields(bad)
}

func tableError(message string) error {
	return fault.InvalidFields([]fault.Field{{Name: "csv_file", Message: message}})
}

// readTable makes an order of a form: VEC.digital's headings feed our fields, and the batch's
// name is the title of certificates that have none.
func (a *API) readTable(user vault.Institution, f *form.Batch) (o batch.Request, bad []fault.Field, err error) {
	if bad = append(f.Errors(), nameErrors(f.Fields["name"])...); len(bad) > 0 {
		return o, bad, nil
	}
	known, err := a.Templates.For(user).Templates()
	if err != nil {
		return o, nil, err
	}
	name, template := vault.Clean(f.Fields["name"]), f.Fields["template_id"]
	if !slices.ContainsFunc(known, func(t client.Template) bool { return t.ID == template }) {
		bad = append(bad, fault.Field{Name: "template_id", Message: "The selected template id is invalid."})
	}
	table, headings, err := convertTable(f.Table, name)
	if err != nil {
		message, _ := fault.Message(err)
		return o, append(bad, fault.Field{Name: "csv_file", Message: message}), nil
	}
	o.Name, o.Bulk = name, adminclient.BulkRequest{Name: name + ".csv", Manifest: table, Template: template,
		Delimiter: ",", Encoding: "utf-8", DateFormat: tableDate, Map: headings}
	return o, bad, nil
}

// nameErrors are what is wrong with the name of a batch, which also names a folder.
func nameErrors(name string) []fault.Field {
	const longest = 100
	message := ""
	switch {
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`<>:"/\|?*`, r)
	}) || strings.Trim(name, ". ") != name:
		message = `The name field must not contain < > : " / \ | ? * or invisible characters, nor begin or end with a point.`
	case utf8.RuneCountInString(name) > longest:
		message = fmt.Sprintf("The name field must not be greater than %d characters.", longest)
	default:
		return nil
	}
	return []fault.Field{{Name: "name", Message: message}}
}

// convertTable returns a table with a column for the title, and what its headings mean.
func convertTable(raw []byte, title string) (table []byte, headings map[string]string, err error) {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if !utf8.Valid(raw) {
		return nil, nil, fault.New(fault.Invalid, "The csv file field must be UTF-8 text.")
	}
	in := csv.NewReader(bytes.NewReader(raw))
	in.FieldsPerRecord = -1
	heads, err := in.Read()
	if err != nil {
		return nil, nil, unreadableTable(err)
	}
	for i := range heads {
		heads[i] = strings.TrimSpace(heads[i])
	}
	headings = map[string]string{
		recipientEmail: vault.FieldEmail.Field().Key, recipientName: vault.FieldName.Field().Key, issueDate: vault.FieldIssueDate.Field().Key}
	for _, needed := range []string{recipientEmail, recipientName} {
		if !slices.Contains(heads, needed) {
			return nil, nil, fault.Newf(fault.Invalid, "The csv file field must have the headings %s and %s in its first line, separated by commas.", recipientEmail, recipientName)
		}
	}
	if !slices.Contains(heads, issueDate) {
		delete(headings, issueDate)
	}
	titleKey := vault.FieldTitle.Field().Key
	titled := slices.Index(heads, titleKey)
	for _, h := range heads {
		ours := slices.Contains(vault.Keys(), h) && !slices.Contains(slices.Collect(maps.Values(headings)), h)
		if headings[h] == "" && h != "" && !ours {
			headings[h] = "-" // data for the template
		}
	}
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	rows := 0
	for line := heads; err == nil; line, err = in.Read() {
		switch {
		case rows == 0 && titled < 0:
			line = append([]string{titleKey}, line...)
		case titled < 0:
			line = append([]string{title}, line...)
		case rows > 0 && titled < len(line):
			line[titled] = cmp.Or(strings.TrimSpace(line[titled]), title)
		}
		if rows++; rows > form.MaxEntries+1 {
			return nil, nil, fault.Newf(fault.Invalid, "The csv file field must not have more than %d rows.", form.MaxEntries)
		}
		if err := out.Write(line); err != nil {
			return nil, nil, err
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, nil, unreadableTable(err)
	}
	out.Flush()
	return b.Bytes(), headings, out.Error()
}

func unreadableTable(err error) error {
	return fault.Newf(fault.Invalid, "The csv file field must be a table with commas: %v.", err)
}
