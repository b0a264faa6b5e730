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
)

//go:embed backup.service
var backupUnitText string

// backupUnitCommand prints a systemd service and its timer. They stand in one text,
// since both must say the same.
func backupUnitCommand(w world) *cli.Command {
	return &cli.Command{
		Name: "unit", Usage: "print a systemd service and timer that take backups", ArgsUsage: "FOLDER",
		Flags: slices.Concat(homeFlags(), []cli.Flag{
			&cli.StringFlag{Name: "at", Value: "*-*-* 02:30", Usage: "`WHEN`, as systemd.time(7) writes it"},
			&cli.IntFlag{Name: "keep-daily", Value: 7, Usage: "keep the last backup of `N` days"},
			&cli.IntFlag{Name: "keep-weekly", Value: 5, Usage: "keep the last backup of `N` weeks"},
			&cli.StringFlag{Name: "passphrase-file", Usage: "`FILE` with the passphrase to encrypt with"},
		}),
		Action: func(c *cli.Context) error {
			if err := exactly(c, 1, "the folder of the backups"); err != nil {
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

func backupUnit(c *cli.Context, w world) (string, error) {
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
	words := []string{program, "backup", folder, "--home=" + string(dir), "--verify", "--quiet",
		fmt.Sprintf("--keep-daily=%d", c.Int("keep-daily")), fmt.Sprintf("--keep-weekly=%d", c.Int("keep-weekly"))}
	if path := c.String("passphrase-file"); path != "" {
		if path, err = filepath.Abs(path); err != nil {
			return "", err
		}
		words = append(words, "--passphrase-file="+path)
	}
	for i := range words {
		words[i] = execWord(words[i])
	}
	t, err := template.New("backup").Parse(backupUnitText)
	if err != nil {
		return "", fmt.Errorf("reading the service file: %w", err)
	}
	var b strings.Builder
	err = t.Execute(&b, map[string]string{"Home": specifiers(string(dir)), "Command": strings.Join(words, " "),
		"User": ownerOf(string(dir)), "At": specifiers(c.String("at"))})
	return b.String(), err
}
