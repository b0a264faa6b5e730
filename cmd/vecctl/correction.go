package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
)

func correctionCommand(w environment) *cli.Command {
	flags := func(more ...cli.Flag) []cli.Flag { return append(append(homeFlags(), outputFlags()...), more...) }
	return withList(&cli.Command{
		Name: "correction", Aliases: []string{"corrections"}, Usage: "list and finish the corrections that people request on the pages of certificates",
		Flags: flags(&cli.BoolFlag{Name: "all", Usage: "include corrections that are done"}),
		Action: listAction(w, 0, "", correctionList(), func(c *cli.Context, s *session) ([]adminclient.CorrectionRequest, error) {
			return s.Corrections(c.Context, c.Bool("all"))
		}),
		Subcommands: []*cli.Command{{
			Name: "done", Usage: "mark a correction as done", ArgsUsage: "ID", Flags: flags(),
			Action: listAction(w, 1, "the correction's number", correctionList(), finishCorrection),
		}},
	}, "list the corrections that are asked for")
}

func finishCorrection(c *cli.Context, s *session) ([]adminclient.CorrectionRequest, error) {
	id, err := strconv.ParseUint(c.Args().First(), 10, 64)
	if err != nil {
		return nil, fault.Newf(fault.Invalid, "%q is not the number of a correction; see: vecctl corrections", c.Args().First())
	}
	done, err := s.FinishCorrection(c.Context, id)
	return []adminclient.CorrectionRequest{done}, err
}

func correctionList() list[adminclient.CorrectionRequest] {
	return list[adminclient.CorrectionRequest]{
		headings: []string{"id", "reference_id", "asked_at", "done_at", "text"},
		cells: func(c adminclient.CorrectionRequest) []string {
			return []string{fmt.Sprint(c.ID), c.ReferenceID, c.AskedAt.Format(time.RFC3339), formatTime(c.DoneAt), strings.Join(strings.Fields(c.Text), " ")}
		},
	}
}
