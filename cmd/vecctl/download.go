package main

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
)

func downloadCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "download", Usage: "download a verified PDF, or all that filters select", ArgsUsage: "[UUID|REFERENCE_ID]",
		Flags: slices.Concat(apiFlags(), outputFlags(), downloadFilterFlags(), []cli.Flag{
			&cli.StringFlag{Name: "out", Usage: "output `FILE`, \"-\" for standard output (default: REFERENCE_ID.pdf in the current directory); of many a FILE.zip or a folder"}}),
		Action: func(c *cli.Context) error {
			if f, many := downloadFilter(c); many {
				return runDownloadMany(c, w, f)
			}
			form, err := formatAndArgs(c, 1, "the certificate's UUID or reference ID")
			if err != nil {
				return err
			}
			return withSession(c, w, func(s *session) error { return runDownload(c, w, s, c.Args().First(), form) })
		},
	}
}

// downloaded is the result of a download.
type downloaded struct {
	File        string `json:"file"`
	UUID        string `json:"uuid"`
	ReferenceID string `json:"reference_id"`
}

func runDownload(c *cli.Context, w environment, s *session, name string, f outputFormat) error {
	found, err := s.Certificate(c.Context, name)
	if err != nil {
		return err
	}
	return saveFile(w, f, found, cmp.Or(c.String("out"), filepath.Base(found.ReferenceID)+".pdf"), func(to io.Writer) error {
		_, err := s.Download(c.Context, name, to)
		return err
	})
}

// saveFile writes a file of a certificate, and says where it is. On standard output is the file
// alone.
func saveFile(w environment, f outputFormat, of client.Certificate, out string, write func(io.Writer) error) error {
	err := writeTo(w, out, write)
	if err != nil || out == "-" {
		return err
	}
	if f == formatTable {
		_, err = fmt.Fprintln(w.stdout, out)
		return err
	}
	done := downloaded{File: out, UUID: of.UUID, ReferenceID: of.ReferenceID}
	return printFields(w.stdout, f, done, [][2]string{
		{"file", done.File}, {"uuid", done.UUID}, {"reference_id", done.ReferenceID}})
}
