package driver

import (
	"context"
	"net"
	"runtime"
	"sync/atomic"
	"time"
)

// perSource is how many sockets come from one source address: a server bounds them,
// and ports of one address are finite.
const perSource = 400

// sources dials from one loopback address after another.
type sources struct {
	Dialed atomic.Int64
}

// dialTimeout bounds connect and handshake under a storm.
const dialTimeout = 20 * time.Second

func (s *sources) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout, KeepAlive: -1}
	if manySources(addr) {
		d.LocalAddr = sourceOf(s.Dialed.Add(1) - 1)
	}
	return d.DialContext(ctx, network, addr)
}

// manySources: on Linux all of 127.0.0.0/8 is this machine.
func manySources(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	return err == nil && runtime.GOOS == "linux" && ip != nil && ip.To4() != nil && ip.IsLoopback()
}

// sourceOf is the address of the nth socket: 127.0.1.1 and on.
func sourceOf(n int64) *net.TCPAddr {
	const hosts = 250
	i := n / perSource
	return &net.TCPAddr{IP: net.IPv4(127, 0, byte(1+i/hosts%hosts), byte(1+i%hosts))}
}
