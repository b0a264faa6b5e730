package clienttest

import (
	"fmt"
	"strings"
	"testing"
)

// Reference starts a vault that is written from VEC.digital's published reference.
func Reference(t testing.TB) *Server {
	t.Helper()
	return start(t, reference{})
}

// reference is the dialect of the published reference.
type reference struct{}

const referenceTime = "2025-06-01T10:00:00.123456Z"

func (reference) certificate(r *record, f Faults, single bool) map[string]any {
	status := r.status("generated")
	colour, icon := "success", "heroicon-o-check-circle"
	if status != "generated" {
		colour, icon = "warning", "heroicon-o-clock"
	}
	one := map[string]any{
		"id": r.id, "uuid": r.uuid, "reference_id": r.ref,
		"certificate_title": r.title, "full_name": r.name, "applicant_email": r.email,
		"source": map[string]any{"value": "vault", "label": "Vault"},
		"status": map[string]any{"value": status, "label": strings.ToUpper(status[:1]) + status[1:], "color": colour, "icon": icon,
			"description": "The certificate is " + status},
		"issue_date": r.date, "created_at": referenceTime, "updated_at": referenceTime,
	}
	if f.NoDates {
		one["issue_date"] = nil
	}
	if single {
		for _, name := range []string{"qrcode_path", "barcode_path", "applicant_phone_number", "institution_email", "institution_phone_number",
			"address", "contact_person", "verification_notes", "rejection_reason", "verified_at", "assigned_at"} {
			one[name] = nil
		}
		one["details"], one["institution_name"] = r.details, "Institution"
		one["documents"] = []any{}
		if status == "generated" {
			one["documents"] = []any{map[string]any{"id": r.id, "type": "verified_pdf", "path": "https://files.example.com/" + r.ref + ".pdf"}}
		}
	}
	return one
}

// anyCertificate has another shape: its ID is a UUID and its status a plain string.
func (reference) anyCertificate(r *record, f Faults) map[string]any {
	one := map[string]any{
		"id": r.uuid, "reference_id": r.ref, "batch_id": nil, "customer_id": nil, "name": r.name, "email": r.email,
		"pdf_path": nil, "image_path": nil, "qrcode_path": nil, "barcode_path": nil,
		"status": r.status("generated"), "issue_date": r.date, "generated_at": referenceTime,
	}
	if f.NoDates {
		one["issue_date"] = nil
	}
	return one
}

func (reference) list(path string, page, perPage, total int, data []any) any {
	last := max(1, (total+perPage-1)/perPage)
	address := func(n int) any {
		if n < 1 || n > last {
			return nil
		}
		return fmt.Sprintf("%s?page=%d", path, n)
	}
	links := []any{map[string]any{"url": address(page - 1), "label": "&laquo; Previous", "active": false}}
	for n := 1; n <= min(last, 10); n++ {
		links = append(links, map[string]any{"url": address(n), "label": fmt.Sprint(n), "active": n == page})
	}
	links = append(links, map[string]any{"url": address(page + 1), "label": "Next &raquo;", "active": false})
	return map[string]any{
		"data":  data,
		"links": map[string]any{"first": address(1), "last": address(last), "prev": address(page - 1), "next": address(page + 1)},
		"meta": map[string]any{"current_page": page, "from": (page-1)*perPage + 1, "last_page": last, "links": links,
			"path": path, "per_page": perPage, "to": (page-1)*perPage + len(data), "total": total},
	}
}

// entryErrors is an array of strings.
func (reference) entryErrors(found []entryError) any {
	all := []string{}
	for _, one := range found {
		all = append(all, fmt.Sprintf("Entry %d: %s", one.entry, one.text))
	}
	return all
}

func (d reference) templates() any {
	return d.list("https://api.example.com/business/certificate-templates", 1, defaultPerPage, 1, []any{map[string]any{
		"id": "9e7860f0-0000-4fd0-b3e0-e98e19f1cf15", "institution_id": 3, "name": "Diploma", "screenshot": "https://files.example.com/diploma.png",
		"has_signatures": true, "has_default_signatories": false, "requires_signature_setup": true,
		"signatory_fields": []string{"signatory_1"}, "default_signatories": []any{}, "created_at": referenceTime, "updated_at": referenceTime}})
}

func (reference) batch(id string, all []*record, _ Faults) map[string]any {
	processed, failed := 0, 0
	for _, r := range all {
		if r.process == 0 && r.hide == 0 {
			processed++
			if r.failed {
				failed++
			}
		}
	}
	status := "completed"
	switch {
	case processed < len(all):
		status = "processing"
	case failed > 0:
		status = "partially_completed"
	}
	return map[string]any{"id": id, "name": "Batch", "status": status, "template_id": "9e7860f0-0000-4fd0-b3e0-e98e19f1cf15",
		"total_certificates": len(all), "processed_certificates": processed, "failed_certificates": failed,
		"progress": processed * 100 / len(all), "completion_date": nil, "created_at": referenceTime, "updated_at": referenceTime,
		"template": map[string]any{"id": "9e7860f0-0000-4fd0-b3e0-e98e19f1cf15", "name": "Diploma"}, "requires_signatures": false, "requires_my_signature": false}
}

func (reference) finished() string { return "generated" }

// filtersBatch is false: the reference does not know batch_id, and Laravel ignores what it
// does not know.
func (reference) filtersBatch() bool { return false }

func (reference) retried() string { return "Vault certificate retry initiated" }
