package delivery

import (
	"sync"
	"time"

	"github.com/skein-im/skein"
)

const (
	// gatherFor is how long positions wait to go together with others.
	gatherFor = time.Second
	// maxPiles bounds the conversations whose positions wait, and maxPile the
	// positions of each. Past either they go at once.
	maxPiles = 1000
	maxPile  = 200
)

// gathering puts the positions of one conversation together: in a group of 2,000 a
// frame a second to each member stands for a frame a reader. Safe for concurrent
// use.
type gathering struct {
	send func(skein.Notice)
	wake chan struct{} // something waits
	stop chan struct{}
	over chan struct{} // run has ended

	mu     sync.Mutex
	piles  map[place]*pile // guarded by mu
	closed bool            // guarded by mu
}

// pile is what waits for one conversation: the newest position of each client.
type pile struct {
	notice skein.Notice
	places map[string]int // of a client in notice.Positions
}

// newGathering starts to gather; close ends it. send must not wait.
func newGathering(send func(skein.Notice)) *gathering {
	g := &gathering{
		send: send, wake: make(chan struct{}, 1), stop: make(chan struct{}), over: make(chan struct{}),
		piles: make(map[place]*pile),
	}
	go g.run()
	return g
}

// close sends what waits and returns when run has ended. What comes later goes at
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
	piles := g.piles
	g.piles = make(map[place]*pile)
	g.closed = last
	g.mu.Unlock()
	for _, p := range piles {
		g.send(p.notice)
	}
}

// add lets a notice wait, or sends it where there is no room.
func (g *gathering) add(n skein.Notice) {
	if full, ok := g.put(n); ok {
		g.send(full)
	}
}

// put adds the positions of n to their pile, and answers what is to be sent now.
func (g *gathering) put(n skein.Notice) (full skein.Notice, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := place{n.App, n.Conv}
	p := g.piles[at]
	if p == nil {
		if g.closed || len(g.piles) >= maxPiles {
			return n, true
		}
		p = &pile{places: make(map[string]int)}
		g.piles[at] = p
	}
	p.put(n)
	if len(p.notice.Positions) >= maxPile {
		delete(g.piles, at)
		return p.notice, true
	}
	select {
	case g.wake <- struct{}{}:
	default: // it is awake
	}
	return skein.Notice{}, false
}

// put keeps the farther of two positions of one client: calls may overtake each
// other.
func (p *pile) put(n skein.Notice) {
	positions := p.notice.Positions
	for _, to := range n.Positions {
		i, there := p.places[to.Client]
		if !there {
			p.places[to.Client] = len(positions)
			positions = append(positions, to)
			continue
		}
		positions[i].Read = max(positions[i].Read, to.Read)
		positions[i].Received = max(positions[i].Received, to.Received)
	}
	p.notice = n
	p.notice.Positions = positions
	if len(positions) > 1 {
		p.notice.Except = "" // each is to hear of the others
	}
}
