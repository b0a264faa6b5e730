// Package httpserver is how the agent is reached from outside: TLS, trusted proxies, the path
// of the base URL, timeouts, and limits on calls.
package httpserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// shutdownTimeout is how long calls that are under way may take after the end was
// asked for; work on certificates ends by itself, between two of them.
const shutdownTimeout = 8 * time.Second

// Listener is an address with who answers there.
type Listener struct {
	Listener net.Listener
	Handler  http.Handler
}

// Bounds of what a client may keep waiting. There is none for a whole answer:
// streams last as long as somebody reads them.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
)

// Serve answers until ctx ends, then lets calls that are under way finish.
func (f Listener) Serve(ctx context.Context) error {
	server := &http.Server{
		Handler: f.Handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(f.Listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("answering at %s: %w", f.Listener.Addr(), err)
	case <-ctx.Done():
	}
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := server.Shutdown(shutdown)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("closing %s: %w", f.Listener.Addr(), err)
	}
	return nil
}
