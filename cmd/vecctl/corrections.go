package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/fault"
)

func correctionsCommand(w world) *cli.Command {
	flags := func(more ...cli.Flag) []cli.Flag { return append(append(homeFlags(), outputFlags()...), more...) }
	return &cli.Command{
		Name: "corrections", Usage: "list the corrections that people ask for on the pages of certificates",
		Flags: flags(&cli.BoolFlag{Name: "all", Usage: "those too that staff have seen to"}),
		Action: func(c *cli.Context) error {
			return corrections(c, w, 0, func(s *session) ([]staff.Correction, error) {
				return s.Corrections(c.Context, c.Bool("all"))
			})
		},
		Subcommands: []*cli.Command{{
			Name: "done", Usage: "note that staff have seen to one", ArgsUsage: "ID", Flags: flags(),
			Action: func(c *cli.Context) error {
				return corrections(c, w, 1, func(s *session) ([]staff.Correction, error) {
					id, err := strconv.ParseUint(c.Args().First(), 10, 64)
					if err != nil {
						return nil, fault.Newf(fault.Invalid, "%q is no correction's number; see: vecctl corrections", c.Args().First())
					}
					done, err := s.FinishCorrection(c.Context, id)
					return []staff.Correction{done}, err
				})
			},
		}},
	}
}

// corrections runs a call that answers with corrections, and prints them.
func corrections(c *cli.Context, w world, arguments int, call func(*session) ([]staff.Correction, error)) error {
	if err := exactly(c, arguments, "the correction's number"); err != nil {
		return err
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	return with(c, w, func(s *session) error {
		found, err := call(s)
		if err != nil {
			return err
		}
		return correctionList().print(w.stdout, form, found)
	})
}

func correctionList() list[staff.Correction] {
	return list[staff.Correction]{
		headings: []string{"id", "reference_id", "asked_at", "done_at", "text"},
		cells: func(c staff.Correction) []string {
			done := ""
			if c.DoneAt != nil {
				done = c.DoneAt.Format(time.RFC3339)
			}
			return []string{fmt.Sprint(c.ID), c.ReferenceID, c.AskedAt.Format(time.RFC3339), done, strings.Join(strings.Fields(c.Text), " ")}
		},
	}
}
