package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

func uploadCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "upload", Usage: "issue one certificate", ArgsUsage: "FILE",
		Flags: append(slices.Concat(apiFlags(), outputFlags(), placementFlags(), contentFlags(func(vault.Field) bool { return true })),
			validForFlag("of the certificate, from its issue date"),
			&cli.StringFlag{Name: "template", Usage: "`NAME` of the template that has the place of the QR code"},
			coverFlag(),
			&cli.BoolFlag{Name: "no-wait", Usage: "return as soon as the certificate is accepted"},
		),
		Action: func(c *cli.Context) error {
			form, err := formatAndArgs(c, 1, "the file")
			if err != nil {
				return err
			}
			for _, f := range vault.Fields() {
				if f.Required && c.String(f.Flag) == "" {
					return usageError("--%s is missing; see vecctl upload --help", f.Flag)
				}
			}
			if _, err := expiryOf(c); err != nil {
				return err
			}
			document, err := client.FileDocument(c.Args().First())
			if err != nil {
				return err
			}
			if document.Size > vault.MaxFile {
				return usageError("the file %s has %d bytes; at most 20 MB (%d bytes) are accepted", c.Args().First(), document.Size, vault.MaxFile)
			}
			at, named, err := uploadPlacement(c, w)
			if err != nil {
				return err
			}
			covered := checkFileCovered(c, w, c.Args().First(), at)
			return withSession(c, w, func(s *session) error {
				if named != nil && !s.remote {
					if err := checkTemplateServes(c, s, named); err != nil {
						return err
					}
				}
				if covered != nil && !fileWasIssued(c.Context, s, c.Args().First()) {
					return covered
				}
				return runUpload(c, w, s, document, at, form)
			})
		},
	}
}

// fileWasIssued is wasIssued for a file.
func fileWasIssued(ctx context.Context, s *session, path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	return err == nil && wasIssued(ctx, s, f, info.Size())
}

// wasIssued reports whether a document has a signature of a certificate that the vault knows.
// The vault refuses it with its reference, which says more than what a code would cover.
func wasIssued(ctx context.Context, s *session, document io.ReaderAt, size int64) bool {
	signatures, err := pdf.VaultSignatures(document, size)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(signatures, func(v pdf.VaultSignature) bool {
		_, err := s.Certificate(ctx, v.ReferenceID)
		return err == nil
	})
}

// validForFlag returns the flag for a term in place of an expiry date.
func validForFlag(of string) cli.Flag {
	return &cli.StringFlag{Name: "valid-for", Usage: "`TERM` " + of + ", in place of an expiry date: 2y, 18m, 6w, 90d"}
}

// expiryOf returns until when a certificate is valid, as a date or as a term from its issue date.
func expiryOf(c *cli.Context) (string, error) {
	day, term := c.String(vault.FieldExpiryDate.Field().Flag), c.String("valid-for")
	if term == "" {
		return day, nil
	}
	if day != "" {
		return "", usageError("use either --expiry-date or --valid-for, not both")
	}
	if _, err := vault.ParseTerm(term); err != nil {
		return "", usageError("--valid-for: %v", err)
	}
	return term, nil
}

// contentFlags returns the flags for some of a certificate's fields.
func contentFlags(some func(vault.Field) bool) (flags []cli.Flag) {
	for _, f := range vault.Fields() {
		if some(f) {
			flags = append(flags, &cli.StringFlag{Name: f.Flag, Usage: f.Usage})
		}
	}
	return flags
}

func runUpload(c *cli.Context, w environment, s *session, document client.Document, at client.Placement, f outputFormat) error {
	var key [16]byte
	if _, err := rand.Read(key[:]); err != nil {
		return fmt.Errorf("naming the upload: %w", err)
	}
	api := s.WithRetries(client.RetryTransient())
	bar := newProgress(c, w)
	const kilo = 1 << 10
	var content vault.Content
	for _, f := range vault.Fields() {
		f.Set(&content, c.String(f.Flag))
	}
	end, err := expiryOf(c)
	if err != nil {
		return err
	}
	content.ExpiryDate = vault.Date(end)
	issued, err := api.Upload(c.Context, client.NewCertificate{
		Content: client.NewContent(content), File: document, QR: at, Key: hex.EncodeToString(key[:]),
	}, func(sent int64) {
		bar.update(client.Progress{Stage: "uploading", Done: int(sent / kilo), Total: int(document.Size / kilo)})
	})
	bar.clear()
	if err != nil {
		return err
	}
	if end != "" && issued.ExpiryDate == "" {
		printLinef(w, "Note: this server does not know of certificates that end; the certificate is valid without an end")
	}
	if issued.IgnoresPlacement(at) {
		printLinef(w, "Note: %s", client.PlacementIgnoredMessage)
	}
	if !c.Bool("no-wait") {
		if issued, err = settledCertificate(c.Context, api.Certificate, issued); err != nil {
			return err
		}
	}
	if err := printFields(w.stdout, f, issued, certificateFields(issued)); err != nil {
		return err
	}
	if issued.Status.Is(vault.Failed) {
		return exitStatus(exitFailed)
	}
	return nil
}

// settledCertificate waits until a certificate's processing has ended.
func settledCertificate(ctx context.Context, look func(context.Context, string) (client.Certificate, error), c client.Certificate) (client.Certificate, error) {
	const first, most = 20 * time.Millisecond, 2 * time.Second
	for pause := first; c.Status.Is(vault.Processing); pause = min(2*pause, most) {
		if err := wake.Sleep(ctx, pause); err != nil {
			return c, err
		}
		var err error
		if c, err = look(ctx, c.UUID); err != nil {
			return c, err
		}
	}
	return c, nil
}
