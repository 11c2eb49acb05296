package delivery

import (
	"context"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/hub"
)

// maxNamed bounds the members that an event names to the other nodes. If a conversation has
// more, each node reads its members from the store.
const maxNamed = 64

// publish sends an event to the other nodes. It names a small audience, so that a node with
// none of its members reads no store (BenchmarkEventForNobodyHere). For a larger one it
// gives the roster_rev that the members must have at least.
func (l *lane) publish(ctx context.Context, e *bus.Event) {
	if e.Audience == nil {
		members, rev, err := l.members(ctx, e)
		if err == nil && len(members) <= maxNamed {
			e.Audience = l.joined(ctx, e, members)
		}
		e.RosterRev = max(e.RosterRev, rev)
	}
	span := l.span.Start("publish")
	if span != nil {
		e.Trace = span.Trace() // what other nodes do follows from it
	}
	l.d.opts.Bus.Publish(e)
	span.End(0)
}

// joined returns the members that get e, in a new slice: those who had joined when e
// happened and had not left when the slice was made. Joining or leaving while the event
// travels changes nothing.
func (l *lane) joined(ctx context.Context, e *bus.Event, members []skein.Listener) []skein.Listener {
	seq, named := l.joinedBy(ctx, e), make([]skein.Listener, 0, len(members))
	for _, m := range members {
		if seq == 0 || m.JoinSeq <= seq {
			named = append(named, m)
		}
	}
	return named
}

// members are those of the conversation of e, no older than e asks for.
func (l *lane) members(ctx context.Context, e *bus.Event) ([]skein.Listener, int64, error) {
	return l.d.opts.Store.Audience(ctx, e.App, e.Conv, e.RosterRev)
}

// deliver hands an event to the sessions of its audience on this node.
func (l *lane) deliver(ctx context.Context, e *bus.Event) error {
	members := e.Audience
	if members == nil {
		var err error
		if members, _, err = l.members(ctx, e); err != nil {
			return err
		}
	}
	l.deliverTo(ctx, e, members, 0)
	return nil
}

// deliverTo is deliver to those of a list, in sessions up to a number; zero: in all.
func (l *lane) deliverTo(ctx context.Context, e *bus.Event, members []skein.Listener, sessions int64) {
	delivered, blind, span := 0, blindOf(e), l.span.Start("outboxes")
	audience := l.audience(ctx, e, members)
	for _, client := range audience {
		except := hub.Except{Withheld: e.Kind, Session: e.Session, Stamp: e.Stamp, Upto: sessions}
		if client == e.Sender {
			if !e.ToSender {
				continue
			}
			except.Device = e.Device
		}
		frame := e.Frame
		if blind[client] {
			frame = e.Blank
		}
		delivered += l.d.opts.Hub.Deliver(e.App, client, frame, except)
	}
	l.d.delivered(e.App, delivered)
	span.Count("skein.members", len(members))
	span.Count("skein.sessions", delivered)
	span.End(0)
}

// audience is who gets e and may be on this node, each once: of members, those who had
// joined when it was stored. An offline member costs one filter lookup. The list is
// scratch of the lane.
func (l *lane) audience(ctx context.Context, e *bus.Event, members []skein.Listener) []string {
	seq, people := l.joinedBy(ctx, e), l.people[:0]
	for i := range members {
		m := &members[i]
		if (seq == 0 || m.JoinSeq <= seq) && l.d.opts.Hub.MayHave(m.Mark) {
			people = append(people, m.Client)
		}
	}
	people = appendMissing(people, e.Also)
	if e.ToSender && !slices.Contains(people, e.Sender) {
		people = append(people, e.Sender) // the backend may send for a client that is no member
	}
	l.people = people
	return people
}

// joinedBy is the seq of the message that a member must have been there for to be told of
// e; zero: none.
func (l *lane) joinedBy(ctx context.Context, e *bus.Event) int64 {
	if e.About != 0 && l.d.opts.Private != nil && l.d.opts.Private(ctx, e.App) {
		return e.About
	}
	return e.Seq
}

// anyHere reports whether anybody whom e names may be on this node.
func (l *lane) anyHere(e *bus.Event) bool {
	for i := range e.Audience {
		if l.d.opts.Hub.MayHave(e.Audience[i].Mark) {
			return true
		}
	}
	for _, client := range e.Also {
		if l.d.opts.Hub.MayHave(skein.MarkOf(client)) {
			return true
		}
	}
	return e.ToSender && l.d.opts.Hub.MayHave(skein.MarkOf(e.Sender))
}

// appendMissing appends those of more who are not there yet.
func appendMissing(people, more []string) []string {
	if len(more) == 0 {
		return people
	}
	there := make(map[string]bool, len(more))
	for _, one := range more {
		there[one] = false
	}
	for _, one := range people {
		if _, asked := there[one]; asked {
			there[one] = true
		}
	}
	for _, one := range more {
		if !there[one] {
			there[one] = true
			people = append(people, one)
		}
	}
	return people
}
