package natsbus

import (
	"context"
	"fmt"
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
