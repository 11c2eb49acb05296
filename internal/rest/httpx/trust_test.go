package httpx

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func prefixes(t *testing.T, list ...string) []netip.Prefix {
	t.Helper()
	var out []netip.Prefix
	for _, text := range list {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

// request is one from a peer, with headers as "Name", "value".
func request(peer, host string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://x/", nil)
	r.RemoteAddr, r.Host = peer, host
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// arrivedAt is the request as it came to a listener's address.
func arrivedAt(r *http.Request, local string) *http.Request {
	a := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(local))
	return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, a))
}

func TestTheClientIsTheNearestAddressThatIsNoTrustedProxy(t *testing.T) {
	trust := Trust{Proxies: prefixes(t, "10.0.0.0/8", "fd00::/8")}
	for name, tt := range map[string]struct {
		peer    string
		headers []string
		want    string
	}{
		"no header":                                 {"10.0.0.1:5", nil, "10.0.0.1"},
		"one proxy":                                 {"10.0.0.1:5", []string{"X-Forwarded-For", "203.0.113.7"}, "203.0.113.7"},
		"a header of somebody untrusted":            {"192.0.2.1:5", []string{"X-Forwarded-For", "203.0.113.7"}, "192.0.2.1"},
		"what the client wrote stands before":       {"10.0.0.1:5", []string{"X-Forwarded-For", "1.1.1.1, 203.0.113.7"}, "203.0.113.7"},
		"two proxies":                               {"10.0.0.1:5", []string{"X-Forwarded-For", "1.1.1.1, 203.0.113.7, 10.0.0.2"}, "203.0.113.7"},
		"two headers":                               {"10.0.0.1:5", []string{"X-Forwarded-For", "1.1.1.1", "X-Forwarded-For", "203.0.113.7"}, "203.0.113.7"},
		"all of them proxies":                       {"10.0.0.1:5", []string{"X-Forwarded-For", "10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"malformed is not read past":                {"10.0.0.1:5", []string{"X-Forwarded-For", "1.1.1.1, unknown, 10.0.0.2"}, "10.0.0.2"},
		"malformed at the end":                      {"10.0.0.1:5", []string{"X-Forwarded-For", "1.1.1.1, x"}, "10.0.0.1"},
		"empty entries end it":                      {"10.0.0.1:5", []string{"X-Forwarded-For", "1.1.1.1,,10.0.0.2"}, "10.0.0.2"},
		"a comma at the end":                        {"10.0.0.1:5", []string{"X-Forwarded-For", "1.1.1.1,"}, "10.0.0.1"},
		"empty":                                     {"10.0.0.1:5", []string{"X-Forwarded-For", ""}, "10.0.0.1"},
		"a number is no address":                    {"10.0.0.1:5", []string{"X-Forwarded-For", "3405803783"}, "10.0.0.1"},
		"zeros are no address":                      {"10.0.0.1:5", []string{"X-Forwarded-For", "203.000.113.007"}, "10.0.0.1"},
		"with a port":                               {"10.0.0.1:5", []string{"X-Forwarded-For", "203.0.113.7:4711"}, "203.0.113.7"},
		"IPv6":                                      {"10.0.0.1:5", []string{"X-Forwarded-For", "2001:db8::1"}, "2001:db8::1"},
		"IPv6 with a port":                          {"10.0.0.1:5", []string{"X-Forwarded-For", "[2001:db8::1]:4711"}, "2001:db8::1"},
		"IPv6 in brackets":                          {"10.0.0.1:5", []string{"X-Forwarded-For", "[2001:db8::1]"}, "2001:db8::1"},
		"IPv4 in IPv6":                              {"10.0.0.1:5", []string{"X-Forwarded-For", "::ffff:203.0.113.7"}, "203.0.113.7"},
		"a trusted proxy as IPv4 in IPv6":           {"[::ffff:10.0.0.1]:5", []string{"X-Forwarded-For", "203.0.113.7"}, "203.0.113.7"},
		"a trusted proxy by IPv6":                   {"[fd00::1]:5", []string{"X-Forwarded-For", "203.0.113.7"}, "203.0.113.7"},
		"a zone is not kept":                        {"[fe80::1%eth0]:5", nil, "fe80::1"},
		"X-Real-IP is not read":                     {"10.0.0.1:5", []string{"X-Real-Ip", "203.0.113.7"}, "10.0.0.1"},
		"Forwarded, which nginx passes on, neither": {"10.0.0.1:5", []string{"Forwarded", "for=203.0.113.7"}, "10.0.0.1"},
	} {
		if got := trust.From(request(tt.peer, "x", tt.headers...)).Addr.String(); got != tt.want {
			t.Errorf("%s: peer %s, %q: got %s, want %s", name, tt.peer, tt.headers, got, tt.want)
		}
	}
}

func TestAnAddressCountsAsItsNetwork(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1:5":                   "192.0.2.1",
		"[::ffff:192.0.2.1]:5":          "192.0.2.1",
		"[2001:db8:1:2:3:4:5:6]:5":      "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::1]:5":      "2001:db8:1:2::/64",
		"[2001:db8:1:3::1]:5":           "2001:db8:1:3::/64",
		"[fe80::1:2:3:4%eth0]:5":        "fe80::/64",
		"what is the address of a pipe": "invalid IP",
	} {
		if got := (Trust{}).From(request(addr, "x")).Counted(); got != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
}

func TestProxiedIsWhateverDoesNotComeStraightFromThisMachine(t *testing.T) {
	const here = "127.0.0.1:5"
	for name, tt := range map[string]struct {
		peer, host string
		headers    []string
		want       bool
	}{
		"by address":                    {here, "127.0.0.1:8080", nil, false},
		"by another loopback address":   {here, "127.8.8.8", nil, false},
		"by IPv6":                       {"[::1]:5", "[::1]:8080", nil, false},
		"by name":                       {here, "localhost:8080", nil, false},
		"by name in capitals":           {here, "LOCALHOST:8080", nil, false},
		"from another machine":          {"192.0.2.1:5", "127.0.0.1:8080", nil, true},
		"under another name":            {here, "evil.example:8080", nil, true},
		"under a name that looks alike": {here, "localhost.evil.example", nil, true},
		"under an address in a name":    {here, "127.0.0.1.evil.example", nil, true},
		"under another address":         {here, "192.0.2.1", nil, true},
		"under the address of all":      {here, "0.0.0.0:8080", nil, true},
		"without a host":                {here, "", nil, true},
		"a number":                      {here, "2130706433", nil, true},
		"X-Forwarded-For":               {here, "127.0.0.1", []string{"X-Forwarded-For", "127.0.0.1"}, true},
		"X-Forwarded-For, empty":        {here, "127.0.0.1", []string{"X-Forwarded-For", ""}, true},
		"X-Forwarded-Proto":             {here, "127.0.0.1", []string{"X-Forwarded-Proto", "https"}, true},
		"Forwarded":                     {here, "127.0.0.1", []string{"Forwarded", "for=x"}, true},
		"Via":                           {here, "127.0.0.1", []string{"Via", "1.1 x"}, true},
		"X-Real-IP":                     {here, "127.0.0.1", []string{"X-Real-IP", "1.1.1.1"}, true},
		"CF-Connecting-IP":              {here, "127.0.0.1", []string{"CF-Connecting-IP", "1.1.1.1"}, true},
		"True-Client-IP":                {here, "127.0.0.1", []string{"True-Client-IP", "1.1.1.1"}, true},
	} {
		if got := (Trust{}).From(request(tt.peer, tt.host, tt.headers...)).Proxied; got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}

func TestLinksFollowNoHostThatIsNotTrusted(t *testing.T) {
	for name, tt := range map[string]struct {
		trust             Trust
		peer, local, host string
		headers           []string
		want              string
	}{
		"the address that was asked":             {peer: "192.0.2.9:5", local: "192.0.2.1:8080", host: "192.0.2.1:8080", want: "http://192.0.2.1:8080"},
		"this machine by name":                   {peer: "127.0.0.1:5", local: "127.0.0.1:8080", host: "localhost:8080", want: "http://localhost:8080"},
		"this machine by a tunnel":               {peer: "127.0.0.1:5", local: "127.0.0.1:8080", host: "localhost:9000", want: "http://localhost:9000"},
		"this machine by IPv6":                   {peer: "[::1]:5", local: "[::1]:8080", host: "[::1]:8080", want: "http://[::1]:8080"},
		"another name":                           {peer: "192.0.2.9:5", local: "192.0.2.1:8080", host: "evil.example", want: "http://192.0.2.1:8080"},
		"another name on this machine":           {peer: "127.0.0.1:5", local: "127.0.0.1:8080", host: "evil.example", want: "http://127.0.0.1:8080"},
		"this machine's name from another":       {peer: "192.0.2.9:5", local: "192.0.2.1:8080", host: "localhost", want: "http://192.0.2.1:8080"},
		"the name of --addr":                     {trust: Trust{Addr: "im.example:8080"}, peer: "192.0.2.9:5", local: "192.0.2.1:8080", host: "im.example:8080", want: "http://im.example:8080"},
		"headers of somebody untrusted":          {peer: "192.0.2.9:5", local: "192.0.2.1:8080", host: "192.0.2.1:8080", headers: []string{"X-Forwarded-Host", "evil", "X-Forwarded-Proto", "https", "X-Forwarded-Prefix", "/x"}, want: "http://192.0.2.1:8080"},
		"--public-url beats all":                 {trust: Trust{PublicURL: "https://im.example/chat"}, peer: "192.0.2.9:5", local: "192.0.2.1:8080", host: "evil", want: "https://im.example/chat"},
		"a trusted proxy":                        {trust: Trust{Proxies: prefixes(t, "192.0.2.9/32")}, peer: "192.0.2.9:5", local: "192.0.2.1:8080", host: "x", headers: []string{"X-Forwarded-Host", "Im.example:8443", "X-Forwarded-Proto", "HTTPS", "X-Forwarded-Prefix", "/chat/"}, want: "https://im.example:8443/chat"},
		"a trusted proxy that passes Host on":    {trust: Trust{Proxies: prefixes(t, "192.0.2.9/32")}, peer: "192.0.2.9:5", local: "192.0.2.1:8080", host: "im.example", headers: []string{"X-Forwarded-Proto", "https"}, want: "https://im.example"},
		"the last of several":                    {trust: Trust{Proxies: prefixes(t, "192.0.2.9/32")}, peer: "192.0.2.9:5", local: "192.0.2.1:8080", host: "x", headers: []string{"X-Forwarded-Host", "evil, im.example", "X-Forwarded-Proto", "http, https"}, want: "https://im.example"},
		"a trusted proxy that passes on no host": {trust: Trust{Proxies: prefixes(t, "192.0.2.9/32")}, peer: "192.0.2.9:5", local: "192.0.2.1:8080", host: "x", headers: []string{"X-Forwarded-Host", `evil"><script>`}, want: "http://192.0.2.1:8080"},
		"a host with a path":                     {trust: Trust{Proxies: prefixes(t, "192.0.2.9/32")}, peer: "192.0.2.9:5", local: "192.0.2.1:8080", host: "x", headers: []string{"X-Forwarded-Host", "evil/path"}, want: "http://192.0.2.1:8080"},
		"a prefix that climbs":                   {trust: Trust{Proxies: prefixes(t, "192.0.2.9/32")}, peer: "192.0.2.9:5", local: "192.0.2.1:8080", host: "x", headers: []string{"X-Forwarded-Prefix", "/../x"}, want: "http://x"},
		"a prefix that is another host":          {trust: Trust{Proxies: prefixes(t, "192.0.2.9/32")}, peer: "192.0.2.9:5", local: "192.0.2.1:8080", host: "x", headers: []string{"X-Forwarded-Prefix", "//evil"}, want: "http://x"},
		"a prefix with a question mark":          {trust: Trust{Proxies: prefixes(t, "192.0.2.9/32")}, peer: "192.0.2.9:5", local: "192.0.2.1:8080", host: "x", headers: []string{"X-Forwarded-Prefix", "/a?b"}, want: "http://x"},
		"another scheme":                         {trust: Trust{Proxies: prefixes(t, "192.0.2.9/32")}, peer: "192.0.2.9:5", local: "192.0.2.1:8080", host: "x", headers: []string{"X-Forwarded-Proto", "javascript"}, want: "http://x"},
	} {
		r := arrivedAt(request(tt.peer, tt.host, tt.headers...), tt.local)
		if got := tt.trust.Base(r); got != tt.want {
			t.Errorf("%s: host %q, %q: got %s, want %s", name, tt.host, tt.headers, got, tt.want)
		}
	}
}

func TestAPageOfThisServerIsNotForeign(t *testing.T) {
	public := Trust{PublicURL: "https://im.example/chat"}
	for name, tt := range map[string]struct {
		trust        Trust
		host, origin string
		want         string
	}{
		"its own":                                 {Trust{}, "127.0.0.1:8080", "http://127.0.0.1:8080", ""},
		"its own by name":                         {Trust{}, "localhost:8080", "http://localhost:8080", ""},
		"its own by another name":                 {Trust{}, "127.0.0.1:8080", "http://localhost:8080", "http://localhost:8080"},
		"another port of this machine":            {Trust{}, "127.0.0.1:8080", "http://127.0.0.1:3000", "http://127.0.0.1:3000"},
		"another site":                            {Trust{}, "127.0.0.1:8080", "https://evil.example", "https://evil.example"},
		"a site whose name was made to lead here": {Trust{}, "evil.example:8080", "http://evil.example:8080", "http://evil.example:8080"},
		"no site":                                 {Trust{}, "127.0.0.1:8080", "null", "null"},
		"an empty one":                            {Trust{}, "127.0.0.1:8080", "", "null"},
		"of the public URL":                       {public, "127.0.0.1:8080", "https://im.example", ""},
		"of the listener beside a public URL":     {public, "127.0.0.1:8080", "http://127.0.0.1:8080", ""},
	} {
		r := arrivedAt(request("127.0.0.1:5", tt.host, "Origin", tt.origin), "127.0.0.1:8080")
		if got := tt.trust.From(r).Origin; got != tt.want {
			t.Errorf("%s: host %q, origin %q: got %q, want %q", name, tt.host, tt.origin, got, tt.want)
		}
	}
}

// peer is a connection with a remote address.
type peer struct {
	net.Conn

	at net.Addr
}

func (p peer) RemoteAddr() net.Addr { return p.at }

func TestConnectionsOfTrustedProxiesAreCountedForNobody(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	trusting := Trust{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	for name, tt := range map[string]struct {
		trust Trust
		conn  net.Conn
		want  string
	}{
		"a stranger":                       {Trust{}, c, "127.0.0.1"},
		"a trusted proxy":                  {trusting, c, ""},
		"one that says the client's later": {trusting, peer{at: l.Addr()}, ""},
	} {
		if got := tt.trust.Connection(tt.conn); got != tt.want {
			t.Errorf("%s: counted for %q, want %q", name, got, tt.want)
		}
	}
}
