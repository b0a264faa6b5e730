package main

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

func keyListCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "list", Usage: "list all keys and secrets of the home, without their values",
		Flags: staffFlags(),
		Action: listAction(w, 0, "", keyList(), func(c *cli.Context, s *session) ([]adminclient.Key, error) {
			return s.Keys(c.Context)
		}),
	}
}

func keyList() list[adminclient.Key] {
	return list[adminclient.Key]{
		headings: []string{"what", "id", "state", "created_at", "expires_at", "of", "location"},
		cells: func(k adminclient.Key) []string {
			return []string{k.What, k.ID, k.State, formatTime(k.CreatedAt), formatTime(k.ExpiresAt), k.Of, k.Location}
		},
	}
}

func keyRotateCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "rotate", Usage: "replace a key with a new one; everything that is signed or issued stays valid", ArgsUsage: "[signing|authority|secrets|badges|webhook ID]",
		Description: "signing    the key that signs documents (the default)\n" +
			"authority  the secret for the hashes of the certification authority\n" +
			"secrets    the key that encrypts the home's secrets\n" +
			"badges     the key that signs badges; the old one stays listed, so that badges stay valid\n" +
			"webhook ID the signing secret of a webhook, printed once; for one day, deliveries are also signed\n" +
			"           with the old secret",
		Flags: slices.Concat(homeFlags(), outputFlags(), []cli.Flag{
			&cli.StringFlag{Name: "algorithm", Usage: "`KIND` of the new signing key: P-256, P-384 or RSA-3072 (default: that of the key in use)"},
			&cli.BoolFlag{Name: "self-made", Usage: "replace a signing key that an authority certified with a self-signed one"}}),
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
	if c.NArg() > 1 || what != "" && !slices.Contains([]string{adminclient.InstitutionKey, adminclient.AuthorityKey, adminclient.SecretsKey, adminclient.CredentialKey}, what) {
		return usageError("unknown key %q; use signing, authority, secrets, badges, or webhook with its ID", what)
	}
	if c.IsSet("algorithm") && what != "" && what != adminclient.InstitutionKey {
		return usageError("--algorithm is for the signing key")
	}
	form, err := parseOutputFormat(c)
	if err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		if what == "" || what == adminclient.InstitutionKey {
			k, err := s.ReplaceKey(c.Context, c.String("algorithm"), c.Bool("self-made"))
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

// rotateKey replaces the authority's secret, the key for secrets or that for badges.
func rotateKey(c *cli.Context, s *session, what string) (adminclient.Key, error) {
	switch what {
	case adminclient.SecretsKey:
		return s.RotateSecretsKey(c.Context)
	case adminclient.CredentialKey:
		return s.RotateCredentialKey(c.Context)
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
		return adminclient.Key{}, fmt.Errorf("the new secret %s is missing from the list of keys", id)
	}
	return all[i], nil
}
