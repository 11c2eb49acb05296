package httpx

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
)

const v4Header = proxySignature + "\x21\x11\x00\x0c\xcb\x00\x71\x07\x0a\x00\x00\x01\x12\x34\x00\x50"

func TestHeadersOfTheProxyProtocol(t *testing.T) {
	long := strings.Repeat("x", 200)
	for name, tt := range map[string]struct {
		header, want string // want: the client's address; empty: the proxy's own
		malformed    bool
	}{
		"IPv4":                       {header: v4Header, want: "203.0.113.7:4660"},
		"IPv4 with extensions":       {header: strings.Replace(v4Header, "\x00\x0c", "\x00\xd4", 1) + long, want: "203.0.113.7:4660"},
		"IPv6":                       {header: proxySignature + "\x21\x21\x00\x24\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x01" + strings.Repeat("\x00", 16) + "\x12\x34\x00\x50", want: "[2001:db8::1]:4660"},
		"IPv4 in IPv6":               {header: proxySignature + "\x21\x21\x00\x24" + strings.Repeat("\x00", 10) + "\xff\xff\xcb\x00\x71\x07" + strings.Repeat("\x00", 16) + "\x12\x34\x00\x50", want: "203.0.113.7:4660"},
		"the proxy's own":            {header: proxySignature + "\x20\x00\x00\x00"},
		"the proxy's own, addressed": {header: strings.Replace(v4Header, "\x21\x11", "\x20\x11", 1)},
		"of no known family":         {header: proxySignature + "\x21\x00\x00\x00"},
		"none":                       {header: "GET / HTTP/1.1\r\nHost: x\r\n\r\n", malformed: true},
		"version 1":                  {header: "PROXY TCP4 203.0.113.7 10.0.0.1 4660 80\r\n", malformed: true},
		"another version":            {header: strings.Replace(v4Header, "\x21\x11", "\x31\x11", 1), malformed: true},
		"an unknown command":         {header: strings.Replace(v4Header, "\x21\x11", "\x22\x11", 1), malformed: true},
		"UDP":                        {header: strings.Replace(v4Header, "\x21\x11", "\x21\x12", 1), malformed: true},
		"too short for addresses":    {header: proxySignature + "\x21\x11\x00\x04\xcb\x00\x71\x07", malformed: true},
		"cut":                        {header: v4Header[:20], malformed: true},
		"nothing":                    {malformed: true},
		"too long":                   {header: proxySignature + "\x21\x11\xff\xff" + strings.Repeat("x", 0xffff), malformed: true},
	} {
		r := bytes.NewReader([]byte(tt.header))
		addr, err := readProxyHeader(r)
		if (err != nil) != tt.malformed {
			t.Errorf("%s: got error %v, want one: %v", name, err, tt.malformed)
			continue
		}
		got := ""
		if addr != nil {
			got = addr.String()
		}
		if got != tt.want || err == nil && r.Len() > 0 {
			t.Errorf("%s: got %q with %d bytes left, want %q with none", name, got, r.Len(), tt.want)
		}
	}
}

func TestOnlyTrustedProxiesSendAHeader(t *testing.T) {
	for name, tt := range map[string]struct {
		trusted, sent string
		want          string // address, then what is read
	}{
		"a trusted one":                    {"127.0.0.0/8", v4Header + "hello", "203.0.113.7 hello"},
		"a trusted one without its header": {"127.0.0.0/8", "hello, this is longer than a header", "127.0.0.1 "},
		"another":                          {"10.0.0.0/8", v4Header + "hello", "127.0.0.1 " + v4Header + "hello"},
	} {
		inner, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l := ProxyProtocol{Listener: inner, Trust: Trust{Proxies: prefixes(t, tt.trusted)}}
		out, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(out, tt.sent); err != nil {
			t.Fatal(err)
		}
		_ = out.(*net.TCPConn).CloseWrite()
		in, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		host, _, _ := net.SplitHostPort(in.RemoteAddr().String())
		read, _ := io.ReadAll(struct{ io.Reader }{in}) // the error of a closed connection is what some want
		if got := host + " " + string(read); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
		for _, c := range []io.Closer{in, out, inner} {
			_ = c.Close() // the one without its header is closed already
		}
	}
}
