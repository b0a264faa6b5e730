package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/vault"
)

func agentCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "agent", Usage: "run the vault as a daemon",
		Flags: append(homeFlags(), agentSettings()...),
		Action: func(c *cli.Context) error {
			if err := requireArgs(c, 0, ""); err != nil {
				return err
			}
			return asService(c, func(c *cli.Context) error { return runAgent(c, w) })
		},
		Subcommands: serviceCommands(w),
	}
}

// agentLockWait is how long an agent waits for a command that holds the home. A second
// agent on the same home reports an error within two seconds.
const agentLockWait = time.Second

func runAgent(c *cli.Context, w environment) (err error) {
	setGCPercent(w.getenv, gcPercentLongRunning)
	set, err := loadSettings(c, w)
	if err != nil {
		return err
	}
	if err := checkHomeOwner(homeOf(set)); err != nil { // a log file would be root's
		return err
	}
	log, closeLog, err := newLog(set.Log, w)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }()
	options := agentOptions(c, w, set, vault.Institution{}, log)
	options.LockWait = agentLockWait
	a, err := openHome(c.Context, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	defer context.AfterFunc(c.Context, func() { notifySystemd(w, "STOPPING=1") })()
	return a.Serve(c.Context, func(staff, public string) {
		line := "vecctl agent ready: " + staff
		if public != "" {
			line += " " + public
		}
		// Before the line: its reader may stop the agent at once.
		notifySystemd(w, "READY=1")
		fmt.Fprintln(w.stdout, line)
	})
}

// notifySystemd reports the agent's state to the service manager, if there is one
// (sd_notify(3)). An error is not fatal.
func notifySystemd(w environment, state string) {
	address := w.getenv("NOTIFY_SOCKET")
	if address == "" {
		return
	}
	if address[0] == '@' {
		address = "\x00" + address[1:]
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		fmt.Fprintln(os.Stderr, "vecctl: the service manager cannot be notified:", err)
		return
	}
	_, _ = conn.Write([]byte(state))
	_ = conn.Close()
}
