package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

func statusCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "status", Usage: "show what is in the home, and what is waiting",
		Flags: append(homeFlags(), outputFlags()...),
		Action: objectAction(w, 0, "", statusFields,
			func(c *cli.Context, s *session) (adminclient.AgentStatus, error) { return s.AgentStatus(c.Context) }),
	}
}

func statusFields(s adminclient.AgentStatus) [][2]string {
	var problems []string
	for _, p := range s.Problems {
		problems = append(problems, p.Message)
	}
	process, notify, owed, levels := s.Jobs["process"], s.Jobs["notify"], s.Jobs["timestamp"], s.Jobs["preserve"]
	send, fetch := s.Jobs["send"], s.Jobs["fetch"]
	return append([][2]string{
		{"home", s.Home}, {"institution", s.Institution}, {"time_zone", s.TimeZone}, {"base_url", s.BaseURL}, {"issued_by", s.Relay},
		{"approved", strconv.Itoa(s.Certificates["approved"])},
		{"processing", strconv.Itoa(s.Certificates["processing"])},
		{"failed", strconv.Itoa(s.Certificates["failed"])},
		{"revoked", strconv.Itoa(s.Certificates["revoked"])},
		{"applications_open", number(s.Certificates["pending"] + s.Certificates["in_review"])},
		{"corrections_open", number(s.Corrections)},
		{"documents_waiting", strconv.Itoa(process.Waiting + process.Later)},
		{"on_the_other_vault", number(send.Waiting + send.Later + fetch.Waiting + fetch.Later)},
		{"mails_waiting", strconv.Itoa(notify.Waiting + notify.Later)},
		{"timestamps_owed", number(owed.Waiting + owed.Later)},
		{"levels_owed", number(levels.Waiting + levels.Later)},
		{"database", sizeOf(s.DatabaseSize)},
		{"problems", strings.Join(problems, "; ")},
	}, dropFields(s.Drop)...)
}

// number formats a count; "" for zero.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// dropFields lists the files in the drop folder, and why they wait.
func dropFields(d *adminclient.DropFolder) [][2]string {
	if d == nil {
		return nil
	}
	fields := [][2]string{{"drop_folder", fmt.Sprintf("%s (%s), %d files", d.Folder, d.Watch, d.Total)}}
	const shown = 20
	for i, f := range d.Waiting {
		if i == shown {
			fields = append(fields, [2]string{"and", fmt.Sprintf("%d more; vecctl status --json lists them", d.Total-shown)})
			break
		}
		text := fmt.Sprintf("%s, %s since %s", f.Name, f.State, f.Since.Local().Format(time.DateTime))
		if f.Note != "" {
			text += ": " + f.Note
		}
		fields = append(fields, [2]string{"waiting", text})
	}
	return fields
}
