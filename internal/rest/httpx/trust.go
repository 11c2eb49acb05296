// Package httpx tells where a request came from: the client's address, the scheme,
// host and path prefix it asked for, and the web page that sent it. It is the one
// place that decides which headers to believe. It knows nothing of apps.
package httpx

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Trust is whom a listener believes. The zero value believes nobody.
type Trust struct {
	Proxies   []netip.Prefix // who may send X-Forwarded-For, -Proto, -Host and -Prefix
	PublicURL string         // where the server is reached, without a slash at the end; empty: see Base
	Addr      string         // host:port the listener was told to listen on; its host is believed in Host
}

// From is where a request came from, as far as it can be believed.
type From struct {
	// Addr is the client's address, IPv4 where it is IPv4 in IPv6. Zero: unknown.
	Addr netip.Addr
	// Origin is the page of another site that sent the request; empty: no page did,
	// or one of this server.
	Origin string
	// Proxied reports that something stands between the caller and the server, or
	// that the caller asked for a host that is not this machine. A server that
	// trusts everyone on its own machine must not trust this caller.
	Proxied bool
}

// From says where r came from. It allocates nothing where no page sent r.
func (t Trust) From(r *http.Request) From {
	peer := peerOf(r)
	trusted := t.trusts(peer)
	f := From{Addr: peer}
	if trusted {
		f.Addr = t.client(peer, r.Header["X-Forwarded-For"])
	}
	f.Proxied = !peer.IsLoopback() || wasForwarded(r.Header) || !isLoopbackHost(r.Host)
	f.Origin = t.foreignOrigin(r, trusted)
	return f
}

// Counted is what a limit per address counts the address as: of IPv6 the /64, which
// is what one customer of a network is given at least.
func (f From) Counted() string {
	if f.Addr.Is6() {
		network, err := f.Addr.Prefix(64)
		if err == nil {
			return network.String()
		}
	}
	return f.Addr.String()
}

// Connection is what a limit of connections counts c as: its peer, as Counted does.
// Empty: a trusted proxy, which carries those of many. It does not wait.
func (t Trust) Connection(c net.Conn) string {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return "" // ProxyProtocol's: a trusted proxy
	}
	at, err := netip.ParseAddrPort(tcp.RemoteAddr().String())
	if err != nil || t.trusts(plain(at.Addr())) {
		return ""
	}
	return From{Addr: plain(at.Addr())}.Counted()
}

// peerOf is the address at the other end of the connection.
func peerOf(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return plain(at.Addr())
}

// plain is an address without a zone, IPv4 where it is IPv4 in IPv6.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

func (t Trust) trusts(a netip.Addr) bool {
	for _, p := range t.Proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// client is the nearest address of X-Forwarded-For that is no trusted proxy. Each
// proxy appends the address it was called from, so the list is read from its end,
// and no further than proxies wrote it: what stands before an entry that is no
// address may come from anybody.
func (t Trust) client(peer netip.Addr, lists []string) netip.Addr {
	at := peer
	for _, rest := range slices.Backward(lists) {
		for more := true; more; {
			var entry string
			if comma := strings.LastIndexByte(rest, ','); comma >= 0 {
				rest, entry = rest[:comma], rest[comma+1:]
			} else {
				entry, more = rest, false
			}
			next, ok := parseHop(entry)
			if !ok {
				return at
			}
			if at = next; !t.trusts(at) {
				return at
			}
		}
	}
	return at
}

// parseHop reads one entry of X-Forwarded-For: an address, which some proxies write
// with its port.
func parseHop(entry string) (netip.Addr, bool) {
	entry = strings.Trim(entry, " \t")
	if a, err := netip.ParseAddr(entry); err == nil {
		return plain(a), true
	}
	if at, err := netip.ParseAddrPort(entry); err == nil {
		return plain(at.Addr()), true
	}
	if len(entry) > 2 && entry[0] == '[' && entry[len(entry)-1] == ']' {
		a, err := netip.ParseAddr(entry[1 : len(entry)-1])
		return plain(a), err == nil && a.Is6()
	}
	return netip.Addr{}, false
}

// proxyHeaders are headers that proxies, tunnels and content networks add, besides
// those that begin with X-Forwarded-.
var proxyHeaders = [...]string{
	"Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "X-Original-Host",
	"X-Original-Forwarded-For", "X-Envoy-External-Address", "X-Amzn-Trace-Id", "X-Azure-Clientip", "X-Proxyuser-Ip",
	"Cf-Connecting-Ip", "Cf-Connecting-Ipv6", "Cf-Ray", "Cdn-Loop", "Fastly-Client-Ip", "Fly-Client-Ip",
}

// wasForwarded reports a header that only something in between adds. It is asked for
// suspicion, never for trust, so anybody may send one.
func wasForwarded(h http.Header) bool {
	for _, name := range proxyHeaders {
		if len(h[name]) > 0 {
			return true
		}
	}
	for name := range h {
		if strings.HasPrefix(name, "X-Forwarded") {
			return true
		}
	}
	return false
}

// isLoopbackHost reports whether a Host header names this machine alone. A page of
// another site whose name was made to lead here sends its own name.
func isLoopbackHost(hostport string) bool {
	host := hostOf(hostport)
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// hostOf is the lower-case host, without brackets and port, of a Host header.
func hostOf(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
	}
	return strings.ToLower(host)
}
