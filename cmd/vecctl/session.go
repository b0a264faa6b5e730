package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

// session is a vault to talk to: an agent in this process, or a remote one.
type session struct {
	*client.Client
	agent *agent.Agent // nil for a remote vault
	stop  context.CancelFunc
	ended chan error
}

// lockWait is how long a command waits for another that holds the home.
const lockWait = 1500 * time.Millisecond

// connect opens the vault that a command is meant for.
func connect(c *cli.Context, w world) (*session, error) {
	if address := c.String("api"); address != "" {
		remote, err := client.New(address, c.String("token"), http.DefaultTransport)
		if err != nil {
			return nil, err
		}
		return &session{Client: remote}, nil
	}
	return connectHome(c, w, vault.Institution{})
}

// connectHome runs the agent of a home in this process. A home that does not
// exist is made, for the institution given or a stand-in.
func connectHome(c *cli.Context, w world, institution vault.Institution) (*session, error) {
	dir, err := homeDir(c, w)
	if err != nil {
		return nil, err
	}
	institution.Name = cmp.Or(institution.Name, "My Institution")
	institution.TimeZone = cmp.Or(institution.TimeZone, localZone(w))
	a, err := agent.Open(c.Context, agent.Options{
		Home: dir, BaseURL: w.getenv("VECCTL_BASE_URL"), Command: "vecctl " + c.Command.Name,
		Institution: institution, LockWait: lockWait,
		Now: time.Now, Random: rand.Reader,
		Log: slog.New(slog.NewTextHandler(w.stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		return nil, err
	}
	local, err := client.New("http://vecctl.local", "", client.InProcess(a.Handler()))
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	ctx, stop := context.WithCancel(c.Context)
	s := &session{Client: local, agent: a, stop: stop, ended: make(chan error, 1)}
	go func() { s.ended <- a.Run(ctx) }()
	if a.Made && c.Command.Name != "init" {
		say(w, "Made a home for %q (%s) in %s; \"vecctl init\" changes name, time zone and base URL.",
			institution.Name, institution.TimeZone, dir)
	}
	return s, nil
}

// close lets the agent finish what is in hand.
func (s *session) close() error {
	if s.agent == nil {
		return nil
	}
	s.stop()
	return errors.Join(<-s.ended, s.agent.Close())
}

// with runs a command's work on the vault that it is meant for.
func with(c *cli.Context, w world, work func(*session) error) error {
	s, err := connect(c, w)
	if err != nil {
		return err
	}
	// The first error counts; one of closing is told when there is no other.
	err = work(s)
	return cmp.Or(err, s.close())
}

// homeDir finds the home: flag, environment, default.
func homeDir(c *cli.Context, w world) (home.Dir, error) {
	if named := c.String("home"); named != "" {
		path, err := filepath.Abs(named)
		return home.Dir(path), err
	}
	return home.Default(w.getenv)
}

// localZone is the IANA name of this machine's time zone, UTC when it has none.
func localZone(w world) string {
	name := strings.TrimPrefix(w.getenv("TZ"), ":")
	if name == "" {
		if link, err := os.Readlink("/etc/localtime"); err == nil {
			_, name, _ = strings.Cut(link, "zoneinfo/")
		}
	}
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
		return "UTC"
	}
	return name
}
