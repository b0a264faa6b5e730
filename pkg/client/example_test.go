package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

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
