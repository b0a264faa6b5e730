package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
)

func apiCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "api", Usage: "look at servers that speak the API",
		Subcommands: []*cli.Command{{
			Name: "check", Usage: "find out which promises of the guide and the reference a server keeps", ArgsUsage: "URL",
			Description: "It only reads, unless --write is given. The exit code is 1 if the server breaks a promise that guide and\n" +
				"reference both make; each of them alone is a dialect that vecctl understands.",
			Flags: slices.Concat(homeFlags(), outputFlags(), remoteFlags(), []cli.Flag{
				&cli.StringFlag{Name: "token", EnvVars: []string{"VECCTL_TOKEN"}, Usage: "API `TOKEN`"},
				&cli.BoolFlag{Name: "write", Usage: "also issue a test certificate, to check uploads; neither document has a call that revokes it, so the last line says which to revoke"},
				&cli.StringFlag{Name: "email", Value: "vecctl-check@example.com", Usage: "`ADDRESS` of the test certificate's recipient"},
				&cli.DurationFlag{Name: "wait", Value: time.Minute, Usage: "with --write: for how `LONG` to wait until the certificate is finished"},
			}),
			Action: func(c *cli.Context) error { return runAPICheck(c, w) },
		}},
	}
}

func runAPICheck(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 1, "the server's address")
	if err != nil {
		return err
	}
	set, err := loadSettings(c, w)
	if err != nil {
		return err
	}
	transport, options, err := remoteTransport(set)
	if err != nil {
		return err
	}
	server, err := client.New(c.Args().First(), set.Token, transport, options...)
	if err != nil {
		return err
	}
	server = server.WithRetries(client.RetryWhenAsked())
	found, err := server.Check(c.Context)
	if err != nil {
		return err
	}
	if c.Bool("write") {
		written, err := checkWrite(c, w, server)
		if err != nil {
			return err
		}
		found = append(found, written...)
	}
	if err := promiseList().print(w.stdout, form, found); err != nil {
		return err
	}
	if slices.ContainsFunc(found, func(p client.Promise) bool { return p.Source == "both" && p.Kept == client.Broken }) {
		return exitStatus(exitFailed)
	}
	return nil
}

// checkWrite issues a test certificate and says how to get rid of it.
func checkWrite(c *cli.Context, w environment, server *client.Client) ([]client.Promise, error) {
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, fmt.Errorf("naming the test certificate: %w", err)
	}
	name := hex.EncodeToString(random[:])
	document := testDocument()
	ctx, stop := context.WithTimeout(c.Context, c.Duration("wait"))
	defer stop()
	found, issued, err := server.CheckWrite(ctx, client.NewCertificate{
		Content: client.Content{Title: "vecctl api check " + name, Name: "Test of the API", Email: c.String("email")}, Key: name,
		File: client.Document{Name: "check.pdf", Size: int64(len(document)),
			Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(document)), nil }},
	})
	if issued.ReferenceID != "" {
		printLinef(w, "The test certificate %s (%s) was issued. Revoke it where the vault's staff work; on the home of a vecctl vault: vecctl revoke %s --reason test",
			issued.ReferenceID, issued.UUID, issued.ReferenceID)
	}
	if c.Context.Err() == nil && ctx.Err() != nil {
		err = nil // it was not finished in time, and the table says so
	}
	return found, err
}

func promiseList() list[client.Promise] {
	return list[client.Promise]{
		headings: []string{"promise", "source", "kept", "detail"},
		cells:    func(p client.Promise) []string { return []string{p.Name, p.Source, string(p.Kept), p.Detail} },
	}
}

// testDocument is the smallest PDF that has a page.
func testDocument() []byte {
	var b bytes.Buffer
	var offsets []int
	b.WriteString("%PDF-1.4\n")
	for i, object := range []string{"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"} {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, start)
	return b.Bytes()
}
