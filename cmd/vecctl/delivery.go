package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

func deliveriesCommand(w environment, flags func(...cli.Flag) []cli.Flag) *cli.Command {
	return &cli.Command{
		Name: "deliveries", Usage: "list deliveries, newest first, to one endpoint or to all", ArgsUsage: "[ID]",
		Flags: flags(newChoiceFlag("status", "only those with this `STATUS`", "pending", "success", "failed"),
			sinceFlag(), untilFlag(), &cli.IntFlag{Name: "limit", Value: 50, Usage: "list at most `N`"}),
		Action: func(c *cli.Context) error { return runDeliveries(c, w) },
	}
}

func deliveryCommand(w environment, flags func(...cli.Flag) []cli.Flag) *cli.Command {
	return &cli.Command{
		Name: "delivery", Usage: "show one delivery: its body, and every attempt with the response", ArgsUsage: "DELIVERY",
		Flags: flags(), Action: func(c *cli.Context) error { return runDelivery(c, w) },
	}
}

func redeliverCommand(w environment, flags func(...cli.Flag) []cli.Flag) *cli.Command {
	return &cli.Command{
		Name: "redeliver", Usage: "send deliveries again: the ones you name, or all failed ones", ArgsUsage: "DELIVERY...",
		Flags: flags(&cli.BoolFlag{Name: "all-failed", Usage: "all failed deliveries"},
			&cli.StringFlag{Name: "webhook", Usage: "with --all-failed: only those to the endpoint `ID`"}, sinceFlag(), untilFlag()),
		Action: func(c *cli.Context) error { return runRedeliver(c, w) },
	}
}

func sinceFlag() cli.Flag {
	return &cli.StringFlag{Name: "from", Usage: "only those created at or after `TIME`: 2026-06-04, 2026-06-04T10:30:00Z, or 2h for two hours ago"}
}

func untilFlag() cli.Flag {
	return &cli.StringFlag{Name: "to", Usage: "only those created before `TIME`"}
}

// selection reads the flags that select deliveries.
func selection(c *cli.Context) (adminclient.DeliveryFilter, error) {
	now := wallClock()
	from, err := momentFlag(c, "from", now)
	if err != nil {
		return adminclient.DeliveryFilter{}, err
	}
	to, err := momentFlag(c, "to", now)
	return adminclient.DeliveryFilter{From: from, To: to}, err
}

func runDeliveries(c *cli.Context, w environment) error {
	if c.NArg() > 1 {
		return requireArgs(c, 1, "")
	}
	form, err := parseOutputFormat(c)
	if err != nil {
		return err
	}
	f, err := selection(c)
	if err != nil {
		return err
	}
	limit := c.Int("limit")
	if limit < 1 {
		return usageError("--limit must be 1 or more")
	}
	f.Webhook, f.Status = c.Args().First(), c.String("status")
	return withSession(c, w, func(s *session) error {
		var all []adminclient.WebhookDelivery
		for len(all) < limit {
			f.Limit = min(limit-len(all), 1000)
			page, err := s.Deliveries(c.Context, f)
			if err != nil {
				return err
			}
			all = append(all, page...)
			if len(page) < f.Limit {
				break
			}
			f.Before = page[len(page)-1].Number
		}
		return deliveryList().print(w.stdout, form, all)
	})
}

func runDelivery(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 1, "the delivery's ID")
	if err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		d, err := s.Delivery(c.Context, c.Args().First())
		if err != nil {
			return err
		}
		fields := [][2]string{{"id", d.ID}, {"webhook_id", d.WebhookID}, {"event", d.Event}, {"uuid", d.UUID},
			{"status", d.Status}, {"created_at", d.CreatedAt.Format(time.RFC3339)}, {"body", d.Body}}
		for i, a := range d.Attempts {
			fields = append(fields, [2]string{fmt.Sprintf("attempt_%d", i+1), strings.TrimSpace(fmt.Sprintf("%s, after %d ms: %s %s",
				a.At.Format(time.RFC3339), a.DurationMS, outcomeOf(a), oneLine(a.Response)))})
		}
		return printFields(w.stdout, form, d, fields)
	})
}

func runRedeliver(c *cli.Context, w environment) error {
	f, err := selection(c)
	if err != nil {
		return err
	}
	form, err := parseOutputFormat(c)
	if err != nil {
		return err
	}
	f.Webhook, f.Status = c.String("webhook"), "failed"
	named := c.Args().Slice()
	switch all := c.Bool("all-failed"); {
	case len(named) == 0 && !all:
		return usageError("the delivery's ID is missing; or use --all-failed, with --webhook, --from and --to as filters")
	case len(named) > 0 && (all || c.IsSet("webhook") || c.IsSet("from") || c.IsSet("to")):
		return usageError("either name deliveries, or select them with --all-failed, not both")
	}
	ask := adminclient.Redelivery{Deliveries: named}
	if len(named) == 0 {
		ask.Filter = &f
	}
	return withSession(c, w, func(s *session) error {
		n, err := s.Redeliver(c.Context, ask)
		if err != nil {
			return err
		}
		if s.agent != nil && n > 0 {
			printLinef(w, "No agent runs on this home; deliveries that are not sent now are sent when an agent runs.")
		}
		return printFields(w.stdout, form, map[string]int{"redelivered": n}, [][2]string{{"redelivered", strconv.Itoa(n)}})
	})
}

// outcomeOf describes in a few words how an attempt ended.
func outcomeOf(a adminclient.DeliveryAttempt) string {
	if a.Error != "" {
		return a.Error
	}
	return strconv.Itoa(a.Status)
}

func deliveryList() list[adminclient.WebhookDelivery] {
	return list[adminclient.WebhookDelivery]{
		headings: []string{"id", "webhook_id", "event", "uuid", "status", "attempts", "last", "created_at"},
		cells: func(d adminclient.WebhookDelivery) []string {
			last := ""
			if n := len(d.Attempts); n > 0 {
				last = outcomeOf(d.Attempts[n-1])
			}
			return []string{d.ID, d.WebhookID, strings.TrimPrefix(d.Event, "certificate_application."), d.UUID, d.Status,
				strconv.Itoa(len(d.Attempts)), last, d.CreatedAt.Format(time.RFC3339)}
		},
	}
}
