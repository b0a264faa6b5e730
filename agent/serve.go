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

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/fault"
)

// ServeOptions say where an agent answers.
type ServeOptions struct {
	Listen string // TCP address of the documented API; "" is none
	// Ready is told the addresses when all of them answer.
	Ready func(staff, public string)
}

// drainTime is how long calls that are under way may take after the end was
// asked for; work on certificates ends by itself, between two of them.
const drainTime = 8 * time.Second

// Serve runs the agent with its faces until ctx ends, then lets what is in hand
// finish.
func (a *Agent) Serve(ctx context.Context, o ServeOptions) error {
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
		faces = append(faces, face{listener: l, handler: onlyPrivately(a.PublicHandler(), a.business().Fail)})
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
	for _, f := range faces {
		work.Go(func() error { return f.serve(ctx) })
	}
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
	<-ended
	if err != nil {
		return fmt.Errorf("closing %s: %w", f.listener.Addr(), err)
	}
	return nil
}

// onlyPrivately refuses plain HTTP from other machines: tokens and personal data
// would travel in the open (guide, step 2: "Requests over HTTP will be rejected").
func onlyPrivately(next http.Handler, fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil && !fromLoopback(r) {
			fail(w, r, fault.New(fault.Forbidden, "Requests over HTTP are rejected; use HTTPS. "+
				"The operator can set it up with a proxy that the agent is told to trust."))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func fromLoopback(r *http.Request) bool {
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && addr.Addr().Unmap().IsLoopback()
}
