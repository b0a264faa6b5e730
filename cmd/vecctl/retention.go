package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

func retentionCommand(w environment) *cli.Command {
	flags := func(more ...cli.Flag) []cli.Flag { return slices.Concat(homeOnlyFlags(), outputFlags(), more) }
	return &cli.Command{
		Name: "retention", Usage: "what the home keeps for a time, and deletes then",
		Description: "A running agent deletes once a day what retention.* in config.yaml says. Certificates with their events and\n" +
			"documents, reports and the audit trail are never deleted.",
		Subcommands: []*cli.Command{
			{
				Name: "show", Usage: "list what is kept for how long, what is due to be deleted, and when the next is",
				Flags: flags(), Action: func(c *cli.Context) error { return runRetention(c, w, false) },
			},
			{
				Name: "run", Usage: "delete now what is due",
				Flags:  flags(&cli.BoolFlag{Name: "dry-run", Usage: "list what would be deleted, and delete nothing"}),
				Action: func(c *cli.Context) error { return runRetention(c, w, !c.Bool("dry-run")) },
			},
		},
	}
}

func runRetention(c *cli.Context, w environment, run bool) error {
	form, err := formatAndArgs(c, 0, "")
	if err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		call, word := s.Retention, "due"
		if run {
			call, word = s.RunRetention, "deleted"
		}
		all, err := call(c.Context)
		if err != nil {
			return err
		}
		if err := retentionList(word).print(w.stdout, form, all); err != nil {
			return err
		}
		return reportRetention(w, all, run)
	})
}

func retentionList(word string) list[adminclient.RetentionItem] {
	return list[adminclient.RetentionItem]{
		headings: []string{"what", "kept", word, "size", "next", "setting"},
		cells: func(one adminclient.RetentionItem) []string {
			kept, next := "forever", ""
			if one.Days == 0 { // nobody looked how much there is
				return []string{one.What, kept, "", "", "", one.Setting}
			}
			switch {
			case one.Days == 1:
				kept = "1 day"
			case one.Days > 0:
				kept = strconv.Itoa(one.Days) + " days"
			}
			if one.Next != nil {
				next = one.Next.Format(time.DateOnly)
			}
			return []string{one.What, kept, strconv.Itoa(one.Due), sizeOf(one.Bytes), next, one.Setting}
		},
	}
}

// reportRetention says in words how much it was, and what could not be looked at or deleted.
func reportRetention(w environment, all []adminclient.RetentionItem, run bool) error {
	number, bytes, failed := 0, int64(0), 0
	for _, one := range all {
		number += one.Due
		bytes += one.Bytes
		if one.Error != "" {
			failed++
			printLinef(w, "%s: %s", one.What, one.Error)
		}
	}
	line := fmt.Sprintf("%d due, %s. Nothing was changed.", number, sizeOf(bytes))
	if run {
		line = fmt.Sprintf("%d deleted, %s.", number, sizeOf(bytes))
		if number > 0 {
			line += " \"vecctl compact\" returns what the database does not need any more to the disk."
		}
	}
	printLinef(w, "%s", line)
	if failed > 0 {
		return exitStatus(exitPartly)
	}
	return nil
}
