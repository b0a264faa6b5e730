package client_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/clienttest"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

func dialectClient(t *testing.T, s *clienttest.Server) *client.Client {
	t.Helper()
	c, err := client.New(s.URL, clienttest.Token, s.Client().Transport)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestBothDialects makes every call of the guide against a vault of either dialect.
func TestBothDialects(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*clienttest.Server{"guide": clienttest.Guide(t), "reference": clienttest.Reference(t)} {
		t.Run(name, func(t *testing.T) {
			c, ctx := dialectClient(t, s), t.Context()
			issued, err := c.Upload(ctx, client.NewCertificate{Content: client.Content{Title: "Diploma", Name: "Ann", Email: "a@example.com", IssueDate: "2026-06-01"}, File: leaflet()}, nil)
			if err != nil || issued.UUID == "" || !issued.Status.Is(vault.Approved) || issued.Status.Label == "" {
				t.Fatalf("an upload: %+v, %v", issued, err)
			}
			kept, err := c.UploadFile(ctx, leaflet(), "", nil)
			if err != nil {
				t.Fatal(err)
			}
			accepted, err := c.SubmitBulk(ctx, []client.BulkEntry{{Content: client.Content{Title: "Diploma", Name: "Bob", Email: "b@example.com"}, FileID: kept.FileID}}, "")
			if err != nil || accepted.BatchID == "" || accepted.Total != 1 {
				t.Fatalf("a batch: %+v, %v", accepted, err)
			}
			for _, status := range []string{"", "approved", "approved", "processing"} {
				page, err := c.List(ctx, client.Filter{Status: status, PerPage: 1})
				want := 2
				if status == "processing" {
					want = 0
				}
				if err != nil || page.Meta.Total != want || page.HasNext() != (want > 1) {
					t.Errorf("list %q: %+v, %v", status, page.Meta, err)
				}
			}
			for _, name := range []string{issued.UUID, issued.ReferenceID} {
				var pdf bytes.Buffer
				found, err := c.Certificate(ctx, name)
				if err != nil || found.UUID != issued.UUID || found.Name != "Ann" {
					t.Errorf("view %s: %+v, %v", name, found, err)
				}
				if _, err := c.Download(ctx, name, &pdf); err != nil || !strings.Contains(pdf.String(), issued.ReferenceID) {
					t.Errorf("download %s: %q, %v", name, pdf.String(), err)
				}
				if _, err := c.Retry(ctx, name); !fault.Is(err, fault.Illegal) {
					t.Errorf("retry %s: %v", name, err)
				}
			}
			if _, err := c.Certificate(ctx, "VEC-IC-2026FFFFFFFFFFFFF"); !fault.Is(err, fault.NotFound) {
				t.Errorf("an unknown reference ID: %v", err)
			}
			all, err := c.Certificates(ctx, client.Filter{})
			if err != nil || len(all.Data) != 2 || all.Data[1].UUID != issued.UUID || all.Data[1].Name != "Ann" || all.Data[1].Email != "a@example.com" {
				t.Errorf("all certificates: %+v, %v", all, err)
			}
			if templates, err := c.Templates(ctx); err != nil || len(templates) != 1 || templates[0].Name != "Diploma" || templates[0].ID == "" || templates[0].Raw["name"] != "Diploma" {
				t.Errorf("templates: %v, %v", templates, err)
			}
			batches, err := c.Batches(ctx, 1, 15)
			if err != nil || len(batches.Data) != 1 || batches.Data[0].BatchID != accepted.BatchID || batches.Data[0].Total != 1 {
				t.Errorf("batches: %+v, %v", batches, err)
			}
		})
	}
}

// certificates are objects as servers write them, and what is read.
var certificateShapes = []struct {
	text string
	want string // UUID, status, date, created at; "" is an error
}{
	{`{"id":42,"uuid":"u","status":{"value":"processing"},"issue_date":"2026-06-01"}`, "u processing 2026-06-01 -"},
	{`{"id":"42","uuid":"u","status":"generated","issue_date":null,"created_at":"2025-06-01T10:00:00.000000Z"}`, "u approved  2025-06-01T10:00:00Z"},
	{`{"id":"9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15","status":"Generated","issue_date":"2026-06-01T00:00:00.000000Z","created_at":"2025-06-01 10:00:00"}`,
		"9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15 approved 2026-06-01 2025-06-01T10:00:00Z"},
	{`{"id":42,"uuid":"u","status":{"value":"approved","label":null},"created_at":null}`, "u approved  -"},
	{`{"id":42,"status":"approved"}`, ""},
	{`{"id":42,"uuid":"u"}`, "u   -"},
	{`{"id":[1],"uuid":"u","status":"approved"}`, ""},
	{`{"id":42,"uuid":"u","status":7}`, ""},
	{`{"id":42,"uuid":"u","status":"approved","issue_date":"June"}`, ""},
	{`{"id":42,"uuid":"u","status":"approved","created_at":"soon"}`, ""},
	{`7`, ""}, {`null`, ""}, {`[]`, ""}, {`{}`, ""},
}

// TestCertificateShapes reads what both dialects allow, and shows what it does not understand.
func TestCertificateShapes(t *testing.T) {
	t.Parallel()
	for _, shape := range certificateShapes {
		for _, frame := range []string{`{"data":%s}`, `%s`} {
			body := fmt.Sprintf(frame, shape.text)
			c := vaultAt(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
			found, err := c.Certificate(t.Context(), "9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15")
			if shape.want == "" {
				if message, _ := fault.Message(err); !fault.Is(err, fault.Unavailable) || !strings.Contains(message, "cannot be read") || !strings.Contains(message, body) {
					t.Errorf("%s: %+v, %v", body, found, err)
				}
				continue
			}
			created := "-"
			if !found.CreatedAt.IsZero() {
				created = found.CreatedAt.Format(time.RFC3339)
			}
			if got := strings.Join([]string{found.UUID, found.Status.Value, found.IssueDate, created}, " "); err != nil || got != shape.want {
				t.Errorf("%s: read %q, want %q (%v)", body, got, shape.want, err)
			}
		}
	}
}

// TestPageShapes reads lists as servers write them.
func TestPageShapes(t *testing.T) {
	t.Parallel()
	const one = `{"id":1,"uuid":"u","status":"approved"}`
	for body, want := range map[string]string{
		`[` + one + `]`: "1 of 1, more false",
		`{"data":[` + one + `],"links":{"next":null},"meta":{"current_page":1,"last_page":1,"total":1,"links":[{"url":null}]}}`: "1 of 1, more false",
		`{"data":[` + one + `],"meta":{"current_page":1,"last_page":9,"total":9}}`:                                              "1 of 9, more true",
		`{"data":[` + one + `],"links":{"next":"https://x?page=2"}}`:                                                            "1 of 1, more true",
		`{"data":[` + one + `],"current_page":2,"last_page":3,"total":40,"links":[{"url":null}],"next_page_url":"https://x"}`:   "1 of 40, more true",
		`{"data":[]}`:           "0 of 0, more false",
		`{"data":{}}`:           "",
		`{}`:                    "",
		`{"data":[{"uuid":1}]}`: "",
		`"x"`:                   "",
	} {
		c := vaultAt(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		page, err := c.List(t.Context(), client.Filter{})
		if want == "" {
			if message, _ := fault.Message(err); !strings.Contains(message, "cannot be read") || !strings.Contains(message, body) {
				t.Errorf("%s: %v", body, err)
			}
			continue
		}
		if got := fmt.Sprintf("%d of %d, more %v", len(page.Data), page.Meta.Total, page.HasNext()); err != nil || got != want {
			t.Errorf("%s: %s (%v), want %s", body, got, err, want)
		}
	}
}

// TestErrorShapes reads refusals in every form that errors come in.
func TestErrorShapes(t *testing.T) {
	t.Parallel()
	for errorsField, want := range map[string]string{
		`{"entries.0.file_id":["It is missing."],"x":"y"}`:     "entries.0.file_id=It is missing.; x=y",
		`["Entry 0: file_id f not found","Entry 12: no name"]`: "entries.0=Entry 0: file_id f not found; entries.12=Entry 12: no name",
		`"Entry 0: one. Entry 3: two."`:                        "entries.0=Entry 0: one.; entries.3=Entry 3: two.",
		`"The entry is bad."`:                                  "errors=The entry is bad.",
		`[{"code":7}]`:                                         `errors={"code":7}`,
		`[]`:                                                   "", `{}`: "", `null`: "", `7`: "",
	} {
		c := vaultAt(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnprocessableEntity)
			fmt.Fprintf(w, `{"message":"Bad.","errors":%s}`, errorsField)
		})
		_, err := c.List(t.Context(), client.Filter{})
		refused, ok := errors.AsType[*client.Error](err)
		var got []string
		for _, f := range fault.FieldsOf(err) {
			got = append(got, f.Name+"="+f.Message)
		}
		if !ok || refused.Message != "Bad." || strings.Join(got, "; ") != want {
			t.Errorf("%s: %q, want %q", errorsField, strings.Join(got, "; "), want)
		}
	}
}
