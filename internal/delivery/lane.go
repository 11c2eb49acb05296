package delivery

import (
	"context"
	"log/slog"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/recent"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/tracing"
)

// lane delivers what concerns its share of the conversations. Apps take turns by the time
// that their tasks cost, so that a large group of one does not hold up the others; what
// concerns one conversation stays in order. All fields but queue are owned by run.
type lane struct {
	d     *Delivery
	queue *queue

	positions *recent.Map[convKey, position] // up to where each conversation was delivered
	told      *recent.Map[deedKey, tellings] // the notices delivered lately
	people    []string                       // scratch: the audience at hand
	event     bus.Event                      // scratch: the event of this node at hand
	span      *tracing.Span                  // of the task at hand
}

// convKey names a conversation.
type convKey struct {
	app  string
	conv skein.ID
}

// position is up to where the logs of a conversation were delivered, or what has a place in
// one of them. Zero: nothing is known of that log.
type position struct{ seq, change int64 }

// past is p behind another position, as far as that is farther.
func (p position) past(o position) position {
	return position{max(p.seq, o.seq), max(p.change, o.change)}
}

// task is one thing that a lane does about a conversation: it delivers a message or a
// change (sent) or an event, compares edits with what it delivered, or, with none of
// these, answers a doorbell.
type task struct {
	app  string
	conv skein.ID

	sent  *skein.Committed // of this node, not encoded yet
	event *bus.Event
	own   bool // of this node: the others hear it too

	edits []store.Entry // what the feed tells of the conversation and its members

	upto  position // its place in the logs; zero: in none
	first position // of a doorbell: the first of either log that was not delivered

	at time.Time // when it came; set where it is traced
}

// maxPositions bounds the conversations whose position a lane remembers. A message of one
// that was forgotten, or was never delivered, is delivered without a look at what came
// before it; a doorbell about one delivers the newest message once more, at the worst.
const maxPositions = 50_000

func newLane(d *Delivery) *lane {
	return &lane{
		d: d, queue: newQueue(d.Resync), positions: recent.New[convKey, position](maxPositions),
		told: recent.New[deedKey, tellings](maxTold),
	}
}

// run delivers until the queue is closed and empty, or ctx ends.
func (l *lane) run(ctx context.Context) {
	for {
		t, line := l.queue.take()
		if line == nil || ctx.Err() != nil {
			return
		}
		start := time.Now()
		if err := l.do(ctx, t); err != nil && ctx.Err() == nil {
			l.failed(t, err)
		}
		l.queue.settle(line, time.Since(start))
	}
}

// do is one task. With an error it was not delivered on this node.
func (l *lane) do(ctx context.Context, t task) error {
	e := t.event
	switch {
	case t.sent != nil:
		l.event = eventOf(t.sent)
		e = &l.event
		l.sign(ctx, e)
	case t.edits != nil:
		return l.compareEdits(ctx, t)
	case e == nil:
		return l.answerDoorbell(ctx, t)
	case t.own:
		l.sign(ctx, e)
	}
	if !e.Trace.IsZero() {
		l.span = l.d.opts.Tracer.Follow(e.Trace, "lane", t.at)
		l.span.Say("skein.app", e.App)
		defer func() {
			l.span.End(0)
			l.span = nil
		}()
	}
	if t.own && l.d.opts.Bus != nil {
		l.publish(ctx, e)
	}
	if t.upto == (position{}) {
		err := l.deliver(ctx, e)
		if err == nil && e.Deed != 0 {
			l.remember(deedKey{e.App, e.Conv, e.Deed})
		}
		return err
	}
	return l.deliverInOrder(ctx, e)
}

// failed remembers what was stored and could not be delivered. A notice is missed when the
// feed tells what it told; anything else is gone.
func (l *lane) failed(t task, err error) {
	l.d.metrics.dropped.Inc()
	l.d.opts.Log.Warn("an event was not delivered live: the store could not be read",
		slog.String("app", t.app), slog.String("conv", t.conv.String()), slog.Any("error", err))
	if t.edits != nil {
		l.d.Resync()
	}
	l.queue.postpone(t)
}

// deliverInOrder delivers what has a place in a log: never before what is stored before
// it, and never twice. The store has what it overtook, since that was committed earlier.
func (l *lane) deliverInOrder(ctx context.Context, e *bus.Event) error {
	at := convKey{e.App, e.Conv}
	last, _ := l.positions.Get(at)
	if e.Seq != 0 && e.Seq <= last.seq || e.Change != 0 && e.Change <= last.change {
		l.d.metrics.late.Inc()
		return nil
	}
	if e.Audience == nil || l.anyHere(e) {
		if err := l.fill(ctx, e, last); err != nil {
			l.unfilled(e, err)
		}
		if err := l.deliver(ctx, e); err != nil {
			return err
		}
	}
	l.moveTo(at, position{e.Seq, e.Change})
	return nil
}
