package chaos

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"
)

// place is a conversation of the round, with who may come and go in it.
type place struct {
	id     string
	kind   int
	guests []string        // come and go; the founders stay
	in     map[string]bool // of the guests, as was last done
}

// Conversation types.
const (
	private = 1
	group   = 3
	room    = 4
)

// registrar lets members come and go, one at a time, each wholly done before the
// next: so it is known from when to when somebody was in.
type registrar struct {
	app     *app
	rng     *rand.Rand
	history *history
	calls   *atomic.Int64
	ghosts  time.Duration // as in system
	places  []*place
	devices map[string][]*device // by client
	doomed  string               // a conversation to be deleted on the way; empty: it has been
	deleted []string             // those that have been
	pairs   [][2]string          // private pairs to be made on the way
}

// act goes on until over ends; patience bounds what is under way then.
func (r *registrar) act(over, patience context.Context) error {
	for turn := 1; ; turn++ {
		if !pause(over, time.Duration(400+r.rng.IntN(700))*time.Millisecond) {
			return nil
		}
		if err := r.step(patience, turn); err != nil {
			return err
		}
	}
}

func (r *registrar) step(ctx context.Context, turn int) error {
	switch {
	case turn%5 == 0 && len(r.pairs) > 0:
		pair := r.pairs[0]
		r.pairs = r.pairs[1:]
		return r.meet(ctx, pair)
	case turn >= 7 && r.doomed != "":
		doomed := r.doomed
		r.doomed = ""
		return r.remove(ctx, doomed)
	}
	p := r.places[r.rng.IntN(len(r.places))]
	guest := p.guests[r.rng.IntN(len(p.guests))]
	return r.move(ctx, p, guest)
}

// remove deletes a conversation.
func (r *registrar) remove(ctx context.Context, conv string) error {
	r.deleted = append(r.deleted, conv)
	return r.backend(ctx, "conv.delete", "DELETE", convPath(conv, ""), args{ConvID: conv})
}

// meet makes a private pair; that it is made once however often it is asked for is
// what the server promises.
func (r *registrar) meet(ctx context.Context, pair [2]string) error {
	for {
		id, err := r.app.create(private, pair[0], pair[1])
		if err == nil {
			r.history.add(event{Kind: kindConv, App: r.app.id, Conv: id, Type: private, Members: pair[:]})
			return nil
		}
		if !pause(ctx, 100*time.Millisecond) {
			return fmt.Errorf("a pair was never made: %w", err)
		}
	}
}

// move takes a guest out or lets it in, by the backend or by itself.
func (r *registrar) move(ctx context.Context, p *place, guest string) error {
	p.in[guest] = !p.in[guest]
	itself := r.rng.IntN(3) == 0
	switch {
	case !p.in[guest] && itself:
		return r.itself(ctx, "conv.leave", p, guest)
	case p.in[guest] && itself && p.kind == room:
		return r.itself(ctx, "conv.join", p, guest)
	}
	return r.carry(ctx, p, guest)
}

// carry lets the backend do to a guest what is noted of it.
func (r *registrar) carry(ctx context.Context, p *place, guest string) error {
	op, method := "conv.members.add", "POST"
	if !p.in[guest] {
		op, method = "conv.members.remove", "DELETE"
	}
	return r.backend(ctx, op, method, convPath(p.id, "/members"), args{ConvID: p.id, ClientIDs: []string{guest}})
}

// itself lets the guest ask. An attempt without an answer may be done after the one
// that was answered; nothing else is done with the guest before that is over.
func (r *registrar) itself(ctx context.Context, op string, p *place, guest string) error {
	mine := r.devices[guest]
	lost, err := mine[r.rng.IntN(len(mine))].do(ctx, op, args{ConvID: p.id, ClientIDs: []string{guest}}, 0)
	if err == nil && lost > 0 {
		pause(ctx, r.ghosts)
	}
	return err
}

// backend makes a call by REST until it is answered.
func (r *registrar) backend(ctx context.Context, op, method, path string, in args) error {
	e := event{App: r.app.id, Call: fmt.Sprintf("c%d", r.calls.Add(1)), Op: op, Conv: in.ConvID}
	for {
		begin := e
		begin.Kind, begin.Args = kindCall, &in
		e.Asked = r.history.add(begin)
		got, err := r.app.backend().Try(context.Background(), method, path, map[string]any{"client_ids": in.ClientIDs})
		if err == nil && got.Code != codeUnavailable && got.Code != codeRateLimited {
			e.Kind, e.Code = kindReply, got.Code
			r.history.add(e)
			return nil
		}
		lost := e
		lost.Kind = kindLost
		r.history.add(lost)
		if !pause(ctx, 100*time.Millisecond) {
			return fmt.Errorf("%s was never answered: %w", op, err)
		}
	}
}

// places of the history: who was in from the start.
func (p *place) founded(app string, founders []string) event {
	members := append(slices.Clone(founders), slices.DeleteFunc(slices.Sorted(maps.Keys(p.in)), func(c string) bool { return !p.in[c] })...)
	return event{Kind: kindConv, App: app, Conv: p.id, Type: p.kind, Members: members}
}
