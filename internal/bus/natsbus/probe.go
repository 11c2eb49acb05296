package natsbus

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Probe connects to a server and sends itself a message. It returns the server's version and the time that the
// message took.
func Probe(ctx context.Context, opts Options) (version string, trip time.Duration, err error) {
	b := &Bus{opts: opts}
	c, err := nats.Connect(opts.Servers[0], append(b.credentials(), nats.Name("skein "+opts.Name), nats.Timeout(connectWait), nats.NoReconnect())...)
	if err != nil {
		return "", 0, err
	}
	defer c.Close()
	subject := nats.NewInbox()
	back, err := c.SubscribeSync(subject)
	if err != nil {
		return "", 0, err
	}
	began := time.Now()
	if err := c.Publish(subject, nil); err != nil {
		return "", 0, err
	}
	if _, err := back.NextMsgWithContext(ctx); err != nil {
		return "", 0, fmt.Errorf("a message does not come back: %w", err)
	}
	return c.ConnectedServerVersion(), time.Since(began), nil
}

// ProbePeer asks the embedded server of another node, which has the same token, who it is. A
// process that is stopped does not answer, though its port can be connected to. Errors: nothing
// answers, or what answers is no NATS server or has another token.
func ProbePeer(ctx context.Context, address, token string) (version string, err error) {
	d := net.Dialer{Timeout: connectWait}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close() //nolint:errcheck // nothing was sent
	deadline := time.Now().Add(peerWait)
	if end, ok := ctx.Deadline(); ok && end.Before(deadline) {
		deadline = end
	}
	if err := conn.SetDeadline(deadline); err != nil {
		return "", err
	}
	encrypted, err := routeTLS(token)
	if err != nil {
		return "", err
	}
	secure := tls.Client(conn, encrypted)
	if err := secure.HandshakeContext(ctx); err != nil {
		return "", fmt.Errorf("connected, and what answers is no node with this token: %w", err)
	}
	line, err := bufio.NewReader(io.LimitReader(secure, maxInfo)).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("connected, and it says nothing: %w", err)
	}
	var info struct {
		Version string `json:"version"`
		Cluster string `json:"cluster"`
	}
	text, ok := strings.CutPrefix(line, "INFO ")
	if !ok || json.Unmarshal([]byte(text), &info) != nil || info.Version == "" {
		return "", errors.New("what answers there is no NATS server")
	}
	if info.Cluster != clusterName {
		return "", fmt.Errorf("its cluster is %q: the address is not one of those that --bus listens on", info.Cluster)
	}
	return info.Version, nil
}

const (
	peerWait = 5 * time.Second
	maxInfo  = 64 << 10
)
