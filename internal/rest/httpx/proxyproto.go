package httpx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// ProxyProtocol is a listener whose trusted proxies begin each connection with a
// header of the PROXY protocol, version 2, which names the client's address. A
// proxy's connection without such a header, or with a malformed one, is closed.
// Others speak for themselves and send no header.
type ProxyProtocol struct {
	net.Listener

	Trust Trust
}

// Accept does not wait for the header: the first use of the connection does.
func (l ProxyProtocol) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c, nil
	}
	at, ok := tcp.RemoteAddr().(*net.TCPAddr)
	if !ok || !l.Trust.trusts(plain(at.AddrPort().Addr())) {
		return c, nil
	}
	return &proxied{TCPConn: tcp}, nil
}

// proxied is the connection of a trusted proxy.
type proxied struct {
	*net.TCPConn

	once   sync.Once
	client net.Addr // set by once; nil: the proxy speaks for itself
	err    error    // set by once
}

// TCP is the connection itself, from which the header has been read.
func (p *proxied) TCP() *net.TCPConn { return p.TCPConn }

func (p *proxied) RemoteAddr() net.Addr {
	p.once.Do(p.readHeader)
	if p.client != nil {
		return p.client
	}
	return p.TCPConn.RemoteAddr()
}

func (p *proxied) Read(b []byte) (int, error) {
	p.once.Do(p.readHeader)
	if p.err != nil {
		return 0, p.err
	}
	return p.TCPConn.Read(b)
}

// headerWait is how long a proxy may take to send its header.
const headerWait = 5 * time.Second

func (p *proxied) readHeader() {
	_ = p.SetReadDeadline(time.Now().Add(headerWait)) // a connection that fails here fails below
	if p.client, p.err = readProxyHeader(p.TCPConn); p.err != nil {
		_ = p.Close() // nothing was answered yet
		return
	}
	_ = p.SetReadDeadline(time.Time{}) // as above
}

// The PROXY protocol, version 2, section 2.2.
const (
	proxySignature  = "\r\n\r\n\x00\r\nQUIT\n"
	proxyLocal      = 0x20
	proxyOnBehalf   = 0x21
	maxProxyPayload = 4 << 10 // bytes: addresses, then extensions that are not read
)

var errProxyHeader = errors.New("malformed header of the PROXY protocol")

// readProxyHeader reads one header and not a byte more. A nil address: the proxy
// speaks for itself, or for what has no IP address.
func readProxyHeader(r io.Reader) (net.Addr, error) {
	var head [16]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("header of the PROXY protocol: %w", err)
	}
	length := int(binary.BigEndian.Uint16(head[14:]))
	command, family := head[12], head[13]
	if string(head[:12]) != proxySignature || command != proxyLocal && command != proxyOnBehalf || length > maxProxyPayload {
		return nil, errProxyHeader
	}
	payload := make([]byte, length)
	if _, err := io.ReadFull(r, payload); err != nil {
		return nil, fmt.Errorf("header of the PROXY protocol: %w", err)
	}
	if command == proxyLocal {
		return nil, nil //nolint:nilnil // it speaks for itself
	}
	switch family {
	case 0x00, 0x31: // unspecified, a Unix socket
		return nil, nil //nolint:nilnil // there is no address
	case 0x11:
		return sourceAddr(payload, 4)
	case 0x21:
		return sourceAddr(payload, 16)
	default:
		return nil, errProxyHeader
	}
}

// sourceAddr reads the source of two addresses of size bytes and two ports.
func sourceAddr(payload []byte, size int) (net.Addr, error) {
	if len(payload) < 2*size+4 {
		return nil, errProxyHeader
	}
	a, _ := netip.AddrFromSlice(payload[:size]) // of 4 or 16 bytes
	port := binary.BigEndian.Uint16(payload[2*size:])
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(plain(a), port)), nil
}
