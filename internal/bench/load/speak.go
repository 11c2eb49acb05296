package load

import (
	"context"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/ledger"
)

// Spoken is what came of letting a crowd speak.
type Spoken struct {
	Measured

	crowd           *Crowd
	Answers, Pushes int64
	Checked         string
}

// Faults are the faults of the crowd and of the floor's crowds.
func (s Spoken) Faults(floor ...Spoken) *ledger.Faults {
	for _, f := range floor {
		for _, fault := range f.crowd.Faults.List() {
			s.crowd.Faults.Addf("floor: %s", fault)
		}
	}
	return &s.crowd.Faults
}

// Body is what a speaker's messages have in common. Each client_msg_id contains the seq before this
// phase, because an id that was used before would be a retry.
func (r *Run) Body(conv *ledger.Conversation, padding string) driver.Body {
	b := driver.Body{Conv: conv.ID(), Padding: padding}
	if !r.NoClientIDs {
		b.Tag = r.Tag + "-" + conv.FromText()
	}
	return b
}

// Speak lets the speakers with a window send for d, waits until everything is answered and pushed,
// and checks it.
func (r *Run) Speak(ctx context.Context, h *driver.Host, c *Crowd, name string, d time.Duration) (Spoken, error) {
	return r.observe(ctx, h, c, name, d, func(*Quota) error { return nil })
}

// observe is Speak with also, which sends messages too.
func (r *Run) observe(ctx context.Context, h *driver.Host, c *Crowd, name string, d time.Duration, also func(*Quota) error) (Spoken, error) {
	stop := context.AfterFunc(ctx, c.HangUp)
	defer stop()
	defer c.Disperse()
	if err := c.enter(h, r.Host); err != nil {
		return Spoken{}, err
	}
	m, err := r.Measure(ctx, h, name, d, func() error {
		q := r.Quota(d)
		if err := c.Start(q); err != nil {
			return err
		}
		if err := also(q); err != nil {
			return err
		}
		return c.Settle(ctx, q, r.Patience)
	})
	if err != nil {
		return Spoken{}, err
	}
	c.Disperse()
	if h == r.Host {
		if err := r.Stored(ctx, c.Convs); err != nil {
			return Spoken{}, err
		}
	}
	if c.OnDone != nil {
		c.OnDone()
	}
	return Spoken{m, c, c.answers.Load(), c.pushes.Load(), c.Check()}, nil
}

// enter tells a floor who is in which conversation. A server knows it.
func (c *Crowd) enter(h, server *driver.Host) error {
	if h == server {
		return nil
	}
	for _, m := range c.members {
		if _, err := m.sock.Call("enter", `{"type":"enter","data":{"conv_id":"`+m.conv.ID()+`"}}`); err != nil {
			return err
		}
	}
	return nil
}
