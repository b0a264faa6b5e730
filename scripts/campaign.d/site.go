//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// site is a home that is tried, and what stands around it.
type site struct {
	setup
	home   string
	inbox  string // documents for bulk and the drop folder are made here
	out    string
	env    []string
	token  string
	mails  *mailServer
	hooks  *hookServer
	ledger *ledger
	agents int
}

// newSite makes a home in a folder, with a token, an endpoint for webhooks and a mail server.
func newSite(ctx context.Context, s setup, folder, inbox string) (*site, error) {
	v := &site{setup: s, home: filepath.Join(folder, "home"), out: filepath.Join(folder, "out"), inbox: inbox, ledger: newLedger()}
	var err error
	if v.mails, err = startMailServer(); err != nil {
		return nil, err
	}
	if v.hooks, err = startHookServer(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(inbox, 0o700); err != nil {
		return nil, err
	}
	v.env = append(os.Environ(), "VECCTL_HOME="+v.home, "TZ=Europe/Warsaw", "TMPDIR="+s.dir, "VECCTL_MAIL_HOLD=0s", "VECCTL_SETTLE=100ms",
		"VECCTL_WEBHOOK_ALLOW_PRIVATE=1", "VECCTL_SMTP_URL=smtp://"+v.mails.listener.Addr().String())
	if _, err := v.must(ctx, "init", "--no-input", "--institution", "University of the Campaign", "--sender", "office@vec.example.edu",
		"--base-url", "https://vec.example.edu", "--time-zone", "Europe/Warsaw"); err != nil {
		return nil, err
	}
	permissions := []string{"token", "create", "campaign"}
	for _, p := range []string{"create", "list", "view", "download"} {
		permissions = append(permissions, "--permission", "certificate-vault:"+p)
	}
	if v.token, err = v.lastLine(ctx, permissions...); err != nil {
		return nil, err
	}
	secret, err := v.lastLine(ctx, "webhook", "create", v.hooks.url(), "--event", "all")
	if err != nil {
		return nil, err
	}
	v.hooks.believe(secret)
	return v, nil
}

// close ends the servers.
func (v *site) close() {
	_ = v.mails.listener.Close()
	_ = v.hooks.listener.Close()
}

// ran is what a run of the program left.
type ran struct {
	code           int
	stdout, stderr string
}

func (r ran) String() string { return fmt.Sprintf("exit code %d\n%s\n%s", r.code, r.stdout, r.stderr) }

// broke reports whether the program ended with a stack trace.
func (r ran) broke() bool {
	return strings.Contains(r.stderr, "goroutine ") || strings.Contains(r.stderr, "panic:") || strings.Contains(r.stderr, "fatal error:")
}

func (v *site) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, v.vecctl, args...)
	cmd.Env, cmd.Dir = v.env, v.dir
	return cmd
}

// run runs the program to its end.
func (v *site) run(ctx context.Context, args ...string) ran {
	cmd := v.command(ctx, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	r := ran{stdout: out.String(), stderr: errs.String(), code: -1}
	if cmd.ProcessState != nil {
		r.code = cmd.ProcessState.ExitCode()
	} else {
		r.stderr += err.Error()
	}
	return r
}

// must runs the program and wants exit code 0.
func (v *site) must(ctx context.Context, args ...string) (ran, error) {
	r := v.run(ctx, args...)
	if r.code != 0 {
		return r, fmt.Errorf("vecctl %s: %v", strings.Join(args, " "), r)
	}
	return r, nil
}

func (v *site) lastLine(ctx context.Context, args ...string) (string, error) {
	r, err := v.must(ctx, args...)
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	return lines[len(lines)-1], err
}

// process is an agent that runs.
type process struct {
	site   *site
	cmd    *exec.Cmd
	log    string        // file of its messages
	public string        // its address
	ended  chan struct{} // closed when it has ended
	group  bool          // it is run by another program
}

// start starts an agent and waits until it is ready. before are words that stand before the
// program, such as a tracer's. An agent that ends before it is ready is an error that has its
// messages; the process is returned too.
func (v *site) start(ctx context.Context, before ...string) (*process, error) {
	p, lines, err := v.launch(before...)
	if err != nil {
		return nil, err
	}
	ready := make(chan string, 1)
	go func() {
		line, _ := lines.ReadString('\n')
		ready <- line
		_, _ = lines.WriteTo(&bytes.Buffer{}) // until it ends
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	select {
	case line := <-ready:
		fields := strings.Fields(line)
		if len(fields) == 5 {
			p.public = fields[4]
			return p, nil
		}
		<-p.ended
		return p, fmt.Errorf("the agent does not start: %s", p.messages())
	case <-ctx.Done():
		p.kill()
		return nil, ctx.Err()
	case <-time.After(2 * time.Minute):
		p.dump()
		return p, fmt.Errorf("the agent is not ready after two minutes: %s", p.messages())
	}
}

// dump has an agent that stands still write what its goroutines wait for, and ends it.
func (p *process) dump() {
	const patience = 5 * time.Second
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGQUIT)
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.kill()
	}
}

// launch starts an agent and does not wait.
func (v *site) launch(before ...string) (*process, *bufio.Reader, error) {
	v.agents++
	p := &process{site: v, ended: make(chan struct{}), log: filepath.Join(v.dir, fmt.Sprintf("agent-%d.log", v.agents)), group: len(before) > 0}
	words := append(before, v.vecctl, "agent", "--listen", "127.0.0.1:0", "--drop", filepath.Join(v.home, "drop")) //nolint:gocritic // before is the caller's own
	p.cmd = exec.Command(words[0], words[1:]...)
	p.cmd.Env, p.cmd.Dir = v.env, v.dir
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, nil, err
	}
	defer log.Close()
	p.cmd.Stderr = log
	if err := p.cmd.Start(); err != nil {
		return nil, nil, err
	}
	return p, bufio.NewReader(out), nil
}

// kill ends the agent without warning, with whatever runs it.
func (p *process) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.ended
}

// stop asks the agent to end, and returns its exit code.
func (p *process) stop() int {
	const patience = time.Minute
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.kill()
		return -1
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) messages() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// broke reports whether the agent has ended with a stack trace.
func (p *process) broke() bool { return ran{stderr: p.messages()}.broke() }

// api is a client with the token.
func (p *process) api() (*client.Client, error) {
	return client.New(p.public, p.site.token, &http.Transport{DisableKeepAlives: true})
}

// staff is a client on the socket.
func (v *site) staff() (*adminclient.Client, error) {
	return adminclient.New("http://vecctl.local", v.socket())
}

func (v *site) socket() http.RoundTripper {
	return &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(v.home, "agent.sock"))
	}}
}
