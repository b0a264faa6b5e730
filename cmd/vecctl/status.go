package main

import (
	"fmt"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
)

func statusCommand(w world) *cli.Command {
	return &cli.Command{
		Name: "status", Usage: "what the home holds and what waits in it",
		Flags: append(homeFlags(), outputFlags()...),
		Action: func(c *cli.Context) error {
			if err := exactly(c, 0, ""); err != nil {
				return err
			}
			form, err := formOf(c)
			if err != nil {
				return err
			}
			return with(c, w, func(s *session) error {
				st, err := s.AgentStatus(c.Context)
				if err != nil {
					return err
				}
				return printFields(w.stdout, form, st, statusFields(st))
			})
		},
	}
}

func statusFields(s client.AgentStatus) [][2]string {
	process, notify := s.Jobs["process"], s.Jobs["notify"]
	return [][2]string{
		{"home", s.Home}, {"institution", s.Institution}, {"time_zone", s.TimeZone}, {"base_url", s.BaseURL},
		{"approved", strconv.Itoa(s.Certificates["approved"])},
		{"processing", strconv.Itoa(s.Certificates["processing"])},
		{"failed", strconv.Itoa(s.Certificates["failed"])},
		{"revoked", strconv.Itoa(s.Certificates["revoked"])},
		{"documents_waiting", strconv.Itoa(process.Waiting + process.Later)},
		{"mails_waiting", strconv.Itoa(notify.Waiting + notify.Later)},
		{"database", fmt.Sprintf("%.1f MB", float64(s.DatabaseSize)/(1<<20))},
	}
}
