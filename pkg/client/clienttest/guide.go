package clienttest

import (
	"fmt"
	"testing"
)

// Guide starts a vault that is written from the guide alone. Its objects have the fields
// of the guide's examples and no others.
func Guide(t testing.TB) *Server {
	t.Helper()
	return start(t, guide{})
}

// guide is the dialect of the guide.
type guide struct{}

func (guide) certificate(r *record, f Faults, _ bool) map[string]any {
	status := r.status("approved")
	label, about := "Approved", "Certificate has been approved"
	switch status {
	case "processing":
		label, about = "Processing", "Certificate is being processed"
	case "failed":
		label, about = "Failed", "Certificate processing failed"
	case "revoked":
		label, about = "Revoked", "Certificate has been revoked"
	}
	one := map[string]any{
		"id": r.id, "uuid": r.uuid, "reference_id": r.ref,
		"certificate_title": r.title, "full_name": r.name, "applicant_email": r.email,
		"source": map[string]string{"value": "vault", "label": "Vault"},
		"status": map[string]string{"value": status, "label": label, "description": about},
	}
	if f.Dates {
		one["issue_date"] = r.date
	}
	return one
}

// anyCertificate is the same: the guide shows one shape.
func (g guide) anyCertificate(r *record, f Faults) map[string]any { return g.certificate(r, f, false) }

func (guide) list(path string, page, perPage, total int, data []any) any {
	last := max(1, (total+perPage-1)/perPage)
	address := func(n int) any {
		if n < 1 || n > last {
			return nil
		}
		return fmt.Sprintf("%s?page=%d", path, n)
	}
	return map[string]any{
		"data":  data,
		"links": map[string]any{"first": address(1), "last": address(last), "prev": address(page - 1), "next": address(page + 1)},
		"meta":  map[string]any{"current_page": page, "last_page": last, "path": path, "per_page": perPage, "total": total},
	}
}

// entryErrors is the object of arrays that Laravel answers.
func (guide) entryErrors(found []entryError) any {
	all := map[string][]string{}
	for _, one := range found {
		name := fmt.Sprintf("entries.%d.%s", one.entry, one.field)
		all[name] = append(all[name], one.text)
	}
	return all
}

// templates is a bare array (step 2).
func (guide) templates() any {
	return []any{map[string]any{"id": 7, "name": "Diploma"}}
}

func (guide) batch(id string, all []*record, _ Faults) map[string]any {
	status := "completed"
	for _, r := range all {
		if r.process > 0 {
			status = "processing"
		}
	}
	return map[string]any{"batch_id": id, "total": len(all), "status": status}
}

func (guide) finished() string { return "approved" }

// filtersBatch is true: the guide tracks a batch by its ID (step 5b).
func (guide) filtersBatch() bool { return true }

func (guide) retried() string { return "Certificate retry initiated" }
