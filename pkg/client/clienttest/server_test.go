package clienttest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/client/clienttest"
)

// send makes a call of a server with a form, or without one, and returns the answer; the
// status is 0 where the answer is lost.
func send(t *testing.T, s *clienttest.Server, method, path string, fields map[string]string, file string) (int, string) {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range fields {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if file != "" {
		if _, err := w.CreateFormFile(file, "a.pdf"); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, &body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Authorization", "Bearer "+clienttest.Token)
	resp, err := s.Client().Do(req)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, string(raw)
	}
	return resp.StatusCode, string(raw)
}

// entries uploads a file for each recipient and returns the form of a bulk call.
func entries(t *testing.T, s *clienttest.Server, emails ...string) map[string]string {
	t.Helper()
	form := map[string]string{}
	for i, email := range emails {
		_, text := send(t, s, http.MethodPost, "/business/certificate-vault/upload-file", nil, "file")
		var kept struct {
			Data struct {
				FileID string `json:"file_id"`
			}
		}
		if err := json.Unmarshal([]byte(text), &kept); err != nil || kept.Data.FileID == "" {
			t.Fatalf("a file: %s", text)
		}
		for name, value := range map[string]string{"certificate_title": "D", "full_name": "N", "applicant_email": email, "file_id": kept.Data.FileID, "issue_date": "2026-06-01"} {
			form[fmt.Sprintf("entries[%d][%s]", i, name)] = value
		}
	}
	return form
}

// TestDialects issues certificates on both servers and compares what they say with the two
// documents.
func TestDialects(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		server                                 *clienttest.Server
		list, filtered, refused, single, batch string
	}{
		{clienttest.Guide(t), `"value":"approved"`, `"total":0`, `"entries.1.applicant_email":["A vault certificate`, `"uuid":`, `"total":2`},
		{clienttest.Reference(t), `"value":"generated"`, `"total":2`, `["Entry 1: A vault certificate`, `"qrcode_path":null`, `"total_certificates":2`},
	} {
		s := one.server
		if status, text := send(t, s, http.MethodPost, "/business/certificate-vault/bulk", entries(t, s, "a@example.com", "b@example.com"), ""); status != 202 || !strings.Contains(text, "batch_id") {
			t.Fatalf("bulk: %d %s", status, text)
		}
		if status, text := send(t, s, http.MethodPost, "/business/certificate-vault/bulk", entries(t, s, "c@example.com", "b@example.com"), ""); status != 422 || !strings.Contains(text, one.refused) {
			t.Errorf("a duplicate: %d %s", status, text)
		}
		_, list := send(t, s, http.MethodGet, "/business/certificate-vault?per_page=1", nil, "")
		var page struct {
			Data []struct{ UUID string }
			Meta struct{ Total int }
		}
		if err := json.Unmarshal([]byte(list), &page); err != nil || page.Meta.Total != 2 || len(page.Data) != 1 || !strings.Contains(list, one.list) {
			t.Fatalf("the list: %s", list)
		}
		for path, want := range map[string]string{
			"/business/certificate-vault?batch_id=none":                      one.filtered,
			"/business/certificate-vault/" + page.Data[0].UUID:               one.single,
			"/business/certificate-vault/" + page.Data[0].UUID + "/download": "%PDF",
			"/business/certificate-templates":                                "Diploma",
			"/business/batches":                                              one.batch,
			"/business/certificates":                                         "reference_id",
		} {
			if _, text := send(t, s, http.MethodGet, path, nil, ""); !strings.Contains(text, want) {
				t.Errorf("%s: %s", path, text)
			}
		}
	}
}

// TestFaults has a server do wrong what its switches say.
func TestFaults(t *testing.T) {
	t.Parallel()
	s := clienttest.Reference(t)
	form := entries(t, s, "a@example.com", "b@example.com")
	s.Set(clienttest.Faults{LoseBulk: 1, OneDuplicate: true, HideFor: 1, ProcessFor: 1})
	if status, text := send(t, s, http.MethodPost, "/business/certificate-vault/bulk", form, ""); status != 0 {
		t.Errorf("a lost answer: %d %s", status, text)
	}
	if _, text := send(t, s, http.MethodPost, "/business/certificate-vault/bulk", form, ""); strings.Count(text, "Entry") != 1 {
		t.Errorf("one duplicate: %s", text)
	}
	for i, want := range []string{`"total":0`, `"value":"generated"`} {
		if _, text := send(t, s, http.MethodGet, "/business/certificate-vault", nil, ""); !strings.Contains(text, want) {
			t.Errorf("list %d: %s", i, text)
		}
	}
	for _, one := range []struct {
		faults clienttest.Faults
		status int
	}{
		{clienttest.Faults{Busy: 1}, 429}, {clienttest.Faults{Broken: 1}, 500}, {clienttest.Faults{CutLists: 1}, 0},
		{clienttest.Faults{Broken: 1, On: "POST /x"}, 200},
	} {
		s.Set(one.faults)
		if status, text := send(t, s, http.MethodGet, "/business/certificate-vault", nil, ""); status != one.status {
			t.Errorf("%+v: %d %s", one.faults, status, text)
		}
	}
	s.Set(clienttest.Faults{LoseFiles: 1})
	if status, text := send(t, s, http.MethodPost, "/business/certificate-vault/bulk", entries(t, s, "c@example.com"), ""); status != 422 || !strings.Contains(text, "not found") {
		t.Errorf("a lost file: %d %s", status, text)
	}
	if n := len(s.Issued()); n != 2 {
		t.Errorf("%d certificates, want 2", n)
	}
}
