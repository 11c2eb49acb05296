package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/report"
)

// pairs: in each pair one sends, with a window of messages under way, and the other
// reads. A unit is a message: sent, stored, answered, pushed.
func pairs(ctx context.Context, r *run) error {
	const usual = 500
	crowd, err := r.couples(ctx, r.clients(2*usual)/2)
	if err != nil {
		return err
	}
	floor, err := startFloor(r.Options)
	if err != nil {
		return err
	}
	defer floor.end()
	for _, p := range []struct {
		window    int
		cpu, rate *report.Target
	}{
		{1, report.AtMost(65), nil},
		{16, report.AtMost(40), report.AtLeast(25_000)},
	} {
		load := func(h *host, d time.Duration) (spoken, error) {
			c, err := crowd.gather(ctx, r, h, p.window)
			if err != nil {
				return spoken{}, err
			}
			return r.speak(ctx, h, c, fmt.Sprintf("window %d", p.window), d)
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
			return s.values("message", "messages", s.answers, r.forTheUsual(p.cpu), r.forTheUsual(p.rate))
		}
		about := fmt.Sprintf("%d pairs, one sends and one reads, %d under way each", len(crowd.convs), p.window)
		if err := r.phase(fmt.Sprintf("window %d", p.window), about, withFloor(figures(s), figures(f)), s.checked, s.faults(f)); err != nil {
			return err
		}
	}
	return nil
}

// couples is pairs of clients and their conversations.
type couples struct {
	clients []string // 2 a conversation
	convs   []string
	last    []int64 // seq of each so far
}

func (r *run) couples(ctx context.Context, n int) (*couples, error) {
	n = max(1, n)
	clients, err := r.users(ctx, "p", 2*n)
	if err != nil {
		return nil, err
	}
	c := &couples{clients: clients, convs: make([]string, n), last: make([]int64, n)}
	return c, parallel(ctx, n, setupConnections, func(ctx context.Context, i int) error {
		var err error
		c.convs[i], err = r.conversation(ctx, typePair, clients[2*i:2*i+2])
		return err
	})
}

// gather logs all of them in, at the server or the floor.
func (p *couples) gather(ctx context.Context, r *run, h *host, window int) (*crowd, error) {
	sockets, err := h.joinAll(ctx, p.clients)
	if err != nil {
		return nil, err
	}
	c := &crowd{}
	padding := r.padding()
	for i, id := range p.convs {
		var from int64
		if h == r.host {
			from = p.last[i]
		}
		conv := ledger.NewConversation(id, from, &c.faults)
		c.convs = append(c.convs, conv)
		c.speaker(sockets[2*i], p.clients[2*i], conv, uint32(i), window, r.body(conv, padding))
		c.listener(sockets[2*i+1], p.clients[2*i+1], conv)
	}
	c.onDone = func() {
		if h == r.host {
			for i, conv := range c.convs {
				p.last[i] = conv.Last()
			}
		}
	}
	return c, nil
}
