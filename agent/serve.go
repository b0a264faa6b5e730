package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/httpserver"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/router"
)

// Serve runs the agent with its listeners until ctx ends, then lets what is in hand
// finish. ready, which may be nil, is called with the addresses when all of them answer.
func (a *Agent) Serve(ctx context.Context, ready func(staff, public string)) error {
	watcher, err := a.newDropWatcher()
	if err != nil {
		return err
	}
	a.dropFolder.Store(watcher)
	defer a.dropFolder.Store(nil)
	receiver := a.newReceiver()
	return a.serveListeners(ctx, ready, a.instrument("api", a.publicHandler(receiver)), watcher.Run, receiver.Run, a.runAuthority, a.watchBounces)
}

// serveListeners runs the agent and some of its parts, and answers staff and, at the
// address that the settings name, everyone.
func (a *Agent) serveListeners(ctx context.Context, ready func(staff, public string), everyone http.Handler, parts ...func(context.Context) error) error {
	staff, endpoint, err := a.Home.Listen(a.Random)
	if err != nil {
		return err
	}
	listeners := []httpserver.Listener{{Listener: staff, Handler: endpoint.RequireKey(a.Handler())}}
	public := ""
	if a.config.Listen != "" {
		l, err := net.Listen("tcp", a.config.Listen)
		if err != nil {
			return errors.Join(fault.Wrap(fault.Invalid, err, fmt.Sprintf(
				"the address %s cannot be listened on; another program may hold it; choose one with --listen", a.config.Listen)), staff.Close())
		}
		public = "http://" + l.Addr().String()
		if a.config.TLS != (config.TLS{}) {
			secured, err := httpserver.NewTLSListener(l, a.config.TLS.Cert, a.config.TLS.Key, a.Now)
			if err != nil {
				return errors.Join(err, l.Close(), staff.Close())
			}
			l, public = secured, "https://"+l.Addr().String()
		}
		listeners = append(listeners, httpserver.Listener{Listener: l, Handler: router.Chain(everyone, httpserver.StrictTransport,
			httpserver.BodyTimeout(httpserver.DefaultBodyTimeout), httpserver.WriteTimeout(httpserver.DefaultWriteTimeout), a.health.LocalOnly)})
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
	if ready != nil {
		ready(endpoint.Network+":"+endpoint.Address, public)
	}
	return work.Wait()
}
