package main

import (
	_ "embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/backup"
)

//go:embed backup.service
var backupUnitText string

// backupUnitCommand returns the command that prints a systemd service and its timer.
func backupUnitCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "unit", Usage: "print a systemd service and timer for regular backups", ArgsUsage: "FOLDER",
		Flags: slices.Concat(homeFlags(), []cli.Flag{
			&cli.StringFlag{Name: "at", Value: "*-*-* 02:30", Usage: "`TIME` in the format of systemd.time(7)"},
			&cli.IntFlag{Name: "keep-daily", Value: 7, Usage: "keep the last backup of each of `N` days"},
			&cli.IntFlag{Name: "keep-weekly", Value: 5, Usage: "keep the last backup of each of `N` weeks"},
			&cli.StringFlag{Name: "passphrase-file", Usage: "`FILE` with the passphrase for encryption"},
			&cli.StringSliceFlag{Name: "recipient", Usage: "encrypt for an age public `KEY` instead of with a passphrase; may be repeated"},
		}),
		Action: func(c *cli.Context) error {
			if err := requireArgs(c, 1, "the folder of the backups"); err != nil {
				return err
			}
			text, err := backupUnit(c, w)
			if err != nil {
				return err
			}
			_, err = io.WriteString(w.stdout, text)
			return err
		},
	}
}

func backupUnit(c *cli.Context, w environment) (string, error) {
	dir, err := homeDir(c, w)
	if err != nil {
		return "", err
	}
	folder, err := filepath.Abs(c.Args().First())
	if err != nil {
		return "", err
	}
	program, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding this program's file: %w", err)
	}
	daily, weekly := c.Int("keep-daily"), c.Int("keep-weekly")
	if daily < 0 || weekly < 0 {
		return "", errKeep
	}
	words := []string{program, "backup", folder, "--home=" + string(dir), "--quiet",
		fmt.Sprintf("--keep-daily=%d", daily), fmt.Sprintf("--keep-weekly=%d", weekly)}
	locked, err := unitLock(c)
	if err != nil {
		return "", err
	}
	words = append(words, locked...)
	for i := range words {
		words[i] = quoteExec(words[i])
	}
	t, err := template.New("backup").Parse(backupUnitText)
	if err != nil {
		return "", fmt.Errorf("reading the service file: %w", err)
	}
	var b strings.Builder
	err = t.Execute(&b, map[string]string{"Home": escapeSpecifiers(string(dir)), "Command": strings.Join(words, " "),
		"User": ownerOf(string(dir)), "At": escapeSpecifiers(c.String("at"))})
	return b.String(), err
}

// unitLock returns the encryption flags of the service. The service also verifies the backup
// if it can decrypt it, which it cannot with a recipient's public key.
func unitLock(c *cli.Context) ([]string, error) {
	keys, path := c.StringSlice("recipient"), c.String("passphrase-file")
	switch {
	case len(keys) == 0 && path == "":
		return []string{"--verify"}, nil
	case len(keys) == 0:
		path, err := filepath.Abs(path)
		return []string{"--verify", "--passphrase-file=" + path}, err
	case path != "":
		return nil, usageError("use either --recipient or --passphrase-file, not both")
	}
	words := make([]string, len(keys))
	for i, key := range keys {
		words[i] = "--recipient=" + key
	}
	_, err := backup.Encryption{Recipients: keys}.Encrypt(io.Discard)
	return words, err
}
