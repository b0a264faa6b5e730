package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/blob"
)

func downloadCommand(w world) *cli.Command {
	return &cli.Command{
		Name: "download", Usage: "get a verified PDF", ArgsUsage: "UUID|REFERENCE_ID",
		Flags: append(apiFlags(),
			&cli.StringFlag{Name: "out", Usage: "`FILE` to write, \"-\" for standard output (default: REFERENCE_ID.pdf here)"}),
		Action: func(c *cli.Context) error {
			if err := exactly(c, 1, "the certificate's UUID or reference ID"); err != nil {
				return err
			}
			return with(c, w, func(s *session) error { return runDownload(c, w, s, c.Args().First()) })
		},
	}
}

func runDownload(c *cli.Context, w world, s *session, name string) error {
	out := c.String("out")
	if out == "-" {
		_, err := s.Download(c.Context, name, w.stdout)
		return err
	}
	if out == "" {
		found, err := s.Certificate(c.Context, name)
		if err != nil {
			return err
		}
		out = filepath.Base(found.ReferenceID) + ".pdf"
	}
	err := blob.WriteFile(out, 0o644, func(to io.Writer) error {
		_, err := s.Download(c.Context, name, to)
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w.stdout, out)
	return err
}
