// Package delivery brings what was committed to the members who are online: it
// encodes the frame once, puts it on the bus, and on every node hands it to the
// sessions of the audience in seq order. What was lost on the way is a gap in seq
// and is read from the store.
//
// The ack never waits for delivery, and delivery never happens before the commit.
package delivery

import (
	"context"
	"encoding/binary"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/wire"
)

// Options are the parts delivery works with; none may be nil but Registerer
// and Private.
type Options struct {
	Store      Store
	Bus        bus.Bus
	Hub        *hub.Hub
	Zone       *time.Location // of the times in events
	Log        *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics

	// Private reports whether an app's members see only what was said after they
	// joined; nil: in no app. It may wait.
	Private func(ctx context.Context, app string) bool
}

// Store is what delivery reads: audiences, and messages and changes to fill gaps.
type Store interface {
	store.Conversations
	store.Members
	store.Messages
	store.Changes
}

// Delivery is the way from commits to sessions. Safe for concurrent use.
type Delivery struct {
	opts     Options
	lanes    []*lane
	metrics  metrics
	gathered *gathering
	typists  *typists

	unsubscribe func()
	cancel      context.CancelFunc
	running     sync.WaitGroup
}

// New starts delivery; Close ends it.
func New(opts Options) *Delivery {
	d := &Delivery{opts: opts, metrics: newMetrics(opts.Registerer), typists: newTypists()}
	d.gathered = newGathering(d.publish)
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel = cancel
	for range max(2, runtime.GOMAXPROCS(0)) {
		l := newLane(d)
		d.lanes = append(d.lanes, l)
		d.running.Go(func() { l.run(ctx) })
	}
	d.unsubscribe = opts.Bus.Subscribe(d.receive)
	return d
}

// Close lets go of what was gathered, hears no more events, delivers what waits
// until ctx ends, and returns when its goroutines have.
func (d *Delivery) Close(ctx context.Context) {
	d.gathered.close()
	d.unsubscribe()
	stop := context.AfterFunc(ctx, d.cancel)
	defer stop()
	for _, l := range d.lanes {
		l.queue.close()
	}
	d.running.Wait()
	d.cancel()
}

// Committed is the store's commit hook.
func (d *Delivery) Committed(sent []skein.Sent) {
	for i := range sent {
		d.Say(sent[i])
	}
}

// Say delivers a message, or what became of one, to the members of its conversation who are online.
func (d *Delivery) Say(m skein.Sent) {
	d.opts.Bus.Publish(eventOf(&m))
}

var messageEvent, changeEvent = skein.EventSetOf(skein.EventMessage), skein.EventSetOf(skein.EventMessageUpdated)

func eventOf(m *skein.Sent) bus.Event {
	if m.Change != nil {
		return changeOf(m)
	}
	return bus.Event{
		App: m.App, Conv: m.Conv, Seq: m.Seq,
		Frame:  wire.NewMessageFrame(m),
		Kind:   messageEvent,
		Sender: m.Sender, ToSender: m.NoSync, Device: m.Device,
	}
}

// Tell delivers an event about a conversation; one that may be gathered up to a
// second later, and who types not with every key.
func (d *Delivery) Tell(n skein.Notice) {
	switch {
	case n.Kind == skein.EventTyping && !d.typists.pass(n):
	case n.Gather:
		d.gathered.add(n)
	default:
		d.publish(n)
	}
}

func (d *Delivery) publish(n skein.Notice) {
	d.opts.Bus.Publish(bus.Event{
		App: n.App, Conv: n.Conv, Frame: wire.AppendNotice(nil, n, d.opts.Zone),
		Kind:     skein.EventSetOf(n.Kind),
		Audience: n.Audience, Also: n.Also, Sender: n.Except, Session: n.Session,
	})
}

// Cut ends sessions on every node.
func (d *Delivery) Cut(c skein.Cut) {
	d.opts.Bus.Publish(bus.Event{App: c.App, Cut: &c})
}

// receive is the bus's handler. All that concerns one conversation goes through
// one lane, so it stays in order.
func (d *Delivery) receive(e bus.Event) {
	if e.Cut != nil {
		d.opts.Hub.Kick(hub.Target{App: e.App, Client: e.Cut.Client, Device: e.Cut.Device, Before: e.Cut.At}, e.Cut.Reason)
		return
	}
	// The last bytes of an ID are random in every version of UUID in use.
	l := d.lanes[binary.BigEndian.Uint32(e.Conv[12:])%uint32(len(d.lanes))]
	if !l.queue.put(e) {
		d.metrics.dropped.Inc()
	}
}
