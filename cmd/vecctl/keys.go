package main

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

func keyListCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "list", Usage: "list all keys and secrets of the home, without what they are",
		Flags: staffFlags(),
		Action: listAction(w, 0, "", keyList(), func(c *cli.Context, s *session) ([]adminclient.Key, error) {
			return s.Keys(c.Context)
		}),
	}
}

func keyList() list[adminclient.Key] {
	return list[adminclient.Key]{
		headings: []string{"what", "id", "state", "created_at", "expires_at", "of"},
		cells: func(k adminclient.Key) []string {
			return []string{k.What, k.ID, k.State, formatTime(k.CreatedAt), formatTime(k.ExpiresAt), k.Of}
		},
	}
}

func keyRotateCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "rotate", Usage: "put a new key in the place of one; what it has signed or issued stays valid", ArgsUsage: "[signing|authority|secrets|webhook ID]",
		Description: "signing    the key that documents are signed with (this one where none is named)\n" +
			"authority  the secret under which the certification authority makes its hashes\n" +
			"secrets    the key with which the home encrypts the secrets that it keeps\n" +
			"webhook ID the signing secret of a webhook, printed once; the old one signs along for a day",
		Flags: slices.Concat(homeFlags(), outputFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "self-made", Usage: "put a signing key that nobody certifies in place of one that somebody does"}}),
		Action: func(c *cli.Context) error { return runKeyRotate(c, w) },
	}
}

func runKeyRotate(c *cli.Context, w environment) error {
	what := c.Args().First()
	if what == adminclient.WebhookSecret {
		if err := requireArgs(c, 2, "\"webhook\" and its ID"); err != nil {
			return err
		}
		return printWebhookSecret(c, w, func(s *session) (adminclient.Webhook, error) { return s.RotateWebhook(c.Context, c.Args().Get(1)) })
	}
	if c.NArg() > 1 || what != "" && !slices.Contains([]string{adminclient.InstitutionKey, adminclient.AuthorityKey, adminclient.SecretsKey}, what) {
		return usageError("%q is no key; want signing, authority, secrets, or webhook with its ID", what)
	}
	form, err := parseOutputFormat(c)
	if err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		if what == "" || what == adminclient.InstitutionKey {
			k, err := s.RotateKey(c.Context, c.Bool("self-made"))
			if err != nil {
				return err
			}
			return printKey(w, form, k)
		}
		k, err := rotateKey(c, s, what)
		if err != nil {
			return err
		}
		return printFields(w.stdout, form, k, [][2]string{{"what", k.What}, {"id", k.ID}, {"created_at", formatTime(k.CreatedAt)}})
	})
}

// rotateKey makes a new key of a kind of which the home has one.
func rotateKey(c *cli.Context, s *session, what string) (adminclient.Key, error) {
	if what == adminclient.SecretsKey {
		return s.RotateSecretsKey(c.Context)
	}
	id, err := s.RotateAuthoritySecret(c.Context)
	if err != nil {
		return adminclient.Key{}, err
	}
	all, err := s.Keys(c.Context)
	if err != nil {
		return adminclient.Key{}, err
	}
	i := slices.IndexFunc(all, func(k adminclient.Key) bool { return k.What == what && k.ID == id })
	if i < 0 {
		return adminclient.Key{}, fmt.Errorf("the new secret %s is not among the home's keys", id)
	}
	return all[i], nil
}
