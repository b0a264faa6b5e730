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
		Action: rows(w, 0, "", correctionList(), func(c *cli.Context, s *session) ([]staff.Correction, error) {
			return s.Corrections(c.Context, c.Bool("all"))
		}),
		Subcommands: []*cli.Command{{
			Name: "done", Usage: "note that staff have seen to one", ArgsUsage: "ID", Flags: flags(),
			Action: rows(w, 1, "the correction's number", correctionList(), finishCorrection),
		}},
	}
}

func finishCorrection(c *cli.Context, s *session) ([]staff.Correction, error) {
	id, err := strconv.ParseUint(c.Args().First(), 10, 64)
	if err != nil {
		return nil, fault.Newf(fault.Invalid, "%q is no correction's number; see: vecctl corrections", c.Args().First())
	}
	done, err := s.FinishCorrection(c.Context, id)
	return []staff.Correction{done}, err
}

func correctionList() list[staff.Correction] {
	return list[staff.Correction]{
		headings: []string{"id", "reference_id", "asked_at", "done_at", "text"},
		cells: func(c staff.Correction) []string {
			return []string{fmt.Sprint(c.ID), c.ReferenceID, c.AskedAt.Format(time.RFC3339), when(c.DoneAt), strings.Join(strings.Fields(c.Text), " ")}
		},
	}
}
