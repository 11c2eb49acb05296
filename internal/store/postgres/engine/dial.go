package engine

import (
	"context"
	"net"
	"time"
)

// deadAfter is about how long a server that does not answer any more is waited for: a machine
// that was lost sends no word of its end.
const deadAfter = 10 * time.Second

// connectLimit bounds how long it takes to connect to one host, unless the URL has a connect_timeout.
const connectLimit = 5 * time.Second

// Dial opens a connection.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// dialer opens connections that notice a lost server, while they are idle and while they wait
// for an answer. The context of a dial bounds it; see connectLimit.
func dialer() *net.Dialer {
	const probes = 3
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: deadAfter / 2, Interval: deadAfter / 2 / probes, Count: probes},
		Control:         giveUpAfter(deadAfter),
	}
}
