package ssrf

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Resolver finds the addresses of a name; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Dial connects to an address and a port, both in numbers.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// dialer is the one way out: it resolves a name once, and connects only to what it
// has judged, so no second answer of the name's server can come in between.
type dialer struct {
	ranges   rangeTable
	resolver Resolver
	connect  Dial
	timeout  time.Duration // for all of dial: net/http lets a dial outlive its request
	private  bool          // addresses of the institution's own are open
	plain    bool          // for plain HTTP: open are those addresses alone
}

func (g *dialer) dial(ctx context.Context, network, target string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(target)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "this is not an address with a port: "+target)
	}
	ctx, done := context.WithTimeout(ctx, g.timeout)
	defer done()
	addrs, err := g.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	open, err := g.filter(host, addrs)
	if err != nil {
		return nil, err
	}
	for i, addr := range open {
		var conn net.Conn
		if conn, err = g.dialOne(ctx, network, addr, port, len(open)-i); err == nil {
			return conn, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, err
}

// dialOne gives one of several addresses its share of the time that is left, so that
// one that never answers does not use up all of it.
func (g *dialer) dialOne(ctx context.Context, network string, addr netip.Addr, port string, left int) (net.Conn, error) {
	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		var done context.CancelFunc
		ctx, done = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
		defer done()
	}
	return g.connect(ctx, network, net.JoinHostPort(addr.String(), port))
}

func (g *dialer) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	if isNumericHost(host) {
		return nil, fault.Newf(fault.Forbidden, "%s is a number in place of an address; write the address out", host)
	}
	addrs, err := g.resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the name "+host+" cannot be resolved")
	}
	return addrs, nil
}

// filter returns those addresses of a host that may be connected to. None is an
// error that names the first obstacle.
func (g *dialer) filter(host string, addrs []netip.Addr) ([]netip.Addr, error) {
	var open []netip.Addr
	var why error
	for _, addr := range addrs {
		if err := g.allow(host, addr); err != nil {
			if why == nil {
				why = err
			}
			continue
		}
		open = append(open, addr.Unmap())
	}
	switch {
	case len(open) > 0:
		return open, nil
	case why == nil:
		return nil, fault.Newf(fault.Unavailable, "the name %s has no address", host)
	}
	return nil, why
}

func (g *dialer) allow(host string, addr netip.Addr) error {
	where := host
	if _, err := netip.ParseAddr(host); err != nil {
		where += ", found at " + addr.String() + ","
	}
	b, found := g.ranges.find(addr)
	switch {
	case found && (!b.private || !g.private):
		return fault.Newf(fault.Forbidden, "%s is not a public address (%s)", where, b.name)
	case !found && g.plain:
		return fault.Newf(fault.Forbidden, "%s is a public address: use https", where)
	}
	return nil
}

// isNumericHost reports whether a host is one that some resolvers take for an address in
// disguise: its last label is a number, decimal, octal or hexadecimal.
func isNumericHost(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}
