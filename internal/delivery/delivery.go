// Package delivery brings messages, changes of messages and notices to the members who
// are online. A lane encodes each frame once, sends it to the other nodes over the bus,
// and hands it to the sessions of the audience on this node, in the order of seq and
// change_seq. A gap in either is read from the store.
//
// The answer to a send never waits for delivery, and delivery never happens before the
// commit.
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
	"github.com/skein-im/skein/internal/tracing"
	"github.com/skein-im/skein/internal/wire"
)

// Options are the parts delivery works with. Bus, Registerer and Private may be nil.
type Options struct {
	Store      Store   // may answer from memory, where that is as new as it is asked to be
	Logs       Store   // where gaps are read: never from a memory that other nodes leave behind; nil: Store
	Bus        bus.Bus // nil: there is no other node
	Hub        *hub.Hub
	Zone       *time.Location // of the times in events
	Log        *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics
	Tracer     *tracing.Tracer       // nil: nothing is traced

	// Private reports whether an app's members see only what was said after they
	// joined; nil: in no app. It may wait.
	Private func(ctx context.Context, app string) bool

	// SignLinks signs the links to uploads in a frame with at least one of them, if the app
	// wants that; nil: no app does. It may wait.
	SignLinks func(ctx context.Context, app string, frame []byte) []byte

	// Delivered is told how many frames of an app were queued for sessions of this node, and must not
	// wait; nil: nobody is told.
	Delivered func(app string, frames int)

	// ResyncOver is the time over which the sessions of this node are asked to sync after
	// the bus was away, so that they do not ask all at once; default 10 s.
	ResyncOver time.Duration
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
	resyncs  chan struct{} // of one: the sessions are to be asked to sync

	unsubscribe func()
	cancel      context.CancelFunc
	running     sync.WaitGroup
}

// New starts delivery; Close ends it.
func New(opts Options) *Delivery {
	if opts.Logs == nil {
		opts.Logs = opts.Store
	}
	if opts.ResyncOver == 0 {
		opts.ResyncOver = 10 * time.Second
	}
	d := &Delivery{
		opts: opts, metrics: newMetrics(opts.Registerer), typists: newTypists(),
		resyncs: make(chan struct{}, 1), unsubscribe: func() {},
	}
	d.gathered = newGathering(d.publish)
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel = cancel
	for range max(2, runtime.GOMAXPROCS(0)) {
		l := newLane(d)
		d.lanes = append(d.lanes, l)
		d.running.Go(func() { l.run(ctx) })
	}
	healing, stopHealing := context.WithCancel(ctx)
	var healers sync.WaitGroup
	healers.Go(func() { d.retryUntil(healing) })
	healers.Go(func() { d.resyncUntil(healing) })
	if opts.Bus != nil {
		d.unsubscribe = opts.Bus.Subscribe(d.receive)
	}
	unsubscribe := d.unsubscribe
	d.unsubscribe = func() {
		unsubscribe()
		stopHealing()
		healers.Wait()
	}
	return d
}

// Close sends what was gathered, hears no more events, delivers what waits until ctx
// ends, and returns when its goroutines have.
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

// Committed is the store's commit hook. It encodes nothing: the next commit waits for it.
func (d *Delivery) Committed(sent []skein.Committed) {
	for i := range sent {
		d.Say(sent[i])
	}
}

// Say delivers a message, or a change of one, to the members who are online, on all nodes.
func (d *Delivery) Say(m skein.Committed) {
	t := task{app: m.App, conv: m.Conv, upto: position{seq: m.Seq}, sent: &m, own: true}
	if m.Change != nil {
		t.upto = position{change: m.Change.Seq}
	}
	if !m.Trace.IsZero() {
		t.at = time.Now()
	}
	d.put(t)
}

// Tell delivers an event about a conversation on all nodes. One that may be gathered
// comes up to a second later, and a client that types is not told with every key.
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
	d.put(task{app: n.App, conv: n.Conv, own: true, event: &bus.Event{
		App: n.App, Conv: n.Conv, Frame: wire.AppendNotice(nil, n, d.opts.Zone),
		Kind:     skein.EventSetOf(n.Kind),
		Audience: listeners(n.Audience), Also: n.Also, Sender: n.Except, Session: n.Session,
		Deed: deedOfNotice(n),
	}})
}

// Compare is a doorbell for this node about what the feed tells of a conversation. Its lane
// compares the numbers as after Ring, and the edits with the notices that it delivered. If a
// notice is missing, the sessions of those concerned are asked to sync. It does not wait.
func (d *Delivery) Compare(m store.Moved) {
	if m.LastSeq != 0 || m.Changes != 0 {
		d.Ring(m.App, m.Conv, m.LastSeq, m.Changes)
	}
	if len(m.Edits) != 0 {
		d.put(task{app: m.App, conv: m.Conv, edits: m.Edits})
	}
}

// Ring is a doorbell for this node: a conversation holds messages up to lastSeq and
// changes up to lastChange (zero: nothing is said of that log). Its lane compares them
// with what it delivered and reads the rest from the store; the numbers are never
// trusted. If the lane has delivered nothing of the conversation, or has forgotten it (see
// maxPositions), it delivers only the newest message and change. Their numbers show the
// clients what they lack. Ring does not wait.
func (d *Delivery) Ring(app string, conv skein.ID, lastSeq, lastChange int64) {
	upto := position{seq: lastSeq, change: lastChange}
	d.put(task{app: app, conv: conv, first: upto, upto: upto})
}

// RingAll is Ring on every node.
func (d *Delivery) RingAll(app string, conv skein.ID, lastSeq, lastChange int64) {
	d.Ring(app, conv, lastSeq, lastChange)
	if d.opts.Bus != nil {
		d.opts.Bus.Publish(&bus.Event{App: app, Conv: conv, Doorbell: true, Seq: lastSeq, Change: lastChange})
	}
}

// receive handles an event of another node.
func (d *Delivery) receive(e *bus.Event) {
	switch {
	case e.Resync:
		d.Resync()
	case e.Cut != nil, e.Sessions != nil: // for package node
	case e.Doorbell:
		d.Ring(e.App, e.Conv, e.Seq, e.Change)
	default:
		t := task{app: e.App, conv: e.Conv, upto: position{e.Seq, e.Change}, event: e}
		if !e.Trace.IsZero() {
			t.at = time.Now()
		}
		d.put(t)
	}
}

// put gives a task to the lane of its conversation: all that concerns one conversation
// goes through one lane, so it stays in order. What finds no room is counted, and the lane
// remembers what it has to read from the store later.
func (d *Delivery) put(t task) {
	// The last bytes of an ID are random in every version of UUID in use.
	l := d.lanes[binary.BigEndian.Uint32(t.conv[12:])%uint32(len(d.lanes))]
	if t.first == (position{}) {
		t.first = t.upto
	}
	if l.queue.put(t) {
		return
	}
	d.metrics.dropped.Inc()
	if t.edits != nil {
		d.Resync()
	}
}

// listeners are clients with their marks; nil stays nil.
func listeners(clients []string) []skein.Listener {
	if clients == nil {
		return nil
	}
	all := make([]skein.Listener, 0, len(clients))
	for _, client := range clients {
		all = append(all, skein.NewListener(client, 0))
	}
	return all
}
