package config

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// OnLoopback reports whether the server can be reached from this machine alone.
// It looks host names up and counts one that it cannot look up as reachable.
func (s Serve) OnLoopback(ctx context.Context) bool {
	return mustBeLoopback(ctx, s.Addr, net.DefaultResolver.LookupNetIP) == nil
}

// mustBeLoopback refuses a host:port that any other machine might reach: no host
// (all addresses), an address outside loopback, a name with such an address.
func mustBeLoopback(ctx context.Context, addr string, lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if host == "" {
		return fmt.Errorf("%q means every address of this machine", addr)
	}
	ips, err := lookup(ctx, "ip", host) // an IP address is answered as it is
	if err != nil {
		return fmt.Errorf("%q cannot be looked up: %w", host, err)
	}
	for _, ip := range ips {
		if ip = ip.Unmap(); !ip.IsLoopback() {
			return fmt.Errorf("%q is %v", host, ip)
		}
	}
	return nil
}
