package main

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

func keyUseCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "use", Usage: "sign new documents with a key on a token, in a helper process or in a signing service", ArgsUsage: "file|exec:PATH|csc:URL",
		Description: "file       the last key file of the home again\n" +
			"exec:PATH  a helper, with its arguments: \"exec:/usr/bin/vecctl-pkcs11 --module MODULE --token LABEL\"\n" +
			"csc:URL    a signing service (Cloud Signature Consortium, version 2): csc:https://sign.example.org/csc/v2\n" +
			"A document is signed and verified first: a key whose signatures would not be valid is refused. Signed\n" +
			"documents stay valid; the home keeps the previous key. While the signer cannot be reached, certificates wait.",
		Flags: slices.Concat(homeFlags(), outputFlags(), []cli.Flag{
			&cli.StringFlag{Name: "pin-file", Usage: "`FILE` with the PIN of the key (default: signing.pin, signing.pin_file or the systemd credential signing.pin)"},
			&cli.StringFlag{Name: "credential", Usage: "`ID` of the key in the signing service, where it has several"},
			&cli.StringFlag{Name: "client-id", Usage: "`NAME` with which the signing service knows this program (default: signing.csc_client_id)"},
			&cli.StringFlag{Name: "client-secret-file", Usage: "`FILE` with the secret of that name (default: signing.csc_client_secret and what belongs to it)"},
		}),
		Action: func(c *cli.Context) error {
			form, err := formatAndArgs(c, 1, "where the key is: file, exec:PATH or csc:URL")
			if err != nil {
				return err
			}
			q := adminclient.KeyPlace{Location: c.Args().First(), Credential: c.String("credential"), ClientID: c.String("client-id")}
			if q.PINFile, err = absolute(c.String("pin-file")); err != nil {
				return err
			}
			if q.ClientSecretFile, err = absolute(c.String("client-secret-file")); err != nil {
				return err
			}
			return withSession(c, w, func(s *session) error {
				k, err := s.UseKey(c.Context, q)
				if err != nil {
					return err
				}
				return printTakenKey(w, form, k)
			})
		},
	}
}

// absolute is a path counted from the root; the agent may work in another folder. "" stays.
func absolute(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	whole, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("finding %s: %w", path, err)
	}
	return whole, nil
}
