package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/agent/api"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/httpserver"
	"github.com/vecctl/vecctl/agent/webhooks"
	"github.com/vecctl/vecctl/pkg/fault"
)

// ServeOptions say where an agent answers.
type ServeOptions struct {
	Listen string // TCP address of the documented API; "" is none
	// CertFile and KeyFile, PEM, make the documented API answer over TLS.
	CertFile, KeyFile string
	// Proxies are the addresses of proxies that may say who calls, and how.
	Proxies []netip.Prefix
	Limits  api.Limits
	Drop    DropOptions
	// Receiver says what the agent believes of what others tell it, and what it does.
	Receiver ReceiverOptions
	receiver *webhooks.Receiver
	// Ready is told the addresses when all of them answer.
	Ready func(staff, public string)
}

// Serve runs the agent with its faces until ctx ends, then lets what is in hand
// finish.
func (a *Agent) Serve(ctx context.Context, o ServeOptions) error {
	watcher, err := a.newDropWatcher(o.Drop)
	if err != nil {
		return err
	}
	a.dropFolder.Store(watcher)
	defer a.dropFolder.Store(nil)
	o.receiver = a.newReceiver(o.Receiver)
	return a.serveListeners(ctx, o, a.instrument("api", a.PublicHandlerFor(o)), watcher.Run, o.receiver.Run, a.runAuthority, a.watchBounces)
}

// serveListeners runs the agent and some of its parts, and answers staff and, at the
// address that the options name, everyone.
func (a *Agent) serveListeners(ctx context.Context, o ServeOptions, everyone http.Handler, parts ...func(context.Context) error) error {
	staff, endpoint, err := a.Home.Listen(a.Random)
	if err != nil {
		return err
	}
	listeners := []httpserver.Listener{{Listener: staff, Handler: endpoint.RequireKey(a.Handler())}}
	public := ""
	if o.Listen != "" {
		l, err := net.Listen("tcp", o.Listen)
		if err != nil {
			return errors.Join(fault.Wrap(fault.Invalid, err, fmt.Sprintf(
				"the address %s cannot be listened on; another program may hold it; choose one with --listen", o.Listen)), staff.Close())
		}
		public = "http://" + l.Addr().String()
		if o.CertFile != "" || o.KeyFile != "" {
			secured, err := httpserver.NewTLSListener(l, o.CertFile, o.KeyFile, a.Now)
			if err != nil {
				return errors.Join(err, l.Close(), staff.Close())
			}
			l, public = secured, "https://"+l.Addr().String()
		}
		listeners = append(listeners, httpserver.Listener{Listener: l, Handler: httpserver.BodyTimeout(httpserver.DefaultBodyTimeout, health.LocalOnly(a.health.Handler(), everyone))})
	}
	err = a.Home.WriteLockInfo(home.LockInfo{PID: os.Getpid(), Command: a.Command, Since: a.Now(), Endpoint: &endpoint})
	if err != nil {
		for _, f := range listeners {
			err = errors.Join(err, f.Listener.Close())
		}
		return err
	}
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return a.Run(ctx) })
	for _, part := range parts {
		work.Go(func() error { return part(ctx) })
	}
	for _, f := range listeners {
		work.Go(func() error { return f.Serve(ctx) })
	}
	a.health.SetRunning(true)
	defer context.AfterFunc(ctx, func() { a.health.SetRunning(false) })()
	if o.Ready != nil {
		o.Ready(endpoint.Network+":"+endpoint.Address, public)
	}
	return work.Wait()
}
