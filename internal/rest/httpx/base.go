package httpx

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Base is how the caller reached the server: scheme, host, and the path prefix of a
// proxy, without a slash at the end. Without PublicURL it is what a trusted proxy
// says; without such a proxy it is the Host header where Host names the address that
// the connection arrived at, and that address otherwise: whoever sends a request
// can write anything into Host.
func (t Trust) Base(r *http.Request) string {
	if t.PublicURL != "" {
		return t.PublicURL
	}
	return t.base(r, t.trusts(peerOf(r)))
}

// base is Base where the operator did not say it.
func (t Trust) base(r *http.Request, trusted bool) string {
	scheme, host, prefix := "http", r.Host, ""
	if r.TLS != nil {
		scheme = "https"
	}
	if trusted {
		scheme = forwardedScheme(r.Header, scheme)
		if said := lastOf(r.Header["X-Forwarded-Host"]); said != "" {
			host = said
		}
		prefix = forwardedPrefix(r.Header)
		if validHost(host) {
			return scheme + "://" + strings.ToLower(host) + prefix
		}
	}
	if !t.ownHost(r, host) {
		host = localAddr(r)
	}
	return scheme + "://" + strings.ToLower(host) + prefix
}

// ownHost reports whether a Host header names the address that the connection
// arrived at, or the host that the server was told to listen on.
func (t Trust) ownHost(r *http.Request, hostport string) bool {
	if !validHost(hostport) {
		return false
	}
	local, err := netip.ParseAddrPort(localAddr(r))
	if err != nil {
		return true // no listener: a test's own request
	}
	if plain(local.Addr()).IsLoopback() && isLoopbackHost(hostport) {
		return true // with any port, which a tunnel may have changed
	}
	host := hostOf(hostport)
	if own := hostOf(t.Addr); t.Addr != "" && own != "" && host == own {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && plain(a) == plain(local.Addr())
}

// localAddr is the host:port that the connection arrived at; empty without one.
func localAddr(r *http.Request) string {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return ""
	}
	return local.String()
}

// forwardedScheme is the scheme that the nearest proxy was called with.
func forwardedScheme(h http.Header, otherwise string) string {
	switch said := strings.ToLower(lastOf(h["X-Forwarded-Proto"])); said {
	case "http", "https":
		return said
	case "ws":
		return "http"
	case "wss":
		return "https"
	default:
		return otherwise
	}
}

// forwardedPrefix is the path that the nearest proxy cut off, without a slash at its
// end; empty where it is none, or cannot stand in a link.
func forwardedPrefix(h http.Header) string {
	prefix := strings.TrimRight(lastOf(h["X-Forwarded-Prefix"]), "/")
	if !strings.HasPrefix(prefix, "/") || len(prefix) > 256 || strings.Contains(prefix, "//") || strings.Contains(prefix, "/.") {
		return ""
	}
	for i := range len(prefix) {
		if !isWord(prefix[i]) && !strings.ContainsRune("/-._~", rune(prefix[i])) {
			return ""
		}
	}
	return prefix
}

// lastOf is the last value of a header that may be a list: the nearest proxy's.
func lastOf(values []string) string {
	if len(values) == 0 {
		return ""
	}
	list := values[len(values)-1]
	return strings.Trim(list[strings.LastIndexByte(list, ',')+1:], " \t")
}

// validHost reports whether a host and an optional port can stand in a link.
func validHost(hostport string) bool {
	if len(hostport) > 255 {
		return false
	}
	host := hostport
	if at := strings.LastIndexByte(hostport, ':'); at >= 0 && !strings.HasSuffix(hostport, "]") {
		if host = hostport[:at]; !validPort(hostport[at+1:]) {
			return false
		}
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, closed := strings.CutSuffix(inner, "]")
		a, err := netip.ParseAddr(inner)
		return closed && err == nil && a.Is6() && a.Zone() == ""
	}
	return validName(host)
}

func validPort(port string) bool {
	if port == "" || len(port) > 5 {
		return false
	}
	for i := range len(port) {
		if port[i] < '0' || port[i] > '9' {
			return false
		}
	}
	return true
}

// validName reports whether a host is a name or an IPv4 address.
func validName(host string) bool {
	if host == "" || host[0] == '.' || strings.Contains(host, "..") {
		return false
	}
	for i := range len(host) {
		if c := host[i]; !isWord(c) && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}
