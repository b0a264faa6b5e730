package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

func initCommand(w world) *cli.Command {
	return &cli.Command{
		Name: "init", Usage: "set up a home, or change its settings",
		Flags: append(append(homeFlags(), outputFlags()...),
			&cli.StringFlag{Name: "institution", Usage: "`NAME` of the institution, as it stands in signatures"},
			&cli.StringFlag{Name: "base-url", Usage: "`URL` that QR codes and links begin with"},
			&cli.StringFlag{Name: "time-zone", Usage: "the institution's time `ZONE`, such as Europe/Warsaw"},
			&cli.StringFlag{Name: "sender", Usage: "`ADDRESS` that mails come from"},
			&cli.BoolFlag{Name: "no-input", Usage: "ask nothing"},
		),
		Action: func(c *cli.Context) error {
			if err := exactly(c, 0, ""); err != nil {
				return err
			}
			form, err := formOf(c)
			if err != nil {
				return err
			}
			return runInit(c, w, form, client.Settings{
				Institution: c.String("institution"), BaseURL: c.String("base-url"),
				TimeZone: c.String("time-zone"), Sender: c.String("sender"),
			})
		},
	}
}

func runInit(c *cli.Context, w world, f form, settings client.Settings) (err error) {
	// Wrong settings must not leave a half-made home behind.
	if err := agent.CheckSettings(settings); err != nil {
		return err
	}
	s, err := connectHome(c, w, vault.Institution{
		Name: settings.Institution, TimeZone: settings.TimeZone, Sender: settings.Sender})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if isTerminal(w.stdin) && isTerminal(w.stderr) && !c.Bool("no-input") {
		now, err := s.AgentStatus(c.Context)
		if err != nil {
			return err
		}
		if settings, err = askSettings(w, settings, now); err != nil {
			return err
		}
	}
	status, err := s.Configure(c.Context, settings)
	if err != nil {
		return err
	}
	if f != asTable {
		return printFields(w.stdout, f, status, statusFields(status))
	}
	verb := "Home changed"
	if s.made {
		verb = "Home made"
	}
	_, err = fmt.Fprintf(w.stdout, "%s: %s\n%s, %s, links begin with %s\n",
		verb, status.Home, status.Institution, status.TimeZone, status.BaseURL)
	return err
}

// askSettings asks for what the flags do not say; an empty answer keeps what is.
func askSettings(w world, given client.Settings, now client.AgentStatus) (client.Settings, error) {
	in := bufio.NewReader(w.stdin)
	ask := func(value *string, what, present string) error {
		if *value != "" {
			return nil
		}
		fmt.Fprintf(w.stderr, "%s [%s]: ", what, present)
		line, err := in.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading the answer: %w", err)
		}
		*value = strings.TrimSpace(line)
		return nil
	}
	err := errors.Join(
		ask(&given.Institution, "Institution, as it stands in signatures", now.Institution),
		ask(&given.TimeZone, "Time zone, in which a date is meant", now.TimeZone),
		ask(&given.BaseURL, "Public address that QR codes lead to", now.BaseURL),
		ask(&given.Sender, "Address that mails come from", now.Sender),
	)
	return given, err
}
