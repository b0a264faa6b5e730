package outbound

import (
	"fmt"
	"net/netip"
)

// block is a range of addresses that no public server lives in.
type block struct {
	prefix netip.Prefix
	name   string
	// own is true for ranges that an institution's own machines have: a setting
	// opens these. All others stay closed, the link-local range with the cloud
	// providers' metadata services among them.
	own bool
}

func closed(prefix, name string) block {
	return block{prefix: netip.MustParsePrefix(prefix), name: name}
}

func ours(prefix, name string) block {
	return block{prefix: netip.MustParsePrefix(prefix), name: name, own: true}
}

// blocks4 is the IANA IPv4 Special-Purpose Address Registry, with multicast and
// one address that a large cloud keeps for its own machinery. Those few ranges
// of the registry that may be reached globally (AS112, AMT, anycast services) hold
// no web server either.
func blocks4() []block {
	return []block{
		closed("0.0.0.0/8", "this network"),
		ours("10.0.0.0/8", "a private network"),
		ours("100.64.0.0/10", "a carrier's shared network"),
		ours("127.0.0.0/8", "this machine"),
		closed("168.63.129.16/32", "a cloud's own machinery"),
		closed("169.254.0.0/16", "link-local"),
		ours("172.16.0.0/12", "a private network"),
		closed("192.0.0.0/24", "kept for protocols"),
		closed("192.0.2.0/24", "for documentation"),
		closed("192.31.196.0/24", "AS112"),
		closed("192.52.193.0/24", "AMT"),
		closed("192.88.99.0/24", "6to4 relays"),
		ours("192.168.0.0/16", "a private network"),
		closed("192.175.48.0/24", "AS112"),
		closed("198.18.0.0/15", "for benchmarks"),
		closed("198.51.100.0/24", "for documentation"),
		closed("203.0.113.0/24", "for documentation"),
		closed("224.0.0.0/4", "multicast"),
		closed("240.0.0.0/4", "reserved"), // the broadcast address too
	}
}

// blocks6 is the IANA IPv6 Special-Purpose Address Registry, and at its end all
// that is not global unicast. The first match counts. Forms that carry an IPv4
// address are taken apart before.
func blocks6() []block {
	return []block{
		ours("::1/128", "this machine"),
		closed("::/128", "no address"),
		closed("64:ff9b:1::/48", "local translation"),
		closed("100::/64", "discarded"),
		closed("100:0:0:1::/64", "a dummy prefix"),
		closed("2001::/23", "kept for protocols"),
		closed("2001:db8::/32", "for documentation"),
		closed("2620:4f:8000::/48", "AS112"),
		closed("3fff::/20", "for documentation"),
		closed("5f00::/16", "segment routing"),
		ours("fc00::/7", "a private network"),
		closed("fe80::/10", "link-local"),
		closed("fec0::/10", "site-local"),
		closed("ff00::/8", "multicast"),
		closed("::/3", "not global"), closed("4000::/2", "not global"), closed("8000::/1", "not global"),
	}
}

// atlas knows what addresses are for.
type atlas struct{ four, six []block }

func newAtlas() atlas { return atlas{four: blocks4(), six: blocks6()} }

// find returns the closed block that an address lies in; ok is false when the
// address is public. An IPv6 address that carries IPv4 ones is judged by them.
func (a atlas) find(addr netip.Addr) (found block, ok bool) {
	if !addr.IsValid() {
		return block{name: "no address"}, true
	}
	if addr.Zone() != "" {
		return block{name: "of one link alone"}, true
	}
	if addr.Is4() {
		return within(a.four, addr)
	}
	carried, whole := inside(addr)
	for _, v4 := range carried {
		if b, ok := within(a.four, v4); ok {
			b.name = fmt.Sprintf("%s, carrying %v", b.name, v4)
			// Only the mapped form is an IPv4 address to the machine. What a translator
			// or a tunnel does with an inner address, no setting here can vouch for.
			b.own = b.own && addr.Is4In6()
			return b, true
		}
	}
	if whole {
		return block{}, false
	}
	return within(a.six, addr)
}

func within(blocks []block, addr netip.Addr) (block, bool) {
	for _, b := range blocks {
		if b.prefix.Contains(addr) {
			return b, true
		}
	}
	return block{}, false
}

// inside returns the IPv4 addresses that an IPv6 one carries. whole is true when they
// alone say where a packet goes.
func inside(addr netip.Addr) (carried []netip.Addr, whole bool) {
	b := addr.As16()
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte(b[i : i+4])) }
	switch {
	case addr.Is4In6(), // ::ffff:a.b.c.d
		netip.MustParsePrefix("64:ff9b::/96").Contains(addr): // NAT64
		return []netip.Addr{at(12)}, true
	case netip.MustParsePrefix("2002::/16").Contains(addr): // 6to4
		return []netip.Addr{at(2)}, true
	case netip.MustParsePrefix("2001::/32").Contains(addr): // Teredo: server, and the client with its bits turned
		client := [4]byte{b[12] ^ 0xff, b[13] ^ 0xff, b[14] ^ 0xff, b[15] ^ 0xff}
		return []netip.Addr{at(4), netip.AddrFrom4(client)}, true
	case b[8]&^3 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe: // ISATAP, under any prefix
		return []netip.Addr{at(12)}, false
	}
	return nil, false
}
