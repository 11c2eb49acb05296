// Package bustest is the contract of package bus as tests: an implementation opens
// itself and passes all of them, unchanged. It knows no implementation.
package bustest

import (
	"encoding/binary"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
)

// Open opens the buses of the nodes of one installation, two or more, and closes
// them at the end of the test.
type Open func(t *testing.T) (nodes []bus.Bus)

// patience is how long a test waits for an event: a bound on despair, on any machine.
const patience = time.Minute

// Run checks every promise, each on an installation of its own.
func Run(t *testing.T, open Open) {
	for _, c := range []struct {
		promise string
		check   func(*testing.T, []bus.Bus)
	}{
		{"every handler of every other node hears every event as it was", hearsAll},
		{"a node does not hear what it publishes", hearsNothingOfItsOwn},
		{"the publisher may use its event again at once", keepsNothing},
		{"the events of one conversation come in the order of their publisher", keepsOrder},
		{"who subscribes hears what comes, not what was", hearsFromNowOn},
		{"who stopped hears nothing, and the others go on", stops},
		{"stop returns when no call is under way", stopWaits},
		{"handlers may come and go while events pass", comesAndGoes},
	} {
		t.Run(c.promise, func(t *testing.T) { c.check(t, open(t)) })
	}
}

// receiver is a handler that keeps the events it gets.
type receiver struct {
	events chan *bus.Event
	stop   func()
}

func listen(b bus.Bus) *receiver {
	e := &receiver{events: make(chan *bus.Event, 10_000)}
	e.stop = b.Subscribe(func(ev *bus.Event) { e.events <- ev })
	return e
}

// next is the next event received.
func (e *receiver) next(t *testing.T) *bus.Event {
	t.Helper()
	select {
	case ev := <-e.events:
		return ev
	case <-time.After(patience):
		t.Fatal("an event was not received")
		return nil
	}
}

// samples are events of every form.
func samples() []bus.Event {
	tom, jerry := skein.Listener{Client: "Tom", Mark: skein.MarkOf("Tom")}, skein.Listener{Client: "Jerry", Mark: skein.MarkOf("Jerry")}
	return []bus.Event{
		{App: "shop", Frame: []byte(`{"type":"msg.new"}`), Conv: convOf(1), Seq: 7, Sender: "Tom", ToSender: true, Device: "phone", RosterRev: 3},
		{App: "shop", Frame: []byte(`{"type":"msg.updated"}`), Conv: convOf(1), Change: 7, About: 2, Blind: []string{"Tom"}, Blank: []byte(`{}`)},
		{App: "shop", Frame: []byte(`{}`), Conv: convOf(1), Kind: 5, Session: "of the caller"},
		{App: "shop", Frame: []byte(`{}`), Conv: convOf(2), Audience: []skein.Listener{tom, jerry}, Also: []string{"Alex"}},
		{App: "shop", Frame: []byte(`{}`), Conv: convOf(2), Audience: []skein.Listener{}},
		{App: "shop", Frame: []byte(`{}`), Conv: convOf(2), Deed: 1<<63 + 7},
		{App: "shop", Conv: convOf(2), Doorbell: true, Seq: 9, Change: 4},
		{App: "other", Cut: &skein.Cut{App: "other", Client: "Tom", Device: "phone", Reason: skein.KickBanned, Rev: 7}},
	}
}

func convOf(n int) (id skein.ID) {
	binary.BigEndian.PutUint32(id[12:], uint32(n))
	return id
}

// others are the nodes beside one.
func others(nodes []bus.Bus, but int) []bus.Bus {
	return slices.Delete(slices.Clone(nodes), but, but+1)
}

func hearsAll(t *testing.T, nodes []bus.Bus) {
	for from := range nodes {
		var receivers []*receiver
		for _, b := range others(nodes, from) {
			receivers = append(receivers, listen(b), listen(b))
		}
		for _, want := range samples() {
			nodes[from].Publish(&want)
			for _, e := range receivers {
				if got := e.next(t); !reflect.DeepEqual(*got, want) {
					t.Errorf("heard %+v, want %+v", *got, want)
				}
			}
		}
	}
}

func hearsNothingOfItsOwn(t *testing.T, nodes []bus.Bus) {
	own, other := listen(nodes[0]), listen(nodes[1])
	nodes[0].Publish(&bus.Event{App: "shop", Seq: 1})
	other.next(t)
	nodes[1].Publish(&bus.Event{App: "shop", Seq: 2})
	if got := own.next(t).Seq; got != 2 {
		t.Errorf("a node hears event %d, want 2, the other node's: 1 is its own", got)
	}
}

func keepsNothing(t *testing.T, nodes []bus.Bus) {
	heard := listen(nodes[1])
	e := bus.Event{App: "shop", Frame: []byte("as it was"), Also: []string{"Tom"}}
	nodes[0].Publish(&e)
	copy(e.Frame, "overwritten")
	e.App, e.Also[0] = "other", "Jerry"
	if got := heard.next(t); got.App != "shop" || string(got.Frame) != "as it was" || got.Also[0] != "Tom" {
		t.Errorf("heard %+v, want the event as it was published", *got)
	}
}

func keepsOrder(t *testing.T, nodes []bus.Bus) {
	const events = 200
	receivers := make([]*receiver, 0, len(nodes))
	for _, b := range nodes {
		receivers = append(receivers, listen(b))
	}
	var publishers sync.WaitGroup
	for from := range nodes {
		publishers.Go(func() {
			for seq := range events {
				nodes[from].Publish(&bus.Event{App: "shop", Conv: convOf(from), Seq: int64(seq + 1)})
			}
		})
	}
	publishers.Wait()
	for _, e := range receivers {
		last := map[skein.ID]int64{}
		for range (len(nodes) - 1) * events {
			ev := e.next(t)
			if ev.Seq != last[ev.Conv]+1 {
				t.Fatalf("conversation %v: heard seq %d behind %d", ev.Conv, ev.Seq, last[ev.Conv])
			}
			last[ev.Conv] = ev.Seq
		}
	}
}

func hearsFromNowOn(t *testing.T, nodes []bus.Bus) {
	first := listen(nodes[0])
	nodes[1].Publish(&bus.Event{App: "shop", Seq: 1})
	first.next(t) // it has been everywhere on this node
	late := listen(nodes[0])
	nodes[1].Publish(&bus.Event{App: "shop", Seq: 2})
	if got := late.next(t).Seq; got != 2 {
		t.Errorf("who came after event 1 hears %d, want 2", got)
	}
}

func stops(t *testing.T, nodes []bus.Bus) {
	gone, there := listen(nodes[0]), listen(nodes[0])
	gone.stop()
	gone.stop() // once more does nothing
	for seq := range int64(100) {
		nodes[1].Publish(&bus.Event{App: "shop", Seq: seq + 1})
		if got := there.next(t).Seq; got != seq+1 {
			t.Fatalf("heard %d, want %d", got, seq+1)
		}
	}
	if n := len(gone.events); n != 0 {
		t.Errorf("who stopped heard %d events", n)
	}
}

func stopWaits(t *testing.T, nodes []bus.Bus) {
	entered, release := make(chan struct{}), make(chan struct{})
	over := false // written by the handler, read once stop has returned
	stop := nodes[0].Subscribe(func(*bus.Event) {
		close(entered)
		<-release
		over = true
	})
	published := make(chan struct{})
	go func() {
		defer close(published)
		nodes[1].Publish(&bus.Event{App: "shop"})
	}()
	<-entered
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop()
	}()
	for range 10_000 { // every chance to return too early
		select {
		case <-stopped:
			t.Error("stop returned during a call of the handler")
			close(release)
			return
		default:
			runtime.Gosched()
		}
	}
	close(release)
	<-stopped
	if !over {
		t.Error("stop returned before the handler had")
	}
	<-published
}

func comesAndGoes(t *testing.T, nodes []bus.Bus) {
	steady := listen(nodes[0])
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 100 {
				listen(nodes[0]).stop()
			}
		})
	}
	const events = 500
	for seq := range int64(events) {
		nodes[1].Publish(&bus.Event{App: "shop", Seq: seq + 1})
	}
	all.Wait()
	for seq := range int64(events) {
		if got := steady.next(t).Seq; got != seq+1 {
			t.Fatalf("heard %d, want %d", got, seq+1)
		}
	}
}
