package main

import (
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

func compactCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "compact", Usage: "shrink the database file: return its free space to the disk",
		Description: "Stop the agent first. The command writes a new database next to the old one, so the disk needs space for\n" +
			"both.",
		Flags: append(homeFlags(), outputFlags()...),
		Action: func(c *cli.Context) error {
			form, err := formatAndArgs(c, 0, "")
			if err != nil {
				return err
			}
			return runCompact(c, w, form)
		},
	}
}

func runCompact(c *cli.Context, w environment, f outputFormat) error {
	dir, err := presentHome(c, w)
	if err != nil {
		return err
	}
	before, err := os.Stat(dir.Database())
	if err != nil {
		return fsutil.DiskError(err, "reading the size of the database")
	}
	const patience = time.Second
	if err := agent.Compact(auditContext(c, w, "vecctl compact"), dir, patience); err != nil {
		if _, runs := dir.Running(); runs && fault.Is(err, fault.Locked) {
			return fault.Wrap(fault.Locked, err, fmt.Sprintf("an agent runs on the home %s; stop it, run this command again, then start it", dir))
		}
		return err
	}
	after, err := os.Stat(dir.Database())
	if err != nil {
		return fsutil.DiskError(err, "reading the size of the database")
	}
	return printFields(w.stdout, f, struct {
		Before int64 `json:"before"`
		After  int64 `json:"after"`
	}{before.Size(), after.Size()}, [][2]string{{"before", sizeOf(before.Size())}, {"after", sizeOf(after.Size())}})
}
