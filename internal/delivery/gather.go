package delivery

import (
	"sync"
	"time"

	"github.com/skein-im/skein"
)

const (
	// gatherFor is how long positions wait to go together with others.
	gatherFor = time.Second
	// maxBatches bounds the conversations whose positions wait, and maxBatch the
	// positions of each. Past either they are sent at once.
	maxBatches = 1000
	maxBatch   = 200
)

// gathering puts the positions of one conversation together: in a group of 2,000 each
// member gets one frame a second instead of one for each reader. Safe for concurrent use.
type gathering struct {
	send func(skein.Notice)
	wake chan struct{} // something waits
	stop chan struct{}
	over chan struct{} // run has ended

	mu      sync.Mutex
	batches map[convKey]*batch // guarded by mu
	closed  bool               // guarded by mu
}

// batch is what waits for one conversation: the newest position of each client.
type batch struct {
	notice skein.Notice
	index  map[string]int // of a client in notice.Positions
}

// newGathering starts to gather; close ends it. send must not wait.
func newGathering(send func(skein.Notice)) *gathering {
	g := &gathering{
		send: send, wake: make(chan struct{}, 1), stop: make(chan struct{}), over: make(chan struct{}),
		batches: make(map[convKey]*batch),
	}
	go g.run()
	return g
}

// close sends what waits and returns when run has ended. What comes later is sent at
// once.
func (g *gathering) close() {
	close(g.stop)
	<-g.over
}

func (g *gathering) run() {
	defer close(g.over)
	for {
		select {
		case <-g.wake:
		case <-g.stop:
			g.flush(true)
			return
		}
		select {
		case <-time.After(gatherFor):
		case <-g.stop:
		}
		g.flush(false)
	}
}

// flush sends all that waits.
func (g *gathering) flush(last bool) {
	g.mu.Lock()
	batches := g.batches
	g.batches = make(map[convKey]*batch)
	g.closed = last
	g.mu.Unlock()
	for _, b := range batches {
		g.send(b.notice)
	}
}

// add lets a notice wait, or sends it where there is no room.
func (g *gathering) add(n skein.Notice) {
	if full, ok := g.put(n); ok {
		g.send(full)
	}
}

// put adds the positions of n to their batch, and answers what is to be sent now.
func (g *gathering) put(n skein.Notice) (full skein.Notice, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := convKey{n.App, n.Conv}
	b := g.batches[at]
	if b == nil {
		if g.closed || len(g.batches) >= maxBatches {
			return n, true
		}
		b = &batch{index: make(map[string]int)}
		g.batches[at] = b
	}
	b.put(n)
	if len(b.notice.Positions) >= maxBatch {
		delete(g.batches, at)
		return b.notice, true
	}
	select {
	case g.wake <- struct{}{}:
	default: // it is awake
	}
	return skein.Notice{}, false
}

// put keeps the farther of two positions of one client: calls may overtake each other.
func (b *batch) put(n skein.Notice) {
	positions := b.notice.Positions
	for _, to := range n.Positions {
		i, there := b.index[to.Client]
		if !there {
			b.index[to.Client] = len(positions)
			positions = append(positions, to)
			continue
		}
		positions[i].Read = max(positions[i].Read, to.Read)
		positions[i].Received = max(positions[i].Received, to.Received)
	}
	b.notice = n
	b.notice.Positions = positions
	if len(positions) > 1 {
		b.notice.Except = "" // each hears of the others
	}
}
