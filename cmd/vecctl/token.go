package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

func tokenCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "token", Usage: "manage API tokens for other programs",
		Subcommands: []*cli.Command{
			{
				Name: "create", Usage: "create a token; it is printed once", ArgsUsage: "NAME",
				Flags: append(append(homeFlags(), outputFlags()...),
					&cli.StringSliceFlag{Name: "permission", Aliases: []string{"p"}, Usage: "`PERMISSION`, such as certificate-vault:list; may be repeated"},
					&cli.DurationFlag{Name: "expires-in", Usage: "`DURATION` after which it expires, such as 8760h (default: never)"}),
				Action: func(c *cli.Context) error { return runTokenCreate(c, w) },
			},
			{
				Name: "list", Usage: "list the tokens",
				Flags:  append(homeFlags(), outputFlags()...),
				Action: listAction(w, 0, "", tokenList(), func(c *cli.Context, s *session) ([]adminclient.Token, error) { return s.Tokens(c.Context) }),
			},
			{
				Name: "revoke", Usage: "revoke a token", ArgsUsage: "ID",
				Flags: append(homeFlags(), outputFlags()...),
				Action: listAction(w, 1, "the token's ID", tokenList(), func(c *cli.Context, s *session) ([]adminclient.Token, error) {
					t, err := s.RevokeToken(c.Context, c.Args().First())
					return []adminclient.Token{t}, err
				}),
			},
		},
	}
}

// runTokenCreate prints the token alone on the last line of stdout.
func runTokenCreate(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 1, "the token's name")
	if err != nil {
		return err
	}
	q := adminclient.NewToken{Name: c.Args().First(), Permissions: c.StringSlice("permission")}
	if d := c.Duration("expires-in"); d != 0 {
		at := wallClock().Add(d).UTC()
		q.ExpiresAt = &at
	}
	return withSession(c, w, func(s *session) error {
		t, err := s.CreateToken(c.Context, q)
		if err != nil {
			return err
		}
		return printSecret(w, form, t, t.Secret, "Token %q (%s); it is shown only once:", t.Name, t.ID)
	})
}

func tokenList() list[adminclient.Token] {
	return list[adminclient.Token]{
		headings: []string{"id", "name", "permissions", "expires_at", "last_used_at", "revoked_at"},
		cells: func(t adminclient.Token) []string {
			return []string{t.ID, t.Name, strings.Join(t.Permissions, " "),
				formatTime(t.ExpiresAt), formatTime(t.LastUsedAt), formatTime(t.RevokedAt)}
		},
	}
}
