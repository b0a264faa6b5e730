package main

import (
	"fmt"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
)

func retryCommand(w world) *cli.Command {
	return &cli.Command{
		Name: "retry", Usage: "process failed certificates again", ArgsUsage: "UUID...|REFERENCE_ID...",
		Flags: append(append(apiFlags(), outputFlags()...),
			&cli.StringFlag{Name: "batch", Usage: "all failed ones of batch `ID`"},
			&cli.BoolFlag{Name: "all-failed", Usage: "all failed ones"},
		),
		Action: func(c *cli.Context) error {
			form, err := formOf(c)
			if err != nil {
				return err
			}
			named, many := c.NArg() > 0, c.String("batch") != "" || c.Bool("all-failed")
			if named == many || (c.String("batch") != "" && c.Bool("all-failed")) {
				return usageError("name the certificates, or one of --batch ID and --all-failed; see vecctl retry --help")
			}
			return with(c, w, func(s *session) error {
				if many {
					return retryMany(c, w, s, form)
				}
				return each(w, form, c.Args().Slice(), certificateList(), func(name string) (client.Certificate, error) {
					return s.Retry(c.Context, name)
				})
			})
		},
	}
}

func retryMany(c *cli.Context, w world, s *session, f form) error {
	if s.remote {
		return usageError("--batch and --all-failed work on a home; with --api name the certificates")
	}
	n, err := s.RetryAll(c.Context, c.String("batch"))
	if err != nil {
		return err
	}
	if f != asTable {
		return printFields(w.stdout, f, map[string]int{"retried": n}, [][2]string{{"retried", strconv.Itoa(n)}})
	}
	_, err = fmt.Fprintf(w.stdout, "%d certificates are processed again; \"vecctl list --status failed\" shows what fails still\n", n)
	return err
}
