package bench

import (
	"context"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/load"
)

// audience is one conversation and its members. The first speakers of them send.
type audience struct {
	clients  []string
	conv     string
	last     int64
	speakers int
}

func newAudience(ctx context.Context, r *load.Run, convType, members, speakers int) (*audience, error) {
	clients, err := r.Users(ctx, "g", max(2, members))
	if err != nil {
		return nil, err
	}
	conv, err := r.Conversation(ctx, convType, clients)
	return &audience{clients: clients, conv: conv, speakers: min(speakers, len(clients)-1)}, err
}

// gather logs all of them in. The speakers are the first members of the crowd.
func (a *audience) gather(ctx context.Context, r *load.Run, h *driver.Host, window int) (*load.Crowd, error) {
	sockets, err := h.JoinAll(ctx, a.clients)
	if err != nil {
		return nil, err
	}
	c := &load.Crowd{}
	var from int64
	if h == r.Host {
		from = a.last
		c.OnDone = func() { a.last = c.Convs[0].Last() }
	}
	conv := ledger.NewConversation(a.conv, from, &c.Faults)
	c.Convs = []*ledger.Conversation{conv}
	b := r.Body(conv, r.Padding())
	for i, s := range sockets {
		if i < a.speakers {
			c.Speaker(s, a.clients[i], conv, uint32(i), window, b)
		} else {
			c.Listener(s, a.clients[i], conv)
		}
	}
	return c, nil
}
