package bench

import (
	"context"
	"time"

	"github.com/skein-im/skein/internal/bench/ledger"
)

// spoken is what came of letting a crowd speak.
type spoken struct {
	measured

	crowd           *crowd
	answers, pushes int64
	checked         string
}

// faults are those of the crowd, and of the floor's.
func (s spoken) faults(floor ...spoken) *ledger.Faults {
	for _, f := range floor {
		for _, fault := range f.crowd.faults.List() {
			s.crowd.faults.Addf("floor: %s", fault)
		}
	}
	return &s.crowd.faults
}

// body is what a speaker's messages have in common. A client_msg_id that was used
// before would be a retry, so the seq before this phase is a part of it.
func (r *run) body(conv *ledger.Conversation, padding string) body {
	b := body{conv: conv.ID(), padding: padding}
	if !r.NoClientIDs {
		b.tag = r.tag + "-" + conv.FromText()
	}
	return b
}

// speak lets those with a window speak for d, waits until all is answered and
// pushed, and checks it.
func (r *run) speak(ctx context.Context, h *host, c *crowd, name string, d time.Duration) (spoken, error) {
	return r.observe(ctx, h, c, name, d, func(*quota) error { return nil })
}

// observe is speak where others than those with a window speak, too.
func (r *run) observe(ctx context.Context, h *host, c *crowd, name string, d time.Duration, also func(*quota) error) (spoken, error) {
	stop := context.AfterFunc(ctx, c.hangUp)
	defer stop()
	defer c.disperse()
	if err := c.enter(h, r.host); err != nil {
		return spoken{}, err
	}
	m, err := r.measure(ctx, h, name, d, func() error {
		q := r.quota(d)
		if err := c.start(q); err != nil {
			return err
		}
		if err := also(q); err != nil {
			return err
		}
		return c.settle(ctx, q, r.patience)
	})
	if err != nil {
		return spoken{}, err
	}
	c.disperse()
	if h == r.host {
		if err := r.stored(ctx, c.convs); err != nil {
			return spoken{}, err
		}
	}
	if c.onDone != nil {
		c.onDone()
	}
	return spoken{m, c, c.answers.Load(), c.pushes.Load(), c.check()}, nil
}

// enter tells a floor who is in which conversation; the server knows.
func (c *crowd) enter(h, server *host) error {
	if h == server {
		return nil
	}
	for _, m := range c.members {
		if _, err := m.sock.ask("enter", `{"type":"enter","data":{"conv_id":"`+m.conv.ID()+`"}}`); err != nil {
			return err
		}
	}
	return nil
}
