package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
)

// One certificate, with patience for a server that is busy.
func ExampleClient_Upload() {
	api := exampleClient() // client.New("https://api.vec.digital", os.Getenv("VECCTL_TOKEN"), nil)
	file := exampleFile("certificate.pdf")
	issued, err := api.WithRetries(client.RetryTransient()).Upload(context.Background(), client.NewCertificate{
		Content: client.Content{Title: "Certificate of Achievement", Name: "John Smith", Email: "john@example.com",
			IssueDate: "2026-06-01"}, File: file, Key: "order-4711",
	}, nil)
	if answered, ok := errors.AsType[*client.Error](err); ok {
		fmt.Println(answered.Status, answered.Errors["applicant_email"])
		return
	}
	fmt.Println(issued.ReferenceID, err)
	// Output: VEC-IC-202567DAE48425BAD <nil>
}

// Many certificates: files first, then the entries that name them.
func ExampleClient_SubmitBulk() {
	ctx, api := context.Background(), exampleClient()
	var entries []client.BulkEntry
	for _, name := range []string{"john", "jane"} {
		kept, err := api.UploadFile(ctx, exampleFile(name+".pdf"), "", nil) // client.FileDocument(name + ".pdf")
		if err != nil {
			fmt.Println(err)
			return
		}
		entries = append(entries, client.BulkEntry{
			Content: client.Content{Title: "Certificate of Achievement", Name: name, Email: name + "@example.com"}, FileID: kept.FileID})
	}
	accepted, err := api.SubmitBulk(ctx, entries, "batch-2026-06")
	fmt.Println(accepted.BatchID, accepted.Total, err)
	// Output: 8f7d6e5c-4b3a-2910 2 <nil>
}

// Every finished certificate of a recipient, page by page.
func ExampleClient_All() {
	for one, err := range exampleClient().All(context.Background(), client.Filter{Status: "approved", Email: "john@example.com"}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(one.ReferenceID, one.Title)
	}
	// Output: VEC-IC-202567DAE48425BAD Certificate of Achievement
}

// A certificate, once its processing has ended.
func ExampleClient_Await() {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	done, err := exampleClient().Await(ctx, "9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15")
	fmt.Println(done.Status.Label, err)
	// Output: Approved <nil>
}

// The batches that are done.
func ExampleClient_AllBatches() {
	for b, err := range exampleClient().AllBatches(context.Background(), "completed") {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(b.Name, b.Total)
	}
	// Output: Spring 2
}

// Certificates of a table, with the first template that there is.
func ExampleClient_CreateBatch() {
	ctx, api := context.Background(), exampleClient()
	templates, err := api.Templates(ctx)
	if err != nil || len(templates) == 0 {
		fmt.Println("no template", err)
		return
	}
	table := "RecipientsEmail,RecipientsName,IssueDate\njohn@example.com,John Smith,01-06-2026\n"
	made, err := api.CreateBatch(ctx, client.NewBatch{Name: "Spring", Template: templates[0].ID, Table: client.Document{
		Name: "people.csv", Size: int64(len(table)), Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(table)), nil }}})
	fmt.Println(templates[0].Name, made.Status, err)
	// Output: Diploma processing <nil>
}

func exampleFile(name string) client.Document {
	const text = "%PDF-1.7 ..."
	return client.Document{Name: name, Size: int64(len(text)), Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
}

// exampleClient is a client of a vault with one certificate.
func exampleClient() *client.Client {
	api, err := client.New("https://vault.example", "vec_token", exampleVault{})
	if err != nil {
		panic(err)
	}
	return api
}

// exampleVault answers calls without a network.
type exampleVault struct{}

func (exampleVault) RoundTrip(r *http.Request) (*http.Response, error) {
	const one = `{"id": 42, "uuid": "9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15", "reference_id": "VEC-IC-202567DAE48425BAD",
		"certificate_title": "Certificate of Achievement", "full_name": "John Smith", "applicant_email": "john@example.com",
		"status": {"value": "approved", "label": "Approved"}}`
	if r.Body != nil {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
	}
	const batch = `{"batch_id": "8f7d6e5c-4b3a-2910", "name": "Spring", "status": "processing", "total": 2}`
	w := httptest.NewRecorder()
	switch call := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/business/"); call {
	case "GET certificate-vault":
		fmt.Fprintf(w, `{"data": [%s]}`, one)
	case "GET batches":
		fmt.Fprintf(w, `{"data": [%s]}`, batch)
	case "GET certificate-templates":
		fmt.Fprint(w, `[{"id": "diploma", "name": "Diploma"}]`)
	case "POST certificate-vault/upload-file":
		fmt.Fprint(w, `{"data": {"file_id": "9e3b101f-c264-4f97-945f-20dfa7163768"}}`)
	case "POST certificate-vault/bulk", "POST batches":
		fmt.Fprintf(w, `{"data": %s}`, batch)
	default:
		fmt.Fprintf(w, `{"data": %s}`, one)
	}
	return w.Result(), nil
}
