package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/fault"
)

// agentConn connects to the agent that runs on a home. When that agent has ended, it
// connects to the next one, which may have another address.
type agentConn struct {
	dir       home.Dir
	mu        sync.Mutex
	endpoint  home.Endpoint
	transport *http.Transport
}

func newAgentConn(dir home.Dir, endpoint home.Endpoint) *agentConn {
	a := &agentConn{dir: dir, endpoint: endpoint}
	a.transport = &http.Transport{DialContext: a.dial}
	return a
}

func (a *agentConn) current() home.Endpoint {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.endpoint
}

// RoundTrip implements http.RoundTripper. It adds the endpoint's key to the request.
func (a *agentConn) RoundTrip(r *http.Request) (*http.Response, error) {
	if key := a.current().Key; key != "" {
		r = r.Clone(r.Context())
		r.Header.Set(home.KeyHeader, key)
	}
	resp, err := a.transport.RoundTrip(r)
	if err != nil && r.Context().Err() == nil {
		err = fault.Wrap(fault.Unavailable, err, fmt.Sprintf("the agent on the home %s no longer answers; start it again, or run the command again: it also works without an agent", a.dir))
	}
	return resp, err
}

func (a *agentConn) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	at := a.current()
	dialer := net.Dialer{}
	conn, err := dialer.DialContext(ctx, at.Network, at.Address)
	if err == nil || ctx.Err() != nil {
		return conn, err
	}
	next, running := a.dir.Running()
	if !running {
		return nil, err
	}
	a.mu.Lock()
	a.endpoint = next
	a.mu.Unlock()
	return dialer.DialContext(ctx, next.Network, next.Address)
}
