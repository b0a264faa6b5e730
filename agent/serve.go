package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/agent/api"
	"github.com/vecctl/vecctl/agent/edge"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/receive"
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
	receiver *receive.Receiver
	// Ready is told the addresses when all of them answer.
	Ready func(staff, public string)
}

// drainTime is how long calls that are under way may take after the end was
// asked for; work on certificates ends by itself, between two of them.
const drainTime = 8 * time.Second

// Serve runs the agent with its faces until ctx ends, then lets what is in hand
// finish.
func (a *Agent) Serve(ctx context.Context, o ServeOptions) error {
	watcher, err := a.newDrop(o.Drop)
	if err != nil {
		return err
	}
	a.dropFolder.Store(watcher)
	defer a.dropFolder.Store(nil)
	o.receiver = a.newReceiver(o.Receiver)
	return a.serveFaces(ctx, o, a.measured("api", a.PublicHandlerFor(o)), watcher.Run, o.receiver.Run, a.runAuthority, a.watchBounces)
}

// serveFaces runs the agent and some of its parts, and answers staff and, at the
// address that the options name, everyone.
func (a *Agent) serveFaces(ctx context.Context, o ServeOptions, everyone http.Handler, parts ...func(context.Context) error) error {
	staff, endpoint, err := a.Home.Listen(a.Random)
	if err != nil {
		return err
	}
	faces := []face{{listener: staff, handler: endpoint.Guard(a.Handler())}}
	public := ""
	if o.Listen != "" {
		l, err := net.Listen("tcp", o.Listen)
		if err != nil {
			return errors.Join(fault.Wrap(fault.Invalid, err, fmt.Sprintf(
				"the address %s cannot be listened on; another program may hold it; choose one with --listen", o.Listen)), staff.Close())
		}
		public = "http://" + l.Addr().String()
		if o.CertFile != "" || o.KeyFile != "" {
			secured, err := edge.Secure(l, o.CertFile, o.KeyFile, a.Now)
			if err != nil {
				return errors.Join(err, l.Close(), staff.Close())
			}
			l, public = secured, "https://"+l.Addr().String()
		}
		faces = append(faces, face{listener: l, handler: health.Local(a.health.Handler(), everyone)})
	}
	err = a.Home.SetHolder(home.Holder{PID: os.Getpid(), Command: a.Command, Since: a.Now(), Endpoint: &endpoint})
	if err != nil {
		for _, f := range faces {
			err = errors.Join(err, f.listener.Close())
		}
		return err
	}
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return a.Run(ctx) })
	for _, part := range parts {
		work.Go(func() error { return part(ctx) })
	}
	for _, f := range faces {
		work.Go(func() error { return f.serve(ctx) })
	}
	a.health.Running(true)
	defer context.AfterFunc(ctx, func() { a.health.Running(false) })()
	if o.Ready != nil {
		o.Ready(endpoint.Network+":"+endpoint.Address, public)
	}
	return work.Wait()
}

// face is an address with who answers there.
type face struct {
	listener net.Listener
	handler  http.Handler
}

// Bounds of what a client may keep waiting. There is none for a whole answer:
// streams last as long as somebody reads them.
const (
	headerTime = 10 * time.Second
	idleTime   = 2 * time.Minute
)

func (f face) serve(ctx context.Context) error {
	server := &http.Server{
		Handler: f.handler, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(f.listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("answering at %s: %w", f.listener.Addr(), err)
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	err := server.Shutdown(patience)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("closing %s: %w", f.listener.Addr(), err)
	}
	return nil
}
