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
	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/client/inproc"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// session is a vault to talk to: the agent that runs on the home, else one in
// this process, or a remote API.
type session struct {
	*adminclient.Client
	remote  bool // an API alone, without a panel
	created bool // the home was made just now

	agent *agent.Agent // nil unless it is in this process
	stop  context.CancelFunc
	ended chan error
}

// lockWait is how long a command waits for another that holds the home.
const lockWait = 1500 * time.Millisecond

// connect opens the vault that a command is meant for.
func connect(c *cli.Context, w environment) (*session, error) {
	set, err := loadSettings(c, w)
	if err != nil {
		return nil, err
	}
	if set.API != "" && hasFlag(c, "api") {
		remote, err := client.New(set.API, set.Token, http.DefaultTransport)
		if err != nil {
			return nil, err
		}
		return &session{Client: adminclient.FromClient(remote.WithRetries(client.RetryWhenAsked())), remote: true}, nil
	}
	return connectHome(c, w, set, vault.Institution{})
}

// connectHome talks to the agent that runs on the home; where none does, it runs
// the agent in this process. A home that does not exist is made, for the
// institution given or a stand-in.
func connectHome(c *cli.Context, w environment, set config.Config, institution vault.Institution) (*session, error) {
	dir := homeOf(set)
	if s, err := connectRunning(w, dir); s != nil || err != nil {
		return s, err
	}
	log := slog.New(slog.NewTextHandler(w.stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	a, err := openHome(c.Context, agentOptions(c, w, set, institution, log))
	if fault.Is(err, fault.Locked) {
		// It may be an agent that has just begun to answer.
		if s, err := connectRunning(w, dir); s != nil || err != nil {
			return s, err
		}
	}
	if err != nil {
		return nil, err
	}
	local, err := adminclient.New("http://vecctl.local", withUserHeader(w, inproc.Transport(a.Handler())))
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	ctx, stop := context.WithCancel(c.Context)
	s := &session{Client: local, agent: a, created: a.Created, stop: stop, ended: make(chan error, 1)}
	if c.Bool("dry-run") {
		s.ended <- nil // it changes nothing, not even what an earlier run left to do
	} else {
		go func() { s.ended <- a.Run(ctx) }()
	}
	if a.Created && c.Command.Name != "init" {
		printLinef(w, "Made a home for %q (%s) in %s; \"vecctl init\" changes name, time zone and base URL.",
			a.Institution().Name, a.Institution().TimeZone, dir)
	}
	return s, nil
}

// connectRunning talks to the agent that runs on the home; nil when none does.
func connectRunning(w environment, dir home.Dir) (*session, error) {
	endpoint, ok := dir.Running()
	if !ok {
		return nil, nil //nolint:nilnil // no agent is no error
	}
	c, err := adminclient.New("http://vecctl.local", withUserHeader(w, newAgentConn(dir, endpoint)))
	if err != nil {
		return nil, err
	}
	return &session{Client: c}, nil
}

// userOf is who the command's user is on the machine: behind sudo, who called it.
func userOf(w environment) string {
	return cmp.Or(w.getenv("SUDO_USER"), w.getenv("USER"), w.getenv("USERNAME"))
}

// auditContext puts what is done without an agent on its way into the audit trail.
func auditContext(c *cli.Context, w environment, what string) context.Context {
	return audit.NewContext(c.Context, &audit.PendingAction{Action: audit.Action{Actor: adminclient.ActorName(userOf(w)), Request: what, RemoteAddr: "local"}, At: time.Now()})
}

// withUserHeader tells an agent who its staff is.
func withUserHeader(w environment, next http.RoundTripper) http.RoundTripper {
	return userHeaderTransport{userOf(w), next}
}

type userHeaderTransport struct {
	name string
	next http.RoundTripper
}

func (t userHeaderTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.name != "" {
		r = r.Clone(r.Context())
		r.Header.Set(adminclient.UserHeader, t.name)
	}
	return t.next.RoundTrip(r)
}

func agentOptions(c *cli.Context, w environment, set config.Config, institution vault.Institution, log *slog.Logger) agent.Options {
	institution.Name = cmp.Or(institution.Name, vault.PlaceholderName)
	institution.TimeZone = cmp.Or(institution.TimeZone, localZone(w))
	return agent.Options{
		Home: homeOf(set), Config: &set, Command: "vecctl " + c.Command.Name,
		Institution: institution, LockWait: lockWait,
		Build: buildOf(version()), Now: time.Now, Random: rand.Reader, Log: log, ImageToPDF: w.page,
	}
}

func buildOf(v versionInfo) health.Build {
	return health.Build{Version: v.Version, Commit: v.Commit, Go: v.Go}
}

// close lets the agent finish what is in hand.
func (s *session) close() error {
	if s.agent == nil {
		return nil
	}
	s.stop()
	return errors.Join(<-s.ended, s.agent.Close())
}

// withSession runs a command's work on the vault that it is meant for.
func withSession(c *cli.Context, w environment, work func(*session) error) error {
	s, err := connect(c, w)
	if err != nil {
		return err
	}
	err = work(s)
	if err == nil {
		s.waitForMails(c)
	}
	// The error of the work decides the exit code.
	if closeErr := s.close(); err == nil {
		err = closeErr
	}
	return err
}

// mailWait is how long a command waits for its mails to go out. What is left then
// goes out when an agent, or another command, runs on the home.
const mailWait = 2 * time.Second

// waitForMails waits a little for mails of an agent in this process.
func (s *session) waitForMails(c *cli.Context) {
	if s.agent == nil || c.Bool("dry-run") {
		return
	}
	ctx, stop := context.WithTimeout(c.Context, mailWait)
	defer stop()
	// An error leaves them in the queue, as running out of time does.
	_, _ = s.agent.Admin.FlushMails(ctx)
}

// homeDir finds the home: flag, environment, default.
func homeDir(c *cli.Context, w environment) (home.Dir, error) {
	if named := c.String("home"); named != "" {
		path, err := filepath.Abs(named)
		return home.Dir(path), err
	}
	return home.Default(w.getenv)
}

// localZone is the IANA name of this machine's time zone, UTC when it has none.
func localZone(w environment) string {
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
