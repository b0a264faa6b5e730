package main

import (
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	files "github.com/vecctl/vecctl/agent/backup"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/backup"
	"github.com/vecctl/vecctl/pkg/fault"
)

func backupVerifyCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "verify", Usage: "check that a backup is complete and undamaged", ArgsUsage: "FILE",
		Flags: slices.Concat(homeFlags(), outputFlags(), keyFlags(), baseFlags()),
		Action: func(c *cli.Context) error {
			form, set, err := backupSet(c)
			if err != nil {
				return err
			}
			found, err := set.Read(c.Context, nil)
			if err != nil {
				return err
			}
			return printContents(w, form, found, len(found.Damaged), "")
		},
	}
}

func restoreCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "restore", Usage: "restore a home from its backup; the home must not exist yet", ArgsUsage: "FILE",
		Description: "The files are written into a folder next to the home and checked; then the folder gets the home's name.\n" +
			"If an agent still runs on the old home, stop it first: otherwise both would issue certificates.",
		Flags: slices.Concat(homeFlags(), outputFlags(), keyFlags(), baseFlags(), []cli.Flag{
			&cli.StringFlag{Name: "erasures", Usage: "`FILE` erasures.json of the home as it was: who was erased since the backup is erased again"}}),
		Action: func(c *cli.Context) error {
			form, set, err := backupSet(c)
			if err != nil {
				return err
			}
			dir, err := homeDir(c, w)
			if err != nil {
				return err
			}
			if info, err := os.Stat(string(dir)); err == nil && !info.IsDir() {
				return fault.Newf(fault.Invalid, "%s is not a folder; name another home with --home", dir)
			}
			if err := checkHomeOwner(dir); err != nil {
				return err
			}
			found, missing, err := files.Restore(auditContext(c, w, "vecctl restore"), set, string(dir), dir.Database())
			if err != nil {
				return err
			}
			if err := reapplyErasures(c, w, dir, found); err != nil {
				return err
			}
			return printContents(w, form, found, missing, dir)
		},
	}
}

// reapplyErasures erases in a restored home whom the list of --erasures has.
func reapplyErasures(c *cli.Context, w environment, dir home.Dir, found backup.Contents) error {
	list := c.String("erasures")
	if list == "" {
		printLinef(w, "Anyone who was erased after %s is in this backup still: erase them again, or restore with --erasures and the erasures.json of the home as it was.",
			found.Header.MadeAt.Format(time.RFC3339))
		return nil
	}
	if err := dir.AdoptErasures(list); err != nil {
		return fault.At("the home was restored, and nobody was erased again", err)
	}
	return withSession(c, w, func(s *session) error {
		n, err := s.ReapplyErasures(c.Context)
		if err != nil {
			return fault.At("the home was restored, and who was erased is not erased again yet; the agent tries at its next start", err)
		}
		printLinef(w, "Erased again, since they were erased after the backup: %d", n)
		return nil
	})
}

func baseFlags() []cli.Flag {
	return []cli.Flag{&cli.StringSliceFlag{Name: "base",
		Usage: "`FILE` of an earlier backup that this one needs (default: in the same folder); may be repeated"}}
}

func backupSet(c *cli.Context) (outputFormat, backup.Chain, error) {
	if err := requireArgs(c, 1, "the backup's file"); err != nil {
		return "", backup.Chain{}, err
	}
	f, err := parseOutputFormat(c)
	if err != nil {
		return "", backup.Chain{}, err
	}
	keys, err := keysOf(c)
	return f, backup.Chain{Path: c.Args().First(), Bases: c.StringSlice("base"), Keys: keys}, err
}

// printContents prints what a backup contains.
func printContents(w environment, f outputFormat, found backup.Contents, missing int, restored home.Dir) error {
	told := struct {
		backup.Contents
		Home string `json:"home,omitempty"`
	}{Contents: found, Home: string(restored)}
	h := found.Header
	since := ""
	if h.Since != nil {
		since = h.Since.File
	}
	err := printFields(w.stdout, f, told, [][2]string{
		{"home", told.Home}, {"institution", h.Institution}, {"id", h.ID}, {"made_at", h.MadeAt.Format(time.RFC3339)},
		{"made_by", "vecctl " + h.Vecctl}, {"since", since},
		{"documents", strconv.Itoa(found.Blobs + len(found.Elsewhere))}, {"other_files", strconv.Itoa(found.Files)},
	})
	if err != nil {
		return err
	}
	if missing > 0 {
		printLinef(w, "%d documents were already damaged or missing when the backup was made; everything else is complete.", missing)
		return exitStatus(exitPartly)
	}
	return nil
}
