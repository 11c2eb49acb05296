package load

import (
	"context"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/ledger"
)

// Couples are pairs of clients, each pair with a private conversation.
type Couples struct {
	Clients []string // 2 a conversation
	Convs   []string
	last    []int64 // seq of each so far
}

// Couples registers the clients of n pairs and creates their conversations.
func (r *Run) Couples(ctx context.Context, n int) (*Couples, error) {
	n = max(1, n)
	clients, err := r.Users(ctx, "p", 2*n)
	if err != nil {
		return nil, err
	}
	c := &Couples{Clients: clients, Convs: make([]string, n), last: make([]int64, n)}
	return c, driver.Parallel(ctx, n, driver.SetupConnections, func(ctx context.Context, i int) error {
		var err error
		c.Convs[i], err = r.Conversation(ctx, TypePair, clients[2*i:2*i+2])
		return err
	})
}

// Gather logs all of them in, at the server or the floor.
func (p *Couples) Gather(ctx context.Context, r *Run, h *driver.Host, window int) (*Crowd, error) {
	sockets, err := h.JoinAll(ctx, p.Clients)
	if err != nil {
		return nil, err
	}
	c := &Crowd{}
	padding := r.Padding()
	for i, id := range p.Convs {
		var from int64
		if h == r.Host {
			from = p.last[i]
		}
		conv := ledger.NewConversation(id, from, &c.Faults)
		c.Convs = append(c.Convs, conv)
		c.Speaker(sockets[2*i], p.Clients[2*i], conv, uint32(i), window, r.Body(conv, padding))
		c.Listener(sockets[2*i+1], p.Clients[2*i+1], conv)
	}
	c.OnDone = func() {
		if h == r.Host {
			for i, conv := range c.Convs {
				p.last[i] = conv.Last()
			}
		}
	}
	return c, nil
}
