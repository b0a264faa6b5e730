package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

func webhookCommand(w environment) *cli.Command {
	flags := func(more ...cli.Flag) []cli.Flag { return slices.Concat(homeFlags(), outputFlags(), more) }
	return &cli.Command{
		Name: "webhook", Usage: "manage webhooks, which notify other programs of events",
		Subcommands: []*cli.Command{
			{
				Name: "create", Usage: "create an endpoint; its signing secret is printed once", ArgsUsage: "URL",
				Flags: flags(eventFlag(), &cli.BoolFlag{Name: "inactive", Usage: "create it, but send nothing yet"},
					&cli.StringFlag{Name: "store", Usage: "send the events of the certified store `SLUG` instead of the institution's"}),
				Action: func(c *cli.Context) error { return runWebhookCreate(c, w) },
			},
			{
				Name: "list", Usage: "list the endpoints", Flags: flags(),
				Action: listAction(w, 0, "", webhookList(), func(c *cli.Context, s *session) ([]adminclient.Webhook, error) { return s.Webhooks(c.Context) }),
			},
			{
				Name: "update", Usage: "change an endpoint; --active also ends its suspension", ArgsUsage: "ID",
				Flags: flags(eventFlag(), &cli.StringFlag{Name: "url", Usage: "new `URL`"},
					&cli.BoolFlag{Name: "active", Usage: "send events to it"}, &cli.BoolFlag{Name: "inactive", Usage: "send nothing to it"}),
				Action: func(c *cli.Context) error { return runWebhookUpdate(c, w) },
			},
			{
				Name: "delete", Usage: "delete an endpoint", ArgsUsage: "ID",
				Flags:  flags(yesFlag()),
				Action: func(c *cli.Context) error { return runWebhookDelete(c, w) },
			},
			{
				Name: "rotate", Usage: "create a new signing secret, printed once; for one day, the old one also signs", ArgsUsage: "ID",
				Flags:  flags(),
				Action: func(c *cli.Context) error { return runWebhookRotate(c, w) },
			},
			{
				Name: "test", Usage: "send a test event to an endpoint, and show the result", ArgsUsage: "ID", Flags: flags(),
				Action: func(c *cli.Context) error { return runWebhookTest(c, w) },
			},
			deliveriesCommand(w, flags), deliveryCommand(w, flags), redeliverCommand(w, flags),
		},
	}
}

func eventFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "event", Aliases: []string{"e"},
		Usage: "`NAME` of an event to send, such as certificate_application.approved or just approved; may be repeated; \"all\" for all of the guide's; revoked and superseded are told where they are named"}
}

// eventNames returns the full names of the events in the flags.
func eventNames(given []string) []string {
	const prefix = "certificate_application."
	var names []string
	for _, name := range given {
		switch {
		case name == "all":
			for _, one := range []string{"created", "processing", "approved", "rejected", "failed", "retried"} {
				names = append(names, prefix+one)
			}
		case strings.Contains(name, "."):
			names = append(names, name)
		default:
			names = append(names, prefix+name)
		}
	}
	return names
}

func runWebhookCreate(c *cli.Context, w environment) error {
	if err := requireArgs(c, 1, "the endpoint's URL"); err != nil {
		return err
	}
	address, active := c.Args().First(), !c.Bool("inactive")
	edit := adminclient.WebhookEdit{URL: &address, Events: eventNames(c.StringSlice("event")), IsActive: &active, Store: c.String("store")}
	return printWebhookSecret(c, w, func(s *session) (adminclient.Webhook, error) { return s.CreateWebhook(c.Context, edit) })
}

func runWebhookRotate(c *cli.Context, w environment) error {
	if err := requireArgs(c, 1, "the endpoint's ID"); err != nil {
		return err
	}
	return printWebhookSecret(c, w, func(s *session) (adminclient.Webhook, error) { return s.RotateWebhook(c.Context, c.Args().First()) })
}

// printWebhookSecret prints the signing secret of a webhook alone on the last line of
// stdout.
func printWebhookSecret(c *cli.Context, w environment, call func(*session) (adminclient.Webhook, error)) error {
	form, err := parseOutputFormat(c)
	if err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		made, err := call(s)
		if err != nil {
			return err
		}
		return printSecret(w, form, made, made.Secret, "Webhook %s to %s; its signing secret is shown only once:", made.ID, made.URL)
	})
}

func runWebhookUpdate(c *cli.Context, w environment) error {
	edit := adminclient.WebhookEdit{Events: eventNames(c.StringSlice("event"))}
	if c.IsSet("url") {
		address := c.String("url")
		edit.URL = &address
	}
	active, inactive := c.Bool("active"), c.Bool("inactive")
	switch {
	case active && inactive:
		return usageError("use either --active or --inactive, not both")
	case active || inactive:
		edit.IsActive = &active
	case edit.URL == nil && len(edit.Events) == 0:
		return usageError("nothing to change; use --url, --event, --active or --inactive")
	}
	return listAction(w, 1, "the endpoint's ID", webhookList(), func(c *cli.Context, s *session) ([]adminclient.Webhook, error) {
		changed, err := s.UpdateWebhook(c.Context, c.Args().First(), edit)
		return []adminclient.Webhook{changed}, err
	})(c)
}

func runWebhookDelete(c *cli.Context, w environment) error {
	if err := requireArgs(c, 1, "the endpoint's ID"); err != nil {
		return err
	}
	if err := confirm(c, w, fmt.Sprintf("Delete webhook %s? Its waiting deliveries will not be sent.", c.Args().First())); err != nil {
		return err
	}
	return listAction(w, 1, "the endpoint's ID", webhookList(), func(c *cli.Context, s *session) ([]adminclient.Webhook, error) {
		gone, err := s.DeleteWebhook(c.Context, c.Args().First())
		return []adminclient.Webhook{gone}, err
	})(c)
}

func runWebhookTest(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 1, "the endpoint's ID")
	if err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		d, err := s.TestWebhook(c.Context, c.Args().First())
		if err != nil {
			return err
		}
		if err := deliveryList().print(w.stdout, form, []adminclient.WebhookDelivery{d}); err != nil {
			return err
		}
		if d.Status != "success" {
			return exitStatus(exitFailed)
		}
		return nil
	})
}

func webhookList() list[adminclient.Webhook] {
	return list[adminclient.Webhook]{
		headings: []string{"id", "url", "events", "state", "last_delivery_status", "consecutive_failures"},
		cells: func(h adminclient.Webhook) []string {
			state := "active"
			switch {
			case !h.IsActive:
				state = "inactive"
			case h.SuspendedAt != nil:
				state = "suspended"
			}
			names := make([]string, len(h.Events))
			for i, name := range h.Events {
				names[i] = strings.TrimPrefix(name, "certificate_application.")
			}
			return []string{h.ID, h.URL, strings.Join(names, " "), state, h.LastDeliveryStatus, strconv.Itoa(h.ConsecutiveFailures)}
		},
	}
}

// momentFlag reads a flag that is a time, a day, or a duration before now.
func momentFlag(c *cli.Context, name string, now time.Time) (time.Time, error) {
	text := c.String(name)
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil {
		return now.Add(-ago), nil
	}
	for _, form := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if at, err := time.ParseInLocation(form, text, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, usageError("--%s must be a time such as 2026-06-04, 2026-06-04T10:30:00Z or 2h (two hours ago), not %q", name, text)
}
