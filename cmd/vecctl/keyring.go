package main

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/staff"
)

func keyListCommand(w world) *cli.Command {
	return &cli.Command{
		Name: "list", Usage: "list all keys and secrets of the home, without what they are",
		Flags: staffFlags(),
		Action: rows(w, 0, "", keyList(), func(c *cli.Context, s *session) ([]staff.Key, error) {
			return s.Keys(c.Context)
		}),
	}
}

func keyList() list[staff.Key] {
	return list[staff.Key]{
		headings: []string{"what", "id", "state", "created_at", "expires_at", "of"},
		cells: func(k staff.Key) []string {
			return []string{k.What, k.ID, k.State, when(k.CreatedAt), when(k.ExpiresAt), k.Of}
		},
	}
}

func keyRotateCommand(w world) *cli.Command {
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

func runKeyRotate(c *cli.Context, w world) error {
	what := c.Args().First()
	if what == staff.WebhookSecret {
		if err := exactly(c, 2, "\"webhook\" and its ID"); err != nil {
			return err
		}
		return secretOnce(c, w, func(s *session) (staff.Webhook, error) { return s.RotateWebhook(c.Context, c.Args().Get(1)) })
	}
	if c.NArg() > 1 || what != "" && !slices.Contains([]string{staff.InstitutionKey, staff.AuthorityKey, staff.SecretsKey}, what) {
		return usageError("%q is no key; want signing, authority, secrets, or webhook with its ID", what)
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	return with(c, w, func(s *session) error {
		if what == "" || what == staff.InstitutionKey {
			k, err := s.RotateKey(c.Context, c.Bool("self-made"))
			if err != nil {
				return err
			}
			return printKey(w, form, k)
		}
		k, err := rotated(c, s, what)
		if err != nil {
			return err
		}
		return printFields(w.stdout, form, k, [][2]string{{"what", k.What}, {"id", k.ID}, {"created_at", when(k.CreatedAt)}})
	})
}

// rotated makes a new key of a kind of which the home has one.
func rotated(c *cli.Context, s *session, what string) (staff.Key, error) {
	if what == staff.SecretsKey {
		return s.RotateSecretsKey(c.Context)
	}
	id, err := s.RotateAuthoritySecret(c.Context)
	if err != nil {
		return staff.Key{}, err
	}
	all, err := s.Keys(c.Context)
	if err != nil {
		return staff.Key{}, err
	}
	i := slices.IndexFunc(all, func(k staff.Key) bool { return k.What == what && k.ID == id })
	if i < 0 {
		return staff.Key{}, fmt.Errorf("the new secret %s is not among the home's keys", id)
	}
	return all[i], nil
}
