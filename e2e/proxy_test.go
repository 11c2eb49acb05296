package e2e

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// behind are the headers of a proxy that was called from an address.
func behind(addr string) headers { return headers{"X-Forwarded-For": addr} }

// failLogins fails to log in n times, and is the code of the last failure.
func (a *app) failLogins(t *testing.T, n int, client string, h headers) int {
	t.Helper()
	code := 0
	for range n {
		var c *socket
		eventually(t, "the sockets before it have given back their places", func() bool {
			var err error
			c, err = a.s.dialSocketAs("", h)
			return err == nil
		})
		data := a.loginData(client, "d")
		data["token"] = "wrong.token.here"
		ans, err := c.try("login", data)
		if err != nil {
			t.Fatal(err)
		}
		c.Drop()
		code = ans.Code
	}
	return code
}

func TestBehindATrustedProxyEachClientIsCountedByItsOwnAddress(t *testing.T) {
	t.Parallel()
	s := start(t, withoutDev(), withArgs("--trusted-proxies", "127.0.0.0/8,10.0.0.0/8", "--sockets-per-address", "2", "--login-rate", "3"))
	s.says(t, "127.0.0.0/8,10.0.0.0/8")
	a := createApp(t, s)
	alice := a.user(t, "alice")
	if code := a.failLogins(t, 5, alice, behind("203.0.113.7")); code != 4290 {
		t.Errorf("5 bad logins of one address, 3 allowed: the last is answered %d, want 4290", code)
	}
	if code := a.failLogins(t, 1, alice, behind("203.0.113.8")); code != 4003 {
		t.Errorf("a bad login of another address: answered %d, want 4003", code)
	}
	open := func(forwarded string) error {
		c, err := s.dialSocketAs("", behind(forwarded))
		if err == nil {
			t.Cleanup(c.Drop)
		}
		return err
	}
	for _, tt := range []struct {
		forwarded string
		refused   bool
	}{
		{"198.51.100.1", false},
		{"198.51.100.1", false},
		{"198.51.100.1", true},
		{"6.6.6.6, 198.51.100.1", true},            // what the client wrote does not help it
		{"198.51.100.1, 10.1.1.1", true},           // through two proxies
		{"::ffff:198.51.100.1", true},              // the same address as IPv6 has it
		{"198.51.100.2", false},                    // another client
		{"2001:db8:1:2::1", false},                 // one /64 …
		{"2001:db8:1:2:ffff:ffff:ffff:1", false},   // … is one customer
		{"2001:db8:1:2:aaaa::7", true},             // …
		{"2001:db8:1:3::1", false},                 // another /64
		{"rubbish", false}, {"rubbish, \t", false}, // the proxy's own address, twice
		{"198.51.100.9, rubbish", true}, // nothing before rubbish is read
	} {
		if err := open(tt.forwarded); (err != nil) != tt.refused {
			t.Errorf("a socket of %q: got %v, want it refused: %v", tt.forwarded, err, tt.refused)
		}
	}
}

// proxyHeader is a header of the PROXY protocol, version 2.
func proxyHeader(client string) string {
	from := netip.MustParseAddrPort(client)
	family, to := byte(0x11), netip.MustParseAddr("127.0.0.1")
	if from.Addr().Is6() {
		family, to = 0x21, netip.IPv6Loopback()
	}
	addrs := append(from.Addr().AsSlice(), to.AsSlice()...)
	addrs = binary.BigEndian.AppendUint16(addrs, from.Port())
	addrs = binary.BigEndian.AppendUint16(addrs, 80)
	head := append([]byte("\r\n\r\n\x00\r\nQUIT\n\x21"), family)
	head = binary.BigEndian.AppendUint16(head, uint16(len(addrs)))
	return string(append(head, addrs...))
}

func TestProxyProtocol(t *testing.T) {
	t.Parallel()
	s := start(t, withoutDev(), withProxyProtocol(), withArgs("--trusted-proxies", "127.0.0.0/8", "--sockets-per-address", "1"))
	const handshake = "GET /im/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	for _, tt := range []struct {
		name, sent string
		status     int // zero: closed without a word
	}{
		{"a client", proxyHeader("203.0.113.7:1000") + handshake, 101},
		{"the same address again", proxyHeader("203.0.113.7:1001") + handshake, 429},
		{"another client", proxyHeader("203.0.113.8:1000") + handshake, 101},
		{"a client of IPv6", proxyHeader("[2001:db8::1]:1000") + handshake, 101},
		{"another of its network", proxyHeader("[2001:db8::2]:1000") + handshake, 429},
		{"what the client forwards itself", proxyHeader("203.0.113.7:1002") + strings.Replace(handshake, "\r\n", "\r\nX-Forwarded-For: 9.9.9.9\r\n", 1), 429},
		{"no header", handshake, 0},
		{"version 1", "PROXY TCP4 203.0.113.9 127.0.0.1 1 2\r\n" + handshake, 0},
		{"a header cut short", proxyHeader("203.0.113.9:1000")[:20], 0},
	} {
		conn, err := net.Dial("tcp", s.Addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if _, err := io.WriteString(conn, tt.sent); err != nil {
			t.Fatal(err)
		}
		if tt.status == 0 {
			_ = conn.(*net.TCPConn).CloseWrite()
		}
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		got := 0
		if err == nil {
			got = res.StatusCode
		}
		if got != tt.status {
			t.Errorf("%s: got status %d (%v), want %d", tt.name, got, err, tt.status)
		}
	}
}

// withProxyProtocol is for a server that answers no proxy without its header.
func withProxyProtocol() option {
	return func(s *server) {
		s.args = append(s.args, "--proxy-protocol")
		s.probeBy = func(path string) int {
			conn, err := net.DialTimeout("tcp", s.Addr, patience)
			if err != nil {
				return 0
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, proxyHeader("192.0.2.1:9")+"GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			_ = conn.SetReadDeadline(time.Now().Add(patience))
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				return 0
			}
			return res.StatusCode
		}
	}
}
