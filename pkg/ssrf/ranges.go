package ssrf

import (
	"fmt"
	"net/netip"
)

// addressRange is a range of addresses that no public server lives in.
type addressRange struct {
	prefix netip.Prefix
	name   string
	// private is true for ranges that an institution's own machines have: a setting
	// opens these. All others stay closed, the link-local range with the cloud
	// providers' metadata services among them.
	private bool
}

func reserved(prefix, name string) addressRange {
	return addressRange{prefix: netip.MustParsePrefix(prefix), name: name}
}

func private(prefix, name string) addressRange {
	return addressRange{prefix: netip.MustParsePrefix(prefix), name: name, private: true}
}

// ipv4Ranges is the IANA IPv4 Special-Purpose Address Registry, with multicast and
// one address that a large cloud keeps for its own machinery. Those few ranges
// of the registry that may be reached globally (AS112, AMT, anycast services) hold
// no web server either.
func ipv4Ranges() []addressRange {
	return []addressRange{
		reserved("0.0.0.0/8", "this network"),
		private("10.0.0.0/8", "a private network"),
		private("100.64.0.0/10", "a carrier's shared network"),
		private("127.0.0.0/8", "this machine"),
		reserved("168.63.129.16/32", "a cloud's own machinery"),
		reserved("169.254.0.0/16", "link-local"),
		private("172.16.0.0/12", "a private network"),
		reserved("192.0.0.0/24", "kept for protocols"),
		reserved("192.0.2.0/24", "for documentation"),
		reserved("192.31.196.0/24", "AS112"),
		reserved("192.52.193.0/24", "AMT"),
		reserved("192.88.99.0/24", "6to4 relays"),
		private("192.168.0.0/16", "a private network"),
		reserved("192.175.48.0/24", "AS112"),
		reserved("198.18.0.0/15", "for benchmarks"),
		reserved("198.51.100.0/24", "for documentation"),
		reserved("203.0.113.0/24", "for documentation"),
		reserved("224.0.0.0/4", "multicast"),
		reserved("240.0.0.0/4", "reserved"), // the broadcast address too
	}
}

// ipv6Ranges is the IANA IPv6 Special-Purpose Address Registry, and at its end all
// that is not global unicast. The first match counts. Forms that carry an IPv4
// address are taken apart before.
func ipv6Ranges() []addressRange {
	return []addressRange{
		private("::1/128", "this machine"),
		reserved("::/128", "no address"),
		reserved("64:ff9b:1::/48", "local translation"),
		reserved("100::/64", "discarded"),
		reserved("100:0:0:1::/64", "a dummy prefix"),
		reserved("2001::/23", "kept for protocols"),
		reserved("2001:db8::/32", "for documentation"),
		reserved("2620:4f:8000::/48", "AS112"),
		reserved("3fff::/20", "for documentation"),
		reserved("5f00::/16", "segment routing"),
		private("fc00::/7", "a private network"),
		reserved("fe80::/10", "link-local"),
		reserved("fec0::/10", "site-local"),
		reserved("ff00::/8", "multicast"),
		reserved("::/3", "not global"), reserved("4000::/2", "not global"), reserved("8000::/1", "not global"),
	}
}

// rangeTable knows what addresses are for.
type rangeTable struct{ four, six []addressRange }

func newRangeTable() rangeTable { return rangeTable{four: ipv4Ranges(), six: ipv6Ranges()} }

// find returns the closed block that an address lies in; ok is false when the
// address is public. An IPv6 address that carries IPv4 ones is judged by them.
func (a rangeTable) find(addr netip.Addr) (found addressRange, ok bool) {
	if !addr.IsValid() {
		return addressRange{name: "no address"}, true
	}
	if addr.Zone() != "" {
		return addressRange{name: "of one link alone"}, true
	}
	if addr.Is4() {
		return findRange(a.four, addr)
	}
	carried, whole := embeddedIPv4(addr)
	for _, v4 := range carried {
		if b, ok := findRange(a.four, v4); ok {
			b.name = fmt.Sprintf("%s, carrying %v", b.name, v4)
			// Only the mapped form is an IPv4 address to the machine. What a translator
			// or a tunnel does with an inner address, no setting here can vouch for.
			b.private = b.private && addr.Is4In6()
			return b, true
		}
	}
	if whole {
		return addressRange{}, false
	}
	return findRange(a.six, addr)
}

func findRange(blocks []addressRange, addr netip.Addr) (addressRange, bool) {
	for _, b := range blocks {
		if b.prefix.Contains(addr) {
			return b, true
		}
	}
	return addressRange{}, false
}

// embeddedIPv4 returns the IPv4 addresses that an IPv6 one carries. whole is true when they
// alone say where a packet goes.
func embeddedIPv4(addr netip.Addr) (carried []netip.Addr, whole bool) {
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
