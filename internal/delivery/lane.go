package delivery

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/recent"
)

// lane delivers the events of its share of the conversations. Apps take turns by the
// time that their events cost, so that a large group of one does not hold up the
// others; what is of one conversation stays in order. All fields but queue are owned by
// run.
type lane struct {
	d     *Delivery
	queue *queue

	seen    *recent.Map[place, int64] // newest seq that was delivered
	changed *recent.Map[place, int64] // newest change_seq that was delivered
	people  []string                  // scratch: the audience at hand
}

type place struct {
	app  string
	conv skein.ID
}

const (
	// maxSeen bounds the conversations whose newest seq is remembered. A
	// conversation that was forgotten starts at what comes next.
	maxSeen = 50_000
)

func newLane(d *Delivery) *lane {
	return &lane{d: d, queue: newQueue(), seen: recent.New[place, int64](maxSeen), changed: recent.New[place, int64](maxSeen)}
}

// run delivers until the queue is closed and empty, or ctx ends.
func (l *lane) run(ctx context.Context) {
	for {
		e, line := l.queue.take()
		if line == nil || ctx.Err() != nil {
			return
		}
		start := time.Now()
		switch {
		case isRecall(e):
			l.repairEnd(ctx, e)
		case e.Seq != 0:
			l.deliverInOrder(ctx, e)
		case e.Change != 0:
			l.changeInOrder(ctx, e)
		default:
			l.deliver(ctx, e)
		}
		l.queue.settle(line, time.Since(start))
	}
}

// deliverInOrder delivers a stored message: never one before its predecessors,
// and none twice. A message that overtook another was committed after it, so the
// store has the other.
func (l *lane) deliverInOrder(ctx context.Context, e bus.Event) {
	at := place{e.App, e.Conv}
	last, known := l.seen.Get(at)
	if known && e.Seq <= last {
		return
	}
	if known && e.Seq > last+1 && e.Seq-last <= maxRepair {
		l.repair(ctx, e, last)
	}
	l.seen.Put(at, e.Seq)
	l.deliver(ctx, e)
}

// deliver hands one event to the sessions of its audience on this node.
func (l *lane) deliver(ctx context.Context, e bus.Event) {
	audience, err := l.audience(ctx, e)
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			l.d.opts.Log.Warn("an event was not delivered live: its audience could not be read",
				slog.String("app", e.App), slog.String("conv", e.Conv.String()), slog.Any("error", err))
		}
		l.d.metrics.dropped.Inc()
		return
	}
	delivered, blind := 0, blindOf(e)
	for _, client := range audience {
		except := hub.Except{Deaf: e.Kind, Session: e.Session}
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
	l.d.metrics.delivered.Add(float64(delivered))
}

// audience is who is to have e, each once. It is scratch of the lane.
func (l *lane) audience(ctx context.Context, e bus.Event) (people []string, err error) {
	if e.Audience != nil {
		people = append(l.people[:0], e.Audience...) //nolint:gocritic // l.people is the scratch
	} else if people, err = l.members(ctx, e); err != nil {
		return nil, err
	}
	people = appendMissing(people, e.Also)
	if e.ToSender && !slices.Contains(people, e.Sender) {
		people = append(people, e.Sender) // the backend may send for who is no member
	}
	l.people = people
	return people, nil
}

// members are those who are to have e and may be here: of a message, who had joined
// when it was stored. Who is away costs no more than the question.
func (l *lane) members(ctx context.Context, e bus.Event) ([]string, error) {
	all, err := l.d.opts.Store.Audience(ctx, e.App, e.Conv)
	if err != nil {
		return nil, err
	}
	seq, people := l.witnessed(ctx, e), l.people[:0]
	for _, m := range all {
		if (seq == 0 || m.JoinSeq <= seq) && l.d.opts.Hub.MayHave(m.Mark) {
			people = append(people, m.Client)
		}
	}
	return people, nil
}

// witnessed is the seq of the message that a member must have been there for to be
// told of e; zero: none.
func (l *lane) witnessed(ctx context.Context, e bus.Event) int64 {
	if e.About != 0 && l.d.opts.Private != nil && l.d.opts.Private(ctx, e.App) {
		return e.About
	}
	return e.Seq
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
