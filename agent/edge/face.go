package edge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// drainTime is how long calls that are under way may take after the end was
// asked for; work on certificates ends by itself, between two of them.
const drainTime = 8 * time.Second

// Face is an address with who answers there.
type Face struct {
	Listener net.Listener
	Handler  http.Handler
}

// Bounds of what a client may keep waiting. There is none for a whole answer:
// streams last as long as somebody reads them.
const (
	headerTime = 10 * time.Second
	idleTime   = 2 * time.Minute
)

// Serve answers until ctx ends, then lets calls that are under way finish.
func (f Face) Serve(ctx context.Context) error {
	server := &http.Server{
		Handler: f.Handler, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(f.Listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("answering at %s: %w", f.Listener.Addr(), err)
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
		return fmt.Errorf("closing %s: %w", f.Listener.Addr(), err)
	}
	return nil
}
