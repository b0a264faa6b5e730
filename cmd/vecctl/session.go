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
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// session is a connection to a vault: to the agent that runs on the home, to an agent in
// this process, or to a remote API.
type session struct {
	*adminclient.Client
	remote  bool // only an API, without staff calls
	created bool // this command created the home
	acting  *institutionTransport

	agent *agent.Agent // nil unless it is in this process
	stop  context.CancelFunc
	ended chan error
}

// lockWait is how long a command waits for another that holds the home.
const lockWait = 1500 * time.Millisecond

// connect connects to the vault that the settings of a command name.
func connect(c *cli.Context, w environment) (*session, error) {
	set, err := loadSettings(c, w)
	if err != nil {
		return nil, err
	}
	if set.API != "" && hasFlag(c, "api") {
		if c.IsSet("institution") && c.String("institution") != w.getenv("VECCTL_INSTITUTION") {
			return nil, usageError("--institution does not go with --api: a token belongs to one institution")
		}
		transport, options, err := remoteTransport(set)
		if err != nil {
			return nil, err
		}
		remote, err := client.New(set.API, set.Token, transport, options...)
		if err != nil {
			return nil, err
		}
		return &session{Client: adminclient.FromClient(remote.WithRetries(client.RetryWhenAsked())), remote: true}, nil
	}
	return connectHome(c, w, set, vault.Institution{})
}

// remoteTransport returns how servers on other machines are called.
func remoteTransport(set config.Config) (http.RoundTripper, []client.Option, error) {
	var options []client.Option
	if set.InsecureHTTP {
		options = append(options, client.InsecureHTTP)
	}
	transport, err := client.NewTransport(client.TransportOptions{UserAgent: userAgent(), CA: set.CA, Timeout: set.Timeout})
	return transport, options, err
}

// userAgent is what requests say of this program.
func userAgent() string { return "vecctl/" + version().Version }

// connectHome connects to the agent that runs on the home. If none runs, it runs the agent in
// this process. It creates a home that does not exist, for the given institution or with a
// placeholder name.
func connectHome(c *cli.Context, w environment, set config.Config, institution vault.Institution) (*session, error) {
	dir := homeOf(set)
	acting, err := institutionFor(c, w, dir)
	if err != nil {
		return nil, err
	}
	if s, err := connectRunning(w, dir, acting); s != nil || err != nil {
		return s, err
	}
	log := slog.New(slog.NewTextHandler(w.stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	a, err := openHome(c.Context, agentOptions(c, w, set, institution, log))
	if fault.Is(err, fault.Locked) {
		// It may be an agent that has just started.
		if s, err := connectRunning(w, dir, acting); s != nil || err != nil {
			return s, err
		}
	}
	if err != nil {
		return nil, err
	}
	acting.next = client.InProcess(a.Handler())
	local, err := adminclient.New("http://vecctl.local", withUserHeader(w, acting))
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	ctx, stop := context.WithCancel(c.Context)
	s := &session{Client: local, acting: acting, agent: a, created: a.Created, stop: stop, ended: make(chan error, 1)}
	if c.Bool("dry-run") {
		s.ended <- nil // a dry run changes nothing, so it does not continue earlier work
	} else {
		go func() { s.ended <- a.Run(ctx) }()
	}
	if a.Created && c.Command.Name != "init" {
		printLinef(w, "Created a home for %q (%s) in %s; change its name, time zone and base URL with \"vecctl init\".",
			a.Institution().Name, a.Institution().TimeZone, dir)
	}
	return s, nil
}

// connectRunning connects to the agent that runs on the home. It returns nil if none runs.
func connectRunning(w environment, dir home.Dir, acting *institutionTransport) (*session, error) {
	endpoint, ok := dir.Running()
	if !ok {
		return nil, nil //nolint:nilnil // it is not an error that no agent runs
	}
	acting.next = newAgentConn(dir, endpoint)
	c, err := adminclient.New("http://vecctl.local", withUserHeader(w, acting))
	if err != nil {
		return nil, err
	}
	return &session{Client: c, acting: acting}, nil
}

// userOf returns the name of the user of this command; with sudo, the user who called sudo.
func userOf(w environment) string {
	return cmp.Or(w.getenv("SUDO_USER"), w.getenv("USER"), w.getenv("USERNAME"))
}

// auditContext returns a context with the audit entry for an action without an agent.
func auditContext(c *cli.Context, w environment, what string) context.Context {
	return audit.NewContext(c.Context, &audit.PendingAction{Action: audit.Action{Actor: adminclient.ActorName(userOf(w)), Request: what, RemoteAddr: "local"}, At: wallClock()})
}

// withUserHeader returns a transport that tells an agent the name of the user.
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
		Build: buildOf(version()), Now: wallClock, Random: rand.Reader, Log: log, ImageToPDF: w.page,
	}
}

func buildOf(v versionInfo) health.Build {
	return health.Build{Version: v.Version, Commit: v.Commit, Go: v.Go}
}

// close ends the session. An agent in this process finishes its current work.
func (s *session) close() error {
	if s.agent == nil {
		return nil
	}
	s.stop()
	return errors.Join(<-s.ended, s.agent.Close())
}

// withSession connects to the vault and runs a command's work.
func withSession(c *cli.Context, w environment, work func(*session) error) error {
	s, err := connect(c, w)
	if err != nil {
		return err
	}
	err = work(s)
	if err == nil {
		s.waitForMails(c)
	}
	if _, printed := errors.AsType[exitStatus](err); err == nil || printed {
		s.printInstitution(w)
	}
	// The error of the work decides the exit code.
	if closeErr := s.close(); err == nil {
		err = closeErr
	}
	return err
}

// mailWait is how long a command waits until its mails are sent. The next agent or command on
// the home sends the rest.
const mailWait = 2 * time.Second

// waitForMails waits until an agent in this process has sent its mails, at most mailWait.
func (s *session) waitForMails(c *cli.Context) {
	if s.agent == nil || c.Bool("dry-run") {
		return
	}
	ctx, stop := context.WithTimeout(c.Context, mailWait)
	defer stop()
	// After an error or a timeout they are still in the queue.
	_, _ = s.agent.Admin.FlushMails(ctx)
}

// homeDir returns the home's directory: from the flag, the environment or the default.
func homeDir(c *cli.Context, w environment) (home.Dir, error) {
	if named := c.String("home"); named != "" {
		path, err := filepath.Abs(named)
		return home.Dir(path), err
	}
	return home.Default(w.getenv)
}

// localZone returns the IANA name of this machine's time zone, or UTC if it is not known.
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
