package main

import (
	"cmp"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/badges"
)

func badgeCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "badge", Usage: "write a certificate as an Open Badges 3.0 credential", ArgsUsage: "UUID|REFERENCE_ID",
		Description: "The extension of --out says in which form: .json (with a Data Integrity proof), .jwt (a token), .png or\n" +
			".svg (the badge picture with the credential in it). Any wallet or validator of the standard accepts it.",
		Flags: append(append(apiFlags(), outputFlags()...),
			&cli.StringFlag{Name: "out", Usage: "output `FILE` (default: REFERENCE_ID.json in the current directory)"},
			&cli.StringFlag{Name: "format", Usage: "`json|jwt|png|svg`, where the name of the file does not say it, or for \"--out -\", standard output"}),
		Action: func(c *cli.Context) error {
			form, err := formatAndArgs(c, 1, "the certificate's UUID or reference ID")
			if err != nil {
				return err
			}
			kind, err := badgeFormat(c.String("out"), c.String("format"))
			if err != nil {
				return err
			}
			return withSession(c, w, func(s *session) error { return runBadge(c, w, s, kind, form) })
		},
	}
}

// badgeFormat is the form of a badge, by the flag or by the name of its file.
func badgeFormat(out, given string) (string, error) {
	kind := given
	if kind == "" {
		kind = strings.ToLower(strings.TrimPrefix(filepath.Ext(out), "."))
	}
	if kind == "" && (out == "" || out == "-") {
		kind = "json"
	}
	if !slices.Contains(badges.Forms(), kind) {
		return "", usageError("a badge is written as .json, .jwt, .png or .svg; name the file so, or use --format, not %q", kind)
	}
	return kind, nil
}

func runBadge(c *cli.Context, w environment, s *session, kind string, f outputFormat) error {
	found, err := s.Certificate(c.Context, c.Args().First())
	if err != nil {
		return err
	}
	return saveFile(w, f, found, cmp.Or(c.String("out"), filepath.Base(found.ReferenceID)+"."+kind), func(to io.Writer) error {
		_, err := s.Badge(c.Context, found.UUID, kind, to)
		return err
	})
}
