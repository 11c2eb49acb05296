package dial

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// MaxURL is the most bytes of a URL.
const MaxURL = 2048

// Check refuses a URL that no call may reach, as far as it can be told without a lookup: the
// scheme is http or https, there is no user, and the host is a name or an allowed address.
// Errors: ErrRefused.
func (o Options) Check(raw string) error {
	if len(raw) > MaxURL {
		return fmt.Errorf("%w: longer than %d bytes", ErrRefused, MaxURL)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return fmt.Errorf("%w: not a URL", ErrRefused)
	}
	return o.check(u)
}

func (o Options) check(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%w: the scheme is not http or https", ErrRefused)
	case u.User != nil:
		return fmt.Errorf("%w: holds a user or a password", ErrRefused)
	case u.Opaque != "" || u.Host == "":
		return fmt.Errorf("%w: names no host", ErrRefused)
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return fmt.Errorf("%w: the port is not 1 to 65535", ErrRefused)
		}
	}
	host := u.Hostname()
	a, err := netip.ParseAddr(host)
	if err != nil {
		return checkName(host)
	}
	if !o.allows(a) {
		return fmt.Errorf("%w: %s is not a public address", ErrRefused, host)
	}
	return nil
}

// checkName refuses what is no name of a host. A name that ends in a number, such as 127.1,
// 0x7f000001 or 2130706433, is an address to some resolvers.
func checkName(host string) error {
	name := strings.TrimSuffix(host, ".")
	if name == "" || len(name) > 253 {
		return fmt.Errorf("%w: the host is not a name of 1 to 253 bytes", ErrRefused)
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, notInName) {
			return fmt.Errorf("%w: %q is not the name of a host; write other scripts as xn--…", ErrRefused, host)
		}
	}
	if last := strings.ToLower(labels[len(labels)-1]); isDigits(last) || strings.HasPrefix(last, "0x") {
		return fmt.Errorf("%w: %q is neither a name nor an address of four decimal numbers", ErrRefused, host)
	}
	return nil
}

func notInName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// allows reports whether an address may be reached.
func (o Options) allows(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	if v4, ok := embedded(a); ok && !o.allows(v4) {
		return false
	}
	a = a.Unmap()
	return slices.ContainsFunc(o.Allow, func(p netip.Prefix) bool { return p.Contains(a) }) || public(a)
}

// public reports whether an address is one of the public internet, by the registries of
// special-purpose addresses of IANA.
func public(a netip.Addr) bool {
	if a.Is6() && !unicast.Contains(a) {
		return false
	}
	return !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(a) })
}

// unicast has all public IPv6 addresses.
var unicast = netip.MustParsePrefix("2000::/3")

// special are the addresses within IPv4 and unicast that are not public.
var special = prefixes(
	"0.0.0.0/8",         // this network
	"10.0.0.0/8",        // private
	"100.64.0.0/10",     // carrier-grade NAT; metadata of Alibaba Cloud
	"127.0.0.0/8",       // loopback
	"168.63.129.16/32",  // metadata of Azure
	"169.254.0.0/16",    // link-local; metadata of most clouds
	"172.16.0.0/12",     // private
	"192.0.0.0/24",      // protocol assignments; metadata of Oracle Cloud
	"192.0.2.0/24",      // documentation
	"192.31.196.0/24",   // AS112
	"192.52.193.0/24",   // AMT
	"192.88.99.0/24",    // 6to4 relays
	"192.168.0.0/16",    // private
	"192.175.48.0/24",   // AS112
	"198.18.0.0/15",     // benchmarks
	"198.51.100.0/24",   // documentation
	"203.0.113.0/24",    // documentation
	"224.0.0.0/4",       // multicast
	"240.0.0.0/4",       // reserved; broadcast
	"2001::/23",         // protocol assignments, such as Teredo
	"2001:db8::/32",     // documentation
	"2002::/16",         // 6to4
	"2620:4f:8000::/48", // AS112
	"3fff::/20",         // documentation
)

func prefixes(all ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(all))
	for i, text := range all {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

// embedded is the IPv4 address that packets to an IPv6 address may end at: it is mapped,
// compatible, translated (NAT64), or of 6to4. Where such a network is allowed, that address
// must be allowed too.
func embedded(a netip.Addr) (v4 netip.Addr, ok bool) {
	if !a.Is6() {
		return v4, false
	}
	b := a.As16()
	switch high := binary.BigEndian.Uint64(b[:8]); {
	case b[0] == 0x20 && b[1] == 0x02:
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case high == 0x0064_ff9b_0000_0000 && binary.BigEndian.Uint32(b[8:12]) == 0,
		high == 0 && a != netip.IPv6Loopback() && a != netip.IPv6Unspecified():
		return netip.AddrFrom4([4]byte(b[12:])), true
	}
	return v4, false
}
