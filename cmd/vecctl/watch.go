package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/wake"
	"github.com/vecctl/vecctl/tui"
)

func watchCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "watch", Usage: "print events as they happen, one per line",
		Flags: append(homeFlags(), outputFlags()...),
		Action: func(c *cli.Context) error {
			form, err := formatAndArgs(c, 0, "")
			if err != nil {
				return err
			}
			return withSession(c, w, func(s *session) error { return watchInstitution(c, w, s, form) })
		},
	}
}

// reconnectAfter is the pause before the next attempt to connect.
const reconnectAfter = time.Second

// watchInstitution follows the events of one institution, and says first which one where
// the home has several.
func watchInstitution(c *cli.Context, w environment, s *session, f outputFormat) error {
	if err := s.bindInstitution(c.Context, false); err != nil {
		return err
	}
	s.printInstitution(w)
	return runWatch(c, w, streamOf(s), f)
}

// runWatch follows the event stream. If the agent ends, it prints a message, waits for the
// agent, and continues after the last event.
func runWatch(c *cli.Context, w environment, s tui.Stream, f outputFormat) error {
	last, lost := "", false
	for {
		err := s.Follow(c.Context, last, func(m adminclient.Message) error {
			if lost {
				printLinef(w, "Connected again.")
				lost = false
			}
			if m.ID != "" {
				last = m.ID
			}
			return printMessage(w, f, m)
		})
		if c.Context.Err() != nil {
			return nil // an interrupt is the normal end
		}
		if !fault.Is(err, fault.Unavailable) || client.IsUntrusted(err) {
			return err
		}
		if !lost {
			printLinef(w, "The connection to the agent was lost; waiting for the agent.")
			lost = true
		}
		if wake.Sleep(c.Context, reconnectAfter) != nil {
			return nil
		}
	}
}

func printMessage(w environment, f outputFormat, m adminclient.Message) error {
	if f != formatTable {
		switch {
		case m.Snapshot != nil:
			return printLine(w.stdout, map[string]any{"snapshot": m.Snapshot})
		case m.Certificate != nil:
			return printLine(w.stdout, map[string]any{"certificate": m.Certificate})
		case m.Batch != nil:
			return printLine(w.stdout, map[string]any{"batch": m.Batch})
		case m.Notice != nil:
			return printLine(w.stdout, map[string]any{"notice": m.Notice})
		}
		return nil
	}
	line := ""
	switch {
	case m.Snapshot != nil:
		st := m.Snapshot.Status
		line = fmt.Sprintf("watching %s: %d approved, %d processing, %d failed", st.Institution,
			st.Certificates["approved"], st.Certificates["processing"], st.Certificates["failed"])
		if st.Certificates == nil { // the vault does not count them
			line = fmt.Sprintf("watching %s", st.Institution)
		}
	case m.Certificate != nil:
		e := m.Certificate
		_, what, _ := strings.Cut(e.Event, ".")
		line = fmt.Sprintf("%s %-8s %s %s, %s", e.At.Local().Format(time.TimeOnly), what, e.ReferenceID, e.Name, e.Title)
	case m.Batch != nil:
		b := m.Batch
		line = fmt.Sprintf("batch %s is %s: %d of %d approved, %d processing, %d failed",
			b.Name, b.Status, b.Approved, b.Total, b.Processing, b.Failed)
	case m.Notice != nil:
		line = m.Notice.Level + ": " + m.Notice.Message
	default:
		return nil
	}
	_, err := fmt.Fprintln(w.stdout, oneLine(line))
	return err
}
