package natsbus

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/skein-im/skein/internal/bus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for something: a bound that even a busy machine keeps.
const patience = time.Minute

var handedOut sync.Map // ports that freeAddress has answered

// natsServer is a NATS server as it runs beside the nodes.
func natsServer(t *testing.T, port int) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, Username: "skein", Password: "right", NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		t.Fatal("the NATS server does not become ready")
	}
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s
}

// node connects a node to servers. Its metrics are in the registry.
func node(t *testing.T, opts Options) (*Bus, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewRegistry()
	opts.Registerer = reg
	b, err := Connect(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close(context.Background()) })
	return b, reg
}

func at(servers ...*server.Server) Options {
	opts := Options{User: "skein", Password: "right"}
	for _, s := range servers {
		opts.Servers = append(opts.Servers, s.ClientURL())
	}
	return opts
}

// waitFor waits until something holds.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// value is the sum of a metric.
func value(t *testing.T, reg *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// receiver counts the events that a node gets.
type receiver struct{ seqs, resyncs atomic.Int64 }

func listen(t *testing.T, b *Bus) *receiver {
	e := new(receiver)
	stop := b.Subscribe(func(ev *bus.Event) {
		if ev.Resync {
			e.resyncs.Add(1)
			return
		}
		e.seqs.Store(ev.Seq)
	})
	t.Cleanup(stop)
	return e
}

// meet publishes from each node until all others have heard the newest event, so that all are
// connected with all and nothing is under way.
func meet(t *testing.T, nodes []*Bus) {
	t.Helper()
	for i, from := range nodes {
		var others []*receiver
		for j, to := range nodes {
			if i != j {
				others = append(others, listen(t, to))
			}
		}
		seq := int64(0)
		waitFor(t, fmt.Sprintf("all hear node %d", i), func() bool {
			heard := seq > 0 && !slices.ContainsFunc(others, func(e *receiver) bool { return e.seqs.Load() != seq })
			if !heard {
				seq++
				from.Publish(&bus.Event{App: "probe", Seq: seq})
			}
			return heard
		})
	}
}

func buses(nodes []*Bus) (all []bus.Bus) {
	for _, b := range nodes {
		all = append(all, b)
	}
	return all
}

// freeAddress is an address on which nobody listens, and no two calls answer the same. Its
// port is none of those that the kernel gives to other tests meanwhile.
func freeAddress(t *testing.T) string {
	t.Helper()
	const first, end = 61_000, 65_536
	for {
		address := fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(end-first))
		if _, again := handedOut.LoadOrStore(address, true); again {
			continue
		}
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close() // it has accepted nothing
			return address
		}
	}
}

// embedded is a node with a server of its own, at one of the addresses.
func embedded(t *testing.T, addresses []string, i int, token string) *Bus {
	t.Helper()
	s, err := Embed(Embedded{Listen: addresses[i], Peers: addresses, Token: token, Name: fmt.Sprint("node", i)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	b, _ := node(t, Options{Embedded: s})
	return b
}

func embeddedNodes(t *testing.T) (nodes []*Bus, addresses []string) {
	t.Helper()
	for range 3 {
		addresses = append(addresses, freeAddress(t))
	}
	for i := range addresses {
		nodes = append(nodes, embedded(t, addresses, i, "a token of the nodes"))
	}
	meet(t, nodes)
	return nodes, addresses
}

// tap accepts connections and forwards them to an address. seen is all that went through.
func tap(t *testing.T, to string) (address string, seen func() string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var kept keptBytes
	var running sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	copying := func(to, from net.Conn) {
		_, _ = io.Copy(io.MultiWriter(to, &kept), from)
		_ = to.Close()
	}
	running.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			mu.Lock()
			open = append(open, in, out)
			mu.Unlock()
			running.Go(func() { copying(out, in) })
			running.Go(func() { copying(in, out) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return l.Addr().String(), kept.String
}

// keptBytes keeps all that is written. Safe for concurrent use.
type keptBytes struct {
	mu  sync.Mutex
	all []byte // guarded by mu
}

func (k *keptBytes) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.all = append(k.all, p...)
	return len(p), nil
}

func (k *keptBytes) String() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return string(k.all)
}

func portOf(t *testing.T, address string) int {
	t.Helper()
	_, text, _ := strings.Cut(address, ":")
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// clustered is two servers in one cluster.
func clustered(t *testing.T) (a, b *server.Server) {
	t.Helper()
	addresses := []string{freeAddress(t), freeAddress(t)}
	var all []*server.Server
	for i, address := range addresses {
		o := &server.Options{
			ServerName: fmt.Sprint("s", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, Username: "skein", Password: "right", NoSigs: true, NoLog: true,
			Cluster: server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: portOf(t, address)},
			Routes:  server.RoutesFromStr("nats-route://" + addresses[1-i]),
		}
		s, err := server.NewServer(o)
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		if !s.ReadyForConnections(patience) {
			t.Fatal("a NATS server does not become ready")
		}
		t.Cleanup(func() {
			s.Shutdown()
			s.WaitForShutdown()
		})
		all = append(all, s)
	}
	return all[0], all[1]
}
