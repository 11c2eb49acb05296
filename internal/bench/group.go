package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/report"
)

// audience is one conversation and its members, the first of whom speak.
type audience struct {
	clients  []string
	conv     string
	last     int64
	speakers int
}

func (r *run) audience(ctx context.Context, convType, members, speakers int) (*audience, error) {
	clients, err := r.users(ctx, "g", max(2, members))
	if err != nil {
		return nil, err
	}
	conv, err := r.conversation(ctx, convType, clients)
	return &audience{clients: clients, conv: conv, speakers: min(speakers, len(clients)-1)}, err
}

// gather logs all of them in; the speakers are the first members of the crowd.
func (a *audience) gather(ctx context.Context, r *run, h *host, window int) (*crowd, error) {
	sockets, err := h.joinAll(ctx, a.clients)
	if err != nil {
		return nil, err
	}
	c := &crowd{}
	var from int64
	if h == r.host {
		from = a.last
		c.onDone = func() { a.last = c.convs[0].Last() }
	}
	conv := ledger.NewConversation(a.conv, from, &c.faults)
	c.convs = []*ledger.Conversation{conv}
	b := r.body(conv, r.padding())
	for i, s := range sockets {
		if i < a.speakers {
			c.speaker(s, a.clients[i], conv, uint32(i), window, b)
		} else {
			c.listener(s, a.clients[i], conv)
		}
	}
	return c, nil
}

// group: one sends, all others are online. A unit is a delivery. Once at a fixed
// rate, once as fast as answers come.
func group(ctx context.Context, r *run) error {
	const usual = 1000
	a, err := r.audience(ctx, typeGroup, r.clients(usual), 1)
	if err != nil {
		return err
	}
	floor, err := startFloor(r.Options)
	if err != nil {
		return err
	}
	defer floor.end()
	for _, p := range []struct {
		name, about string
		window      int
		interval    time.Duration // between messages; zero: as fast as the window lets
		cpu, many   *report.Target
	}{
		{"100 messages a second", "100 messages a second", 0, time.Second / 100, report.AtMost(7), nil},
		{"window 8", "8 under way", 8, 0, report.AtMost(4), report.AtLeast(200_000)},
	} {
		load := func(h *host, d time.Duration) (spoken, error) {
			c, err := a.gather(ctx, r, h, p.window)
			if err != nil {
				return spoken{}, err
			}
			if p.interval == 0 {
				return r.speak(ctx, h, c, p.name, d)
			}
			return r.pace(ctx, h, c, p.name, d, p.interval)
		}
		s, err := load(r.host, r.lasting(10*time.Second))
		if err != nil {
			return err
		}
		f, err := load(floor, r.lasting(5*time.Second))
		if err != nil {
			return err
		}
		figures := func(s spoken) []report.Value {
			return s.values("delivery", "deliveries", s.pushes, r.forTheUsual(p.cpu), r.forTheUsual(p.many))
		}
		about := fmt.Sprintf("%d members online, one sends, %s", len(a.clients), p.about)
		if err := r.phase(p.name, about, withFloor(figures(s), figures(f)), s.checked, s.faults(f)); err != nil {
			return err
		}
	}
	return nil
}

// pace lets the crowd's first speakers, those without a window, send at a fixed rate.
func (r *run) pace(ctx context.Context, h *host, c *crowd, name string, d, interval time.Duration) (spoken, error) {
	var speakers []*member
	for _, m := range c.members {
		if m.speaks {
			speakers = append(speakers, m)
		}
	}
	return r.observe(ctx, h, c, name, d, func(q *quota) error {
		return c.pace(ctx, q, speakers, interval)
	})
}
