package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

func actsCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "audit", Usage: "show the audit trail: who did what, when and from where",
		Subcommands: []*cli.Command{{
			Name: "list", Usage: "list the actions of staff and programs, oldest first", Description: "\"object\" is what the action was about, such as a certificate or a batch. \"person\" is the recipient, as a\n" +
				"keyed hash, because the trail is kept forever; \"recipient export\" finds the entries of an address.",
			Flags: slices.Concat(homeFlags(), outputFlags(), []cli.Flag{
				&cli.IntFlag{Name: "limit", Usage: "only the latest `N`"}}),
			Action: func(c *cli.Context) error { return runAuditList(c, w) },
		}, {
			Name: "verify", Usage: "check that no entry was changed or removed",
			Description: "Each entry contains the hash of the entry before it. Store the last hash, which this command prints, in\n" +
				"another place: with --head, a later run then also detects if entries were cut off at the end or if the\n" +
				"whole trail was rewritten.",
			Flags: slices.Concat(homeFlags(), outputFlags(), []cli.Flag{
				&cli.StringFlag{Name: "head", Usage: "the `HASH` that an earlier run printed"}}),
			Action: func(c *cli.Context) error { return runAuditVerify(c, w) },
		}},
	}
}

func runAuditList(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 0, "")
	if err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		var all []audit.Entry
		limit := c.Int("limit")
		_, err := s.EachAuditEntry(c.Context, func(e audit.Entry) error {
			if all = append(all, e); limit > 0 && len(all) > limit {
				all = all[1:]
			}
			return nil
		})
		if err != nil {
			return err
		}
		return actList().print(w.stdout, form, all)
	})
}

func actList() list[audit.Entry] {
	return list[audit.Entry]{
		headings: []string{"seq", "at", "who", "what", "from", "institution", "object", "person"},
		cells: func(e audit.Entry) []string {
			return []string{strconv.FormatUint(e.Seq, 10), e.At.UTC().Format(time.RFC3339), e.Actor, e.Request, e.RemoteAddr, e.Institution, e.Object, e.Person}
		},
	}
}

func runAuditVerify(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 0, "")
	if err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		head := c.String("head")
		seen := head == ""
		last, err := s.EachAuditEntry(c.Context, func(e audit.Entry) error {
			seen = seen || e.Hash == head
			return nil
		})
		if err != nil {
			return err
		}
		if !seen {
			return fault.Newf(fault.Damaged, "the audit trail no longer contains the entry %s: its end was cut off, or the trail was rewritten", head)
		}
		return printFields(w.stdout, form, struct {
			Entries uint64 `json:"entries"`
			Head    string `json:"head"`
		}{last.Seq, last.Hash}, [][2]string{{"entries", fmt.Sprint(last.Seq)}, {"head", last.Hash}})
	})
}
