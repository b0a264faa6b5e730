package client_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/clienttest"
	"github.com/vecctl/vecctl/pkg/fault"
)

func textDocument(name, text string) client.Document {
	return client.Document{Name: name, Size: int64(len(text)), Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
}

// TestTyped reads templates and batches of both dialects, one and all.
func TestTyped(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) *clienttest.Server{"guide": clienttest.Guide, "reference": clienttest.Reference} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			c, err := client.New(s.URL, clienttest.Token, nil)
			if err != nil {
				t.Fatal(err)
			}
			all, err := c.Templates(t.Context())
			if err != nil || len(all) != 1 {
				t.Fatalf("%v %v", all, err)
			}
			one, err := c.Template(t.Context(), all[0].ID)
			if err != nil || one.Name != "Diploma" || one.HasSignatures != (name == "reference") || (name == "reference") != (one.CreatedAt != nil) || len(one.SignatoryFields) != map[string]int{"reference": 1}[name] {
				t.Errorf("a template: %+v %v", one, err)
			}
			if _, err := c.Template(t.Context(), "none"); !fault.Is(err, fault.NotFound) {
				t.Errorf("no template: %v", err)
			}
			var ids []string
			for _, email := range []string{"a@example.com", "b@example.com", "c@example.com"} {
				file, err := c.UploadFile(t.Context(), textDocument("c.pdf", "%PDF"), "", nil)
				if err != nil {
					t.Fatal(err)
				}
				made, err := c.SubmitBulk(t.Context(), []client.BulkEntry{{Content: client.Content{Title: "Diploma", Name: "Ann", Email: email, IssueDate: "2026-06-01"}, FileID: file.FileID}}, "")
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, made.BatchID)
			}
			found := map[string]bool{}
			for b, err := range c.AllBatches(t.Context(), "") {
				if err != nil {
					t.Fatal(err)
				}
				found[b.BatchID] = true
			}
			for _, id := range ids {
				b, err := c.Batch(t.Context(), id)
				if err != nil || b.BatchID != id || b.Total != 1 || !found[id] {
					t.Errorf("batch %s: %+v %v", id, b, err)
				}
			}
			if _, err := c.Batch(t.Context(), "none"); !fault.Is(err, fault.NotFound) {
				t.Errorf("no batch: %v", err)
			}
			for _, err := range c.AllBatches(canceled(t), "") {
				if err == nil {
					t.Error("a list that nobody waits for")
				}
			}
		})
	}
}

// TestCreateBatchCall sends a table as the reference has it.
func TestCreateBatchCall(t *testing.T) {
	t.Parallel()
	const table = "RecipientsEmail,RecipientsName\nann@example.com,Ann\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, header, err := r.FormFile("csv_file")
		if err != nil {
			t.Error(err)
			return
		}
		got, err := io.ReadAll(file)
		if err != nil || string(got) != table || header.Filename != "people.csv" || r.FormValue("name") != "Spring" || r.FormValue("template_id") != "degree" || r.URL.Path != "/business/batches" {
			t.Errorf("%s %v: %q %v", r.URL, r.Form, got, err)
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = io.Copy(w, bytes.NewReader([]byte(`{"data": {"id": "b1", "name": "Spring", "status": "pending", "total_certificates": 1, "template_id": "degree"}}`)))
	}))
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, clienttest.Token, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.CreateBatch(t.Context(), client.NewBatch{Name: "Spring", Template: "degree", Table: textDocument("people.csv", table)})
	if err != nil || b.BatchID != "b1" || b.Total != 1 || b.TemplateID != "degree" || b.Status != "pending" {
		t.Errorf("%+v %v", b, err)
	}
}

// TestDefaultTransport has a time limit where the caller names no transport.
func TestDefaultTransport(t *testing.T) {
	t.Parallel()
	c, err := client.New("https://api.vec.digital", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Transport().(*client.Transport); !ok {
		t.Errorf("the transport is %T", c.Transport())
	}
}

func canceled(t *testing.T) context.Context {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	return ctx
}
