package clienttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/vecctl/vecctl/pkg/vault"
)

const (
	defaultPerPage = 15
	maxPerPage     = 100
)

// listVault answers a page of the vault's certificates.
func (s *Server) listVault(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls["list"]++
	q := r.URL.Query()
	page, pageOK := number(r, "page", 1, 1<<30)
	perPage, perPageOK := number(r, "per_page", defaultPerPage, maxPerPage)
	known := []string{"", "pending", "processing", "failed", "revoked", s.dialect.finished()}
	if !pageOK || !perPageOK || !slices.Contains(known, q.Get("status")) {
		answer(w, http.StatusUnprocessableEntity, map[string]any{"message": "The selected status is invalid.",
			"errors": map[string]any{"status": []string{"The selected status is invalid."}}})
		return
	}
	if s.faults.InsertWhileReading && page > 1 {
		s.add(vault.Content{Title: "Other", Name: "Other", Email: fmt.Sprintf("other%d@example.net", s.made), IssueDate: "2026-01-01"}, "")
	}
	var found []*record
	for _, one := range s.all {
		if one.hide > 0 {
			one.hide--
			continue
		}
		if one.process > 0 {
			one.process--
		}
		if s.matches(one, r) {
			found = append(found, one)
		}
	}
	if !s.faults.OldestFirst {
		slices.Reverse(found)
	}
	s.answerPage(w, r, page, perPage, found, func(one *record) any { return s.dialect.certificate(one, s.faults, false) })
}

func (s *Server) matches(one *record, r *http.Request) bool {
	q := r.URL.Query()
	status, email, search, batch := q.Get("status"), q.Get("applicant_email"), q.Get("search"), q.Get("batch_id")
	return (status == "" || one.status(s.dialect.finished()) == status) &&
		(email == "" || strings.EqualFold(one.email, email)) &&
		(search == "" || contains(one.name, search) || contains(one.email, search) || contains(one.title, search) || contains(one.ref, search)) &&
		(batch == "" || s.faults.NoBatch || !s.dialect.filtersBatch() || one.batch == batch)
}

// answerPage answers a page of records; one that breaks off where the switch says so.
func (s *Server) answerPage(w http.ResponseWriter, r *http.Request, page, perPage int, found []*record, show func(*record) any) {
	first := min((page-1)*perPage, len(found))
	data := []any{}
	for _, one := range found[first:min(first+perPage, len(found))] {
		data = append(data, show(one))
	}
	body := s.dialect.list(s.URL+r.URL.Path, page, perPage, len(found), data)
	if s.faults.PlainLists {
		if data = data[:0]; page == 1 {
			for _, one := range found {
				data = append(data, show(one))
			}
		}
		body = data
	}
	if !take(&s.faults.CutLists) {
		answer(w, http.StatusOK, body)
		return
	}
	raw, _ := json.Marshal(body)
	w.Header().Set("Content-Length", strconv.Itoa(len(raw)))
	_, _ = w.Write(raw[:len(raw)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func (s *Server) listAll(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page, _ := number(r, "page", 1, 1<<30)
	perPage, _ := number(r, "per_page", defaultPerPage, maxPerPage)
	var found []*record
	for _, one := range slices.Backward(s.all) {
		if one.hide == 0 && s.matches(one, r) {
			found = append(found, one)
		}
	}
	s.answerPage(w, r, page, perPage, found, func(one *record) any { return s.dialect.anyCertificate(one, s.faults) })
}

func (s *Server) listBatches(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	batches := map[string][]*record{}
	for _, one := range s.all {
		if one.batch != "" {
			batches[one.batch] = append(batches[one.batch], one)
		}
	}
	data := []any{}
	for _, id := range slices.Backward(slices.Sorted(maps.Keys(batches))) {
		data = append(data, s.dialect.batch(id, batches[id], s.faults))
	}
	answer(w, http.StatusOK, s.dialect.list(s.URL+r.URL.Path, 1, maxPerPage, len(data), data))
}

// find returns a certificate by its UUID, the only name that the documents know.
func (s *Server) find(w http.ResponseWriter, uuid string) *record {
	for _, one := range s.all {
		if one.uuid == uuid && one.hide == 0 {
			return one
		}
	}
	answer(w, http.StatusNotFound, message("Vault certificate not found"))
	return nil
}

func (s *Server) view(w http.ResponseWriter, uuid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.find(w, uuid); one != nil {
		answer(w, http.StatusOK, map[string]any{"data": s.dialect.certificate(one, s.faults, true)})
	}
}

func (s *Server) download(w http.ResponseWriter, uuid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.find(w, uuid)
	if one == nil {
		return
	}
	if one.status(s.dialect.finished()) != s.dialect.finished() {
		answer(w, http.StatusNotFound, message("Verified PDF not found. The certificate may still be processing."))
		return
	}
	w.Header().Set("Content-Type", "application/pdf")
	fmt.Fprintf(w, "%%PDF-1.7\n%% %s\n", one.ref)
}

func (s *Server) retry(w http.ResponseWriter, uuid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.find(w, uuid)
	switch {
	case one == nil:
	case one.status("") != "failed":
		answer(w, http.StatusBadRequest, message("Only failed certificates can be retried"))
	default:
		one.failed, one.process = false, 1
		answer(w, http.StatusOK, map[string]any{"message": s.dialect.retried(), "data": s.dialect.certificate(one, s.faults, true)})
	}
}

// content reads the fields of one certificate; the names stand between prefix and suffix.
func content(r *http.Request, prefix, suffix string) (c vault.Content, missing string) {
	get := func(name string) string { return strings.TrimSpace(r.PostFormValue(prefix + name + suffix)) }
	c = vault.Content{Title: get("certificate_title"), Name: get("full_name"), Email: get("applicant_email"),
		IssueDate: vault.Date(get("issue_date")), Details: get("details")}
	if c.IssueDate == "" {
		c.IssueDate = "2026-06-04"
	}
	switch {
	case c.Title == "":
		missing = "certificate_title"
	case c.Name == "":
		missing = "full_name"
	case !strings.Contains(c.Email, "@"):
		missing = "applicant_email"
	}
	return c, missing
}

const maxMemory = 1 << 20

// parse reads a form as PHP does: at most 1,000 fields.
func parse(w http.ResponseWriter, r *http.Request) bool {
	const maxFields = 1000
	err := r.ParseMultipartForm(maxMemory)
	if err != nil || len(r.PostForm) > maxFields {
		answer(w, http.StatusBadRequest, message(fmt.Sprint("The form cannot be read: ", err)))
		return false
	}
	return true
}

func (s *Server) upload(w http.ResponseWriter, r *http.Request) {
	if !parse(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, missing := content(r, "", "")
	if missing != "" || len(r.MultipartForm.File["certificate_file"]) != 1 {
		text := "The " + missing + " field is required."
		answer(w, http.StatusUnprocessableEntity, map[string]any{"message": text, "errors": map[string]any{missing: []string{text}}})
		return
	}
	if s.keys[c.Key()] {
		answer(w, http.StatusUnprocessableEntity, message(vault.DuplicateMessage))
		return
	}
	one := s.accept(c, "")
	if take(&s.faults.LoseUpload) {
		lose(w, s.faults.LoseWith)
		return
	}
	answer(w, http.StatusCreated, map[string]any{"message": "Vault certificate uploaded successfully", "data": s.dialect.certificate(one, s.faults, true)})
}

// accept adds a certificate that is to be processed.
func (s *Server) accept(c vault.Content, batch string) *record {
	one := s.add(c, batch)
	one.hide, one.process = s.faults.HideFor, s.faults.ProcessFor
	one.failed = s.faults.FailFor != "" && strings.EqualFold(one.email, s.faults.FailFor)
	return one
}

func (s *Server) uploadFile(w http.ResponseWriter, r *http.Request) {
	if !parse(w, r) {
		return
	}
	files := r.MultipartForm.File["file"]
	if len(files) != 1 {
		answer(w, http.StatusUnprocessableEntity, map[string]any{"message": "The file field is required.",
			"errors": map[string]any{"file": []string{"The file field is required."}}})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.newUUID()
	s.files[id] = files[0].Filename
	answer(w, http.StatusCreated, map[string]any{"message": "File uploaded successfully", "data": map[string]any{
		"file_id": id, "file_name": files[0].Filename, "mime_type": "application/pdf", "size": files[0].Size}})
}

// bulk accepts all entries or none.
func (s *Server) bulk(w http.ResponseWriter, r *http.Request) {
	if !parse(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if take(&s.faults.LoseFiles) {
		clear(s.files)
	}
	var all []vault.Content
	var ids []string
	var found, duplicates []entryError
	for i := 0; r.PostForm.Has(fmt.Sprintf("entries[%d][full_name]", i)); i++ {
		c, missing := content(r, fmt.Sprintf("entries[%d][", i), "]")
		id := r.PostFormValue(fmt.Sprintf("entries[%d][file_id]", i))
		all, ids = append(all, c), append(ids, id)
		switch {
		case missing != "":
			found = append(found, entryError{i, missing, "The " + missing + " field is required."})
		case s.keys[c.Key()]:
			duplicates = append(duplicates, entryError{i, "applicant_email", vault.DuplicateMessage})
		case s.files[id] == "":
			found = append(found, entryError{i, "file_id", "file_id " + id + " not found"})
		}
	}
	if len(found)+len(duplicates) > 0 || len(all) == 0 {
		s.refuse(w, found, duplicates)
		return
	}
	batch := s.newUUID()
	for i, c := range all {
		s.accept(c, batch).file = s.files[ids[i]]
		delete(s.files, ids[i])
	}
	if take(&s.faults.LoseBulk) {
		lose(w, s.faults.LoseWith)
		return
	}
	data := map[string]any{"batch_id": batch, "total": len(all), "status": "processing"}
	if s.faults.NoBatch {
		delete(data, "batch_id")
	}
	answer(w, http.StatusAccepted, map[string]any{"message": "Bulk vault upload queued for processing", "data": data})
}

// refuse answers a bulk call with what is wrong with its entries.
func (s *Server) refuse(w http.ResponseWriter, found, duplicates []entryError) {
	if len(duplicates) > 0 && (s.faults.OneDuplicate || s.faults.BareDuplicate) {
		found, duplicates = nil, duplicates[:1]
	}
	all := slices.Concat(found, duplicates)
	body := message("The entries are invalid.")
	switch {
	case len(all) == 0:
		body = message("The entries field is required.")
	case len(duplicates) > 0:
		body = message(vault.DuplicateMessage)
	case all[0].field == "file_id":
		body = message("Some file_ids could not be resolved")
	}
	if len(all) > 0 && (len(duplicates) == 0 || !s.faults.BareDuplicate) {
		body["errors"] = s.dialect.entryErrors(all)
	}
	if s.faults.StringErrors && body["errors"] != nil {
		var text bytes.Buffer
		for _, one := range all {
			fmt.Fprintf(&text, "Entry %d: %s. ", one.entry, one.text)
		}
		body["errors"] = strings.TrimSpace(text.String())
	}
	answer(w, http.StatusUnprocessableEntity, body)
}
