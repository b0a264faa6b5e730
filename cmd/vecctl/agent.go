package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/pkg/vault"
)

func agentCommand(w world) *cli.Command {
	return &cli.Command{
		Name: "agent", Usage: "run the vault as a daemon",
		Flags: append(homeFlags(),
			&cli.StringFlag{Name: "listen", Value: "127.0.0.1:7780", EnvVars: []string{"VECCTL_LISTEN"}, Usage: "`ADDRESS` of the documented API; \"none\" for none"},
			&cli.StringFlag{Name: "log-level", Value: "info", Usage: "`LEVEL`: debug, info, warn, error"},
		),
		Action: func(c *cli.Context) error {
			if err := exactly(c, 0, ""); err != nil {
				return err
			}
			return runAgent(c, w)
		},
	}
}

func runAgent(c *cli.Context, w world) (err error) {
	log, err := newLog(c, w)
	if err != nil {
		return err
	}
	dir, err := homeDir(c, w)
	if err != nil {
		return err
	}
	a, err := agent.Open(c.Context, agentOptions(c, w, dir, vault.Institution{}, log))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	listen := c.String("listen")
	if listen == "none" {
		listen = ""
	}
	return a.Serve(c.Context, agent.ServeOptions{Listen: listen, Ready: func(staff, public string) {
		line := "vecctl agent ready: " + staff
		if public != "" {
			line += " " + public
		}
		fmt.Fprintln(w.stdout, line)
		notifySystemd(w, "READY=1")
	}})
}

// newLog writes text on a terminal and JSON for programs.
func newLog(c *cli.Context, w world) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.String("log-level"))); err != nil {
		return nil, usageError("%q is no log level; want debug, info, warn or error", c.String("log-level"))
	}
	options := &slog.HandlerOptions{Level: level}
	if isTerminal(w.stderr) {
		return slog.New(slog.NewTextHandler(w.stderr, options)), nil
	}
	return slog.New(slog.NewJSONHandler(w.stderr, options)), nil
}

// notifySystemd tells the service manager how the agent is, where there is one
// (sd_notify(3)). It is a courtesy: an error changes nothing.
func notifySystemd(w world, state string) {
	address := w.getenv("NOTIFY_SOCKET")
	if address == "" {
		return
	}
	if address[0] == '@' {
		address = "\x00" + address[1:]
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		fmt.Fprintln(os.Stderr, "vecctl: the service manager cannot be told:", err)
		return
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(state))
}
