package natsbus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/bus/bustest"
)

func TestNATSContract(t *testing.T) {
	bustest.Run(t, func(t *testing.T) []bus.Bus {
		s := natsServer(t, server.RANDOM_PORT)
		var nodes []*Bus
		for range 3 {
			b, _ := node(t, at(s))
			nodes = append(nodes, b)
		}
		meet(t, nodes)
		return buses(nodes)
	})
}

func TestEmbeddedContract(t *testing.T) {
	bustest.Run(t, func(t *testing.T) []bus.Bus {
		nodes, _ := embeddedNodes(t)
		return buses(nodes)
	})
}

func TestTwoEmbeddedNodesGoOnWhenTheThirdStopsAndItComesBack(t *testing.T) {
	nodes, addresses := embeddedNodes(t)
	nodes[2].Close(t.Context())
	nodes[2].opts.Embedded.Close()
	waitFor(t, "the others notice", func() bool { return nodes[0].opts.Embedded.Peers() == 1 && nodes[1].opts.Embedded.Peers() == 1 })
	meet(t, nodes[:2])
	meet(t, []*Bus{nodes[0], nodes[1], embedded(t, addresses, 2, "a token of the nodes")})
}

func TestAServerWithAnotherTokenIsNoPeer(t *testing.T) {
	addresses := []string{freeAddress(t), freeAddress(t), freeAddress(t)}
	ours := []*Bus{embedded(t, addresses, 0, "right"), embedded(t, addresses, 1, "right")}
	stranger := embedded(t, addresses, 2, "wrong")
	meet(t, ours)
	heard := listen(t, stranger)
	ours[0].Publish(&bus.Event{App: "shop", Seq: 1})
	if n := stranger.opts.Embedded.Peers(); n != 0 || heard.seqs.Load() != 0 {
		t.Errorf("a server with a wrong token has %d peers and heard %d, want none", n, heard.seqs.Load())
	}
}

// A tap lies between two servers. What it sees must name neither the token nor what is told.
func TestWhatEmbeddedServersTellEachOtherIsEncrypted(t *testing.T) {
	const token, secret = "a token of the nodes", "what only members may read"
	a, b := freeAddress(t), freeAddress(t)
	tapped, seen := tap(t, b)
	second := embedded(t, []string{b}, 0, token)
	first := embedded(t, []string{tapped, a}, 1, token)
	meet(t, []*Bus{first, second})
	heard := make(chan []byte, 1)
	t.Cleanup(second.Subscribe(func(e *bus.Event) { heard <- e.Frame }))
	first.Publish(&bus.Event{App: "shop", Frame: []byte(secret)})
	if got := string(<-heard); got != secret {
		t.Fatalf("the other node heard %q, want %q", got, secret)
	}
	between := seen()
	if len(between) == 0 {
		t.Fatal("nothing went through the tap")
	}
	for _, plain := range []string{token, secret, "CONNECT {"} {
		if strings.Contains(between, plain) {
			t.Errorf("of %d bytes between the servers some say %q", len(between), plain)
		}
	}
}

func TestAnAddressThatIsTakenIsAnError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if s, err := Embed(Embedded{Listen: l.Addr().String(), Token: "t", Name: "n"}); err == nil {
		s.Close()
		t.Error("a server began on an address that is taken")
	}
}

func TestWrongCredentialsAreAnErrorThatDoesNotNameThem(t *testing.T) {
	opts := at(natsServer(t, server.RANDOM_PORT))
	opts.Password = "not this one"
	var err error
	waitFor(t, "a wrong password is an error", func() bool { // a server that does not answer in time is none
		var b *Bus
		if b, err = Connect(t.Context(), opts); err == nil {
			b.Close(t.Context())
		}
		return err != nil
	})
	if !strings.Contains(err.Error(), "refuses the credentials") || strings.Contains(err.Error(), opts.Password) {
		t.Errorf("got %q, want that they are refused, and not what they are", err)
	}
}

func TestANodeThatStartsBeforeNATSConnectsLater(t *testing.T) {
	address := freeAddress(t)
	b, reg := node(t, Options{Servers: []string{"nats://" + address}, User: "skein", Password: "right"})
	heard := listen(t, b)
	b.Publish(&bus.Event{App: "shop", Seq: 1}) // nobody hears it
	waitFor(t, "what cannot be sent is counted", func() bool { return value(t, reg, "skein_bus_dropped_total") == 1 })
	if got := value(t, reg, "skein_bus_connected"); got != 0 {
		t.Errorf("connected is %v before there is a server", got)
	}
	natsServer(t, portOf(t, address))
	waitFor(t, "it connects and asks for a resync", func() bool { return heard.resyncs.Load() > 0 })
	waitFor(t, "connected is 1 with a server", func() bool { return value(t, reg, "skein_bus_connected") == 1 })
}

func TestALostServerIsCountedAndWhenItIsBackTheNodesResync(t *testing.T) {
	address := freeAddress(t)
	s := natsServer(t, portOf(t, address))
	one, reg := node(t, at(s))
	two, _ := node(t, at(s))
	meet(t, []*Bus{one, two})
	atOne, atTwo := listen(t, one), listen(t, two)
	reconnects := value(t, reg, "skein_bus_reconnects_total")
	s.Shutdown()
	s.WaitForShutdown()
	waitFor(t, "the node notices", func() bool { return value(t, reg, "skein_bus_connected") == 0 })
	dropped := value(t, reg, "skein_bus_dropped_total")
	const lost = 1000
	for range lost { // none of them waits
		one.Publish(&bus.Event{App: "shop", Seq: 7})
	}
	waitFor(t, "what was lost is counted", func() bool { return value(t, reg, "skein_bus_dropped_total") == dropped+lost })
	natsServer(t, portOf(t, address))
	waitFor(t, "both ask for a resync", func() bool { return atOne.resyncs.Load() > 0 && atTwo.resyncs.Load() > 0 })
	meet(t, []*Bus{one, two})
	if n := value(t, reg, "skein_bus_reconnects_total") - reconnects; n < 1 { // a busy machine may lose the connection again
		t.Errorf("%v reconnects are counted, want at least 1", n)
	}
	if atTwo.seqs.Load() == 7 {
		t.Error("what was published without a server was heard: it waited somewhere")
	}
}

func TestWithoutServerANodeGoesOnWithAnother(t *testing.T) {
	first, second := clustered(t)
	one, _ := node(t, at(first, second))
	two, _ := node(t, at(second))
	meet(t, []*Bus{one, two})
	first.Shutdown()
	first.WaitForShutdown()
	meet(t, []*Bus{one, two})
}

// A handler that hangs makes its node a slow consumer.
func TestASlowNodeDropsAndResyncsAndHoldsUpNobody(t *testing.T) {
	s := natsServer(t, server.RANDOM_PORT)
	fast, _ := node(t, at(s))
	slow, reg := node(t, at(s))
	meet(t, []*Bus{fast, slow})
	if err := slow.sub.SetPendingLimits(100, 1<<20); err != nil {
		t.Fatal(err)
	}
	var resyncs atomic.Int64
	released, entered := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(released) })
	var once sync.Once
	stop := slow.Subscribe(func(e *bus.Event) {
		if e.Resync {
			resyncs.Add(1)
			return
		}
		once.Do(func() { close(entered) })
		<-released
	})
	defer stop()
	defer release()
	fast.Publish(&bus.Event{App: "shop"})
	<-entered
	for range 1000 {
		fast.Publish(&bus.Event{App: "shop", Conv: skein.ID{1}})
	}
	waitFor(t, "drops are counted and the node resyncs", func() bool {
		return value(t, reg, "skein_bus_slow_total") > 0 && resyncs.Load() > 0
	})
	release()
	heard := listen(t, slow)
	waitFor(t, "the node hears again", func() bool {
		fast.Publish(&bus.Event{App: "shop", Seq: 9})
		return heard.seqs.Load() == 9
	})
}

// Nobody takes what is queued.
func TestAPublisherNeverWaits(t *testing.T) {
	q := newQueue(3, 10)
	for i, tt := range []struct {
		bytes int
		want  bool
	}{{4, true}, {7, false}, {4, true}, {2, true}, {0, false}} {
		if got := q.put(outgoing{"s", make([]byte, tt.bytes)}); got != tt.want {
			t.Errorf("event %d of %d bytes: put is %v, want %v", i, tt.bytes, got, tt.want)
		}
	}
	all, open := q.take()
	if len(all) != 3 || !open {
		t.Errorf("took %d events, open %v, want 3 and true", len(all), open)
	}
	q.close()
	if q.put(outgoing{}) {
		t.Error("a closed queue took an event")
	}
	if all, open := q.take(); len(all) != 0 || open {
		t.Errorf("took %d events of a closed queue, open %v", len(all), open)
	}
}

func TestOneConversationAndOneClientHaveOneSubject(t *testing.T) {
	b := &Bus{}
	for i := range b.subjects {
		b.subjects[i] = strconv.Itoa(i)
	}
	used := map[string]bool{}
	for i := range 5000 {
		e := bus.Event{App: "shop", Conv: skein.ID{byte(i), byte(i >> 8)}, Seq: 1}
		first := b.subjectOf(&e)
		e.Seq, e.Change, e.Frame = 0, 2, []byte("x")
		if again := b.subjectOf(&e); again != first {
			t.Fatalf("events of one conversation go to %s and %s", first, again)
		}
		used[first] = true
		cut, came := bus.Event{App: "shop", Cut: &skein.Cut{Client: fmt.Sprint(i)}}, bus.Event{App: "shop", Sessions: &bus.Sessions{Client: fmt.Sprint(i)}}
		if a, c := b.subjectOf(&cut), b.subjectOf(&came); a != c {
			t.Fatalf("events of one client go to %s and %s", a, c)
		}
	}
	if len(used) != Partitions {
		t.Errorf("5000 conversations use %d subjects, want all %d", len(used), Partitions)
	}
}

func TestAClosedBusIsClosed(t *testing.T) {
	s := natsServer(t, server.RANDOM_PORT)
	one, _ := node(t, at(s))
	two, _ := node(t, at(s))
	meet(t, []*Bus{one, two})
	heard := listen(t, two)
	one.Publish(&bus.Event{App: "shop", Seq: 5})
	one.Close(t.Context())
	waitFor(t, "what was published before the close is heard", func() bool { return heard.seqs.Load() == 5 })
	one.Publish(&bus.Event{App: "shop", Seq: 6}) // is lost, and counted
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	two.Close(ended)
	if !errors.Is(ended.Err(), context.Canceled) || !two.conn.IsClosed() {
		t.Error("the bus is open after Close")
	}
}
