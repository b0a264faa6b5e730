package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
)

// One certificate, with patience for a server that is busy.
func ExampleClient_Upload() {
	api, err := client.New("https://api.vec.digital", os.Getenv("VECCTL_TOKEN"), http.DefaultTransport)
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := client.FileDocument("certificate.pdf")
	if err != nil {
		fmt.Println(err)
		return
	}
	issued, err := api.WithRetries(client.RetryTransient()).Upload(context.Background(), client.NewCertificate{
		Content: client.Content{Title: "Certificate of Achievement", Name: "John Smith", Email: "john@example.com",
			IssueDate: "2026-06-01"}, File: file, Key: "order-4711",
	}, func(sent int64) { fmt.Printf("%d of %d bytes\n", sent, file.Size) })
	if answered, ok := errors.AsType[*client.Error](err); ok {
		fmt.Println(answered.Status, answered.Errors["applicant_email"])
		return
	}
	fmt.Println(issued.ReferenceID, err)
}

// Many certificates: files first, then the entries that name them.
func ExampleClient_SubmitBulk() {
	ctx := context.Background()
	api, err := client.New("https://api.vec.digital", os.Getenv("VECCTL_TOKEN"), http.DefaultTransport)
	if err != nil {
		fmt.Println(err)
		return
	}
	var entries []client.BulkEntry
	for _, name := range []string{"john.pdf", "jane.pdf"} {
		file, err := client.FileDocument(name)
		if err != nil {
			fmt.Println(err)
			return
		}
		kept, err := api.UploadFile(ctx, file, "", nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		entries = append(entries, client.BulkEntry{
			Content: client.Content{Title: "Certificate of Achievement", Name: name, Email: name + "@example.com"}, FileID: kept.FileID})
	}
	accepted, err := api.SubmitBulk(ctx, entries, "batch-2026-06")
	fmt.Println(accepted.BatchID, err)
}

// Every finished certificate of a recipient, page by page.
func ExampleClient_All() {
	server := exampleVault()
	defer server.Close()
	api, err := client.New(server.URL, "vec_token", server.Client().Transport)
	if err != nil {
		fmt.Println(err)
		return
	}
	for one, err := range api.All(context.Background(), client.Filter{Status: "approved", Email: "john@example.com"}) {
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
	server := exampleVault()
	defer server.Close()
	api, err := client.New(server.URL, "vec_token", server.Client().Transport)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	done, err := api.Await(ctx, "9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15")
	fmt.Println(done.Status.Label, err)
	// Output: Approved <nil>
}

// exampleVault is a vault with one certificate.
func exampleVault() *httptest.Server {
	const one = `{"id": 42, "uuid": "9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15", "reference_id": "VEC-IC-202567DAE48425BAD",
		"certificate_title": "Certificate of Achievement", "full_name": "John Smith", "applicant_email": "john@example.com",
		"status": {"value": "approved", "label": "Approved"}}`
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/certificate-vault") {
			fmt.Fprintf(w, `{"data": [%s]}`, one)
			return
		}
		fmt.Fprintf(w, `{"data": %s}`, one)
	}))
}
