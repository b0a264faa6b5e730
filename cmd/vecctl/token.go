package main

import (
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/staff"
)

func tokenCommand(w world) *cli.Command {
	return &cli.Command{
		Name: "token", Usage: "API tokens for other programs",
		Subcommands: []*cli.Command{
			{
				Name: "create", Usage: "make a token; it is printed once", ArgsUsage: "NAME",
				Flags: append(append(homeFlags(), outputFlags()...),
					&cli.StringSliceFlag{Name: "permission", Aliases: []string{"p"}, Usage: "`NAME`, such as certificate-vault:list; may be repeated"},
					&cli.DurationFlag{Name: "expires-in", Usage: "`TIME` until it expires, such as 8760h (default: never)"}),
				Action: func(c *cli.Context) error { return runTokenCreate(c, w) },
			},
			{
				Name: "list", Usage: "list the tokens",
				Flags:  append(homeFlags(), outputFlags()...),
				Action: rows(w, 0, "", tokenList(), func(c *cli.Context, s *session) ([]staff.Token, error) { return s.Tokens(c.Context) }),
			},
			{
				Name: "revoke", Usage: "end a token", ArgsUsage: "ID",
				Flags: append(homeFlags(), outputFlags()...),
				Action: rows(w, 1, "the token's ID", tokenList(), func(c *cli.Context, s *session) ([]staff.Token, error) {
					t, err := s.RevokeToken(c.Context, c.Args().First())
					return []staff.Token{t}, err
				}),
			},
		},
	}
}

// runTokenCreate prints the token alone on the last line of stdout.
func runTokenCreate(c *cli.Context, w world) error {
	form, err := formFor(c, 1, "the token's name")
	if err != nil {
		return err
	}
	q := staff.NewToken{Name: c.Args().First(), Permissions: c.StringSlice("permission")}
	if d := c.Duration("expires-in"); d != 0 {
		at := time.Now().Add(d).UTC()
		q.ExpiresAt = &at
	}
	return with(c, w, func(s *session) error {
		t, err := s.CreateToken(c.Context, q)
		if err != nil {
			return err
		}
		return printOnce(w, form, t, t.Secret, "Token %q (%s); it is shown this once:", t.Name, t.ID)
	})
}

func tokenList() list[staff.Token] {
	return list[staff.Token]{
		headings: []string{"id", "name", "permissions", "expires_at", "last_used_at", "revoked_at"},
		cells: func(t staff.Token) []string {
			return []string{t.ID, t.Name, strings.Join(t.Permissions, " "),
				when(t.ExpiresAt), when(t.LastUsedAt), when(t.RevokedAt)}
		},
	}
}
