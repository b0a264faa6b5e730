package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
)

func keyCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "key", Usage: "list and replace the keys of the home",
		Subcommands: []*cli.Command{{
			Name: "import", Usage: "sign new documents with a key from a file", ArgsUsage: "FILE",
			Description: "FILE is a PKCS#12 file (.p12, .pfx), or a PEM file with the key and its certificates, the key's own\n" +
				"certificate first. A document is signed for a test: a key whose signatures would not be valid is refused.\n" +
				"Signed documents stay valid; the home keeps the previous key.",
			Flags: append(append(homeFlags(), outputFlags()...),
				&cli.StringFlag{Name: "password-file", Usage: "`FILE` with the password of a PKCS#12 file (default: you are asked)"}),
			Action: func(c *cli.Context) error {
				form, err := formatAndArgs(c, 1, "the key's file")
				if err != nil {
					return err
				}
				return runKeyImport(c, w, form)
			},
		}, keyAct(w, "show", "show the key that signs new documents", nil, func(c *cli.Context, s *session) (adminclient.SigningKey, error) {
			return s.SigningKey(c.Context)
		}), keyTestCommand(w), keyUseCommand(w), keyListCommand(w), keyRotateCommand(w)},
	}
}

func keyTestCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "test", Usage: "sign a throw-away document with the key in use, and verify it", Flags: slices.Concat(homeFlags(), outputFlags()),
		Action: func(c *cli.Context) error {
			form, err := formatAndArgs(c, 0, "")
			if err != nil {
				return err
			}
			return withSession(c, w, func(s *session) error {
				k, err := s.TestKey(c.Context)
				if err != nil {
					return err
				}
				for _, warning := range k.Warnings {
					printLinef(w, "warning: %s", warning)
				}
				return printFields(w.stdout, form, k, append(keyFields(k.SigningKey), [2]string{"test", "a document was signed, and its signature is valid"}))
			})
		},
	}
}

// keyAct returns a command that prints the key that signs new documents.
func keyAct(w environment, name, usage string, flags []cli.Flag, act func(*cli.Context, *session) (adminclient.SigningKey, error)) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, Flags: slices.Concat(homeFlags(), outputFlags(), flags),
		Action: func(c *cli.Context) error {
			form, err := formatAndArgs(c, 0, "")
			if err != nil {
				return err
			}
			return withSession(c, w, func(s *session) error {
				k, err := act(c, s)
				if err != nil {
					return err
				}
				return printKey(w, form, k)
			})
		},
	}
}

func printKey(w environment, f outputFormat, k adminclient.SigningKey) error {
	return printFields(w.stdout, f, k, keyFields(k))
}

func keyFields(k adminclient.SigningKey) [][2]string {
	return [][2]string{
		{"subject", k.Subject}, {"issuer", k.Issuer},
		{"certificate_sha256", k.Fingerprint}, {"valid_until", k.ValidUntil.Format(time.DateOnly)},
		{"algorithm", k.Algorithm}, {"location", k.Location},
	}
}

func runKeyImport(c *cli.Context, w environment, f outputFormat) error {
	path := c.Args().First()
	body, err := os.ReadFile(path)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, fmt.Sprintf("the key %s cannot be read; check its name and permissions", path))
	}
	signer, err := readKey(c, w, body)
	if err != nil {
		return fault.At(path, err)
	}
	text, err := signer.PEM()
	if err != nil {
		return fault.At(path, err)
	}
	return withSession(c, w, func(s *session) error {
		k, err := s.ImportKey(c.Context, text)
		if err != nil {
			return err
		}
		return printTakenKey(w, f, k)
	})
}

// printTakenKey prints a key that was taken into use.
func printTakenKey(w environment, f outputFormat, k adminclient.ImportedKey) error {
	for _, warning := range k.Warnings {
		printLinef(w, "warning: %s", warning)
	}
	return printFields(w.stdout, f, k, keyFields(k.SigningKey))
}

func readKey(c *cli.Context, w environment, body []byte) (*pdf.Signer, error) {
	if bytes.Contains(body, []byte("-----BEGIN ")) {
		return pdf.LoadSigner(body, body)
	}
	// Some are protected by no password.
	signer, err := pdf.LoadPKCS12(body, "")
	if !errors.Is(err, pdf.ErrPassword) {
		return signer, err
	}
	password, err := keyPassword(c, w)
	if err != nil {
		return nil, err
	}
	return pdf.LoadPKCS12(body, password)
}

// keyPassword reads the password from its file, or asks for it on a terminal. There is no
// flag for it, because other users can see the flags of a process.
func keyPassword(c *cli.Context, w environment) (string, error) {
	if path := c.String("password-file"); path != "" {
		body, err := os.ReadFile(path)
		if err != nil {
			return "", fault.Wrap(fault.Invalid, err, fmt.Sprintf("the password file %s cannot be read", path))
		}
		return strings.TrimRight(string(body), "\r\n"), nil
	}
	in, ok := w.stdin.(*os.File)
	if !ok || !isTerminal(w.stdin) {
		return "", usageError("a PKCS#12 file needs a password; name the file with the password with --password-file")
	}
	fmt.Fprint(w.stderr, "Password: ")
	password, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(w.stderr)
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return string(password), nil
}
