// Package lossy is a bus for tests, inside one process: it loses, doubles, delays and
// reorders events at the rates it is given, as they would be encoded between machines.
package lossy

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/skein-im/skein/internal/bus"
)

// Faults are how often something goes wrong, each from 0 to 1, for every event and every
// node that it is sent to. The zero value is a bus that delivers all, in order.
type Faults struct {
	Lose    float64
	Double  float64
	Delay   float64       // later events overtake it
	Longest time.Duration // of a delay; zero: 100 ms
}

// Network is the bus of the nodes of one installation. Safe for concurrent use.
type Network struct {
	nodes []*node

	mu     sync.Mutex
	rng    *rand.Rand // guarded by mu, as all below
	faults Faults
	lost   int

	closed  chan struct{}
	delayed sync.WaitGroup
}

// New is a network of so many nodes; the same seed draws the same faults in the same order.
func New(nodes int, seed uint64, faults Faults) *Network {
	n := &Network{rng: rand.New(rand.NewPCG(seed, 1)), faults: faults, closed: make(chan struct{})} //nolint:gosec // a seed draws the same again
	for range nodes {
		n.nodes = append(n.nodes, &node{network: n, handlers: make(map[int]func(*bus.Event))})
	}
	return n
}

// Nodes are the buses of the nodes.
func (n *Network) Nodes() []bus.Bus {
	all := make([]bus.Bus, 0, len(n.nodes))
	for _, one := range n.nodes {
		all = append(all, one)
	}
	return all
}

// Set changes how often something goes wrong from now on.
func (n *Network) Set(faults Faults) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = faults
}

// Lost counts the events that one node did not get.
func (n *Network) Lost() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lost
}

// Reconnect tells a node that its connection was down, as an implementation does.
func (n *Network) Reconnect(node int) {
	n.nodes[node].hear(func() *bus.Event { return &bus.Event{Resync: true} })
}

// Close drops what is delayed.
func (n *Network) Close() {
	close(n.closed)
	n.delayed.Wait()
}

// fate draws what becomes of an event on its way to one node: how many copies arrive, and
// after how long.
func (n *Network) fate() (copies int, delay time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	draw := func(rate float64) bool { return rate > 0 && n.rng.Float64() < rate }
	if draw(n.faults.Lose) {
		n.lost++
		return 0, 0
	}
	copies = 1
	if draw(n.faults.Double) {
		copies = 2
	}
	if draw(n.faults.Delay) {
		longest := n.faults.Longest
		if longest == 0 {
			longest = 100 * time.Millisecond
		}
		delay = time.Duration(n.rng.Int64N(int64(longest)))
	}
	return copies, delay
}

// later delivers after a delay, unless the network is closed before.
func (n *Network) later(delay time.Duration, deliver func()) {
	n.delayed.Go(func() {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
			deliver()
		case <-n.closed:
		}
	})
}

// node is the bus of one node.
type node struct {
	network *Network

	mu       sync.RWMutex // held for reading while handlers run
	handlers map[int]func(*bus.Event)
	next     int
}

// Publish delivers to the other nodes in the caller's goroutine what goes well.
func (o *node) Publish(e *bus.Event) {
	data := bus.Marshal(e)
	for _, to := range o.network.nodes {
		if to == o {
			continue
		}
		copies, delay := o.network.fate()
		for i := range copies {
			arrive := func() { to.hear(func() *bus.Event { return decoded(data) }) }
			if delay > 0 && i == 0 {
				o.network.later(delay, arrive)
				continue
			}
			arrive()
		}
	}
}

// decoded is an event of its own for each handler.
func decoded(data []byte) *bus.Event {
	e, err := bus.Unmarshal(data)
	if err != nil {
		panic("an event cannot be read: " + err.Error())
	}
	return e
}

// hear calls the handlers, each with an event of its own.
func (o *node) hear(event func() *bus.Event) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	for _, handle := range o.handlers {
		handle(event())
	}
}

// Subscribe adds a handler; stop must not be called from within it.
func (o *node) Subscribe(handle func(*bus.Event)) (stop func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	id := o.next
	o.next++
	o.handlers[id] = handle
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.handlers, id)
	}
}
