package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

func listenCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "listen", Usage: "run only a receiver of webhooks, without the rest of the agent",
		Flags: slices.Concat(homeFlags(), settingFlags("listen", "tls.cert", "tls.key", "proxies", "log.level", "log.format", "log.file"), []cli.Flag{
			&cli.StringSliceFlag{Name: "secret", Usage: "accept events signed with this `SECRET`; may be repeated; other users of this machine can read it with ps [$VECCTL_RECEIVER_SECRET]"},
			&cli.StringFlag{Name: "secret-file", Usage: "accept events signed with the secrets in `FILE`, one a line; - for standard input"},
			&cli.StringSliceFlag{Name: "forward", Usage: "forward every event to `URL`; may be repeated [$VECCTL_RECEIVER_FORWARD]"},
			&cli.StringFlag{Name: "exec", Usage: "run `COMMAND` in the shell for every event, with its body on standard input and its fields in VEC_EVENT, VEC_UUID, ... [$VECCTL_RECEIVER_EXEC]"},
		}),
		Action: func(c *cli.Context) error { return runListen(c, w) },
	}
}

// receiverSettings returns the settings of the receiver. Flags override them.
func receiverSettings(c *cli.Context, w environment, set config.Config) (config.Receiver, error) {
	o := set.Receiver
	if c.IsSet("secret") || c.IsSet("secret-file") {
		more, err := readSecrets(c, w)
		if err != nil {
			return o, err
		}
		o.Secrets = append(c.StringSlice("secret"), more...)
	}
	if c.IsSet("forward") {
		o.Forward = c.StringSlice("forward")
	}
	if c.IsSet("exec") {
		o.Command = c.String("exec")
	}
	for _, address := range o.Forward {
		if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return o, usageError("--forward must be an address such as https://example.com/hook, not %q", address)
		}
	}
	if len(o.Secrets) == 0 {
		return o, usageError("there is no signing secret to check events with; use --secret-file FILE, or set VECCTL_RECEIVER_SECRET")
	}
	return o, nil
}

// readSecrets returns the secrets of --secret-file.
func readSecrets(c *cli.Context, w environment) ([]string, error) {
	if !c.IsSet("secret-file") {
		return nil, nil
	}
	const most = 64 << 10
	in, path := w.stdin, c.String("secret-file")
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the file of secrets %s cannot be read; check its name and permissions", path))
		}
		defer file.Close()
		in = file
	}
	raw, err := io.ReadAll(io.LimitReader(in, most+1))
	switch {
	case err != nil:
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the file of secrets %s cannot be read", path))
	case len(raw) > most:
		return nil, usageError("the file of secrets %s is too large; want one secret a line", path)
	}
	secrets := strings.Fields(string(raw))
	if len(secrets) == 0 {
		return nil, usageError("the file of secrets %s is empty; want one secret a line", path)
	}
	return secrets, nil
}

func runListen(c *cli.Context, w environment) (err error) {
	if err := requireArgs(c, 0, ""); err != nil {
		return err
	}
	set, err := loadSettings(c, w)
	if err != nil {
		return err
	}
	if set.Receiver, err = receiverSettings(c, w, set); err != nil {
		return err
	}
	if set.Listen == "" {
		return usageError("there is no address to listen on; use --listen ADDRESS")
	}
	log, closeLog, err := newLog(set.Log, w)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }()
	options := agentOptions(c, w, set, vault.Institution{}, log)
	options.LockWait = agentLockWait
	a, err := openHome(c.Context, options)
	if fault.Is(err, fault.Locked) {
		printLinef(w, "The agent on this home already receives webhooks, at POST %s. To run another receiver, name another home with --home.", agent.ReceiverPath)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return a.Listen(c.Context, func(staff, public string) {
		fmt.Fprintln(w.stdout, "vecctl listen ready: "+staff+" "+public+agent.ReceiverPath)
	})
}

func eventCommand(w environment) *cli.Command {
	return withList(&cli.Command{
		Name: "event", Aliases: []string{"events"}, Usage: "list the received webhook events, newest first",
		Flags: slices.Concat(homeFlags(), outputFlags(), []cli.Flag{
			&cli.IntFlag{Name: "limit", Value: 50, Usage: "list at most `N`"}}),
		Action: func(c *cli.Context) error { return runEvents(c, w) },
	}, "list the received webhook events, newest first")
}

func runEvents(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 0, "")
	if err != nil {
		return err
	}
	limit := c.Int("limit")
	if limit < 1 {
		return usageError("--limit must be 1 or more")
	}
	return withSession(c, w, func(s *session) error {
		var all []adminclient.ReceivedEvent
		for before := uint64(0); len(all) < limit; {
			n := min(limit-len(all), 1000)
			page, err := s.ReceivedEvents(c.Context, before, n)
			if err != nil {
				return err
			}
			all = append(all, page...)
			if len(page) < n {
				break
			}
			before = page[n-1].Number
		}
		return receivedList().print(w.stdout, form, all)
	})
}

func receivedList() list[adminclient.ReceivedEvent] {
	return list[adminclient.ReceivedEvent]{
		headings: []string{"number", "at", "event", "uuid", "tasks", "identity"},
		cells: func(e adminclient.ReceivedEvent) []string {
			tasks := make([]string, len(e.Tasks))
			for i, t := range e.Tasks {
				tasks[i] = t.Kind + ": " + t.Status
				if t.Error != "" {
					tasks[i] += " (" + t.Error + ")"
				}
			}
			return []string{fmt.Sprint(e.Number), e.At.Format(time.RFC3339), strings.TrimPrefix(e.Event, "certificate_application."),
				e.UUID, strings.Join(tasks, ", "), e.Identity}
		},
	}
}
