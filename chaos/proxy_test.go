package chaos

import (
	"net"
	"sync"
	"time"
)

// weather is what a link does to the bytes that pass it.
type weather struct {
	delay    time.Duration // before each piece, each way
	slow     bool          // a few bytes at a time
	deafUp   bool          // what the client says is swallowed
	deafDown bool          // what the server says is swallowed
	trap     bool          // the next piece that goes up is the last of its connection
}

// link is a TCP proxy between one device and the server, or the nodes: each connection goes
// to the next of them that accepts it. A cut loses what was under way: what a closed link
// held back never comes later.
type link struct {
	listener net.Listener
	targets  []string
	next     int // of targets; owned by accept
	open     sync.WaitGroup

	mu    sync.Mutex
	now   weather            // guarded by mu
	pairs map[*pair]struct{} // guarded by mu
	gone  bool               // guarded by mu
}

// pair is one connection through the link.
type pair struct{ client, server net.Conn }

func (p *pair) close() {
	p.client.Close()
	p.server.Close()
}

func newLink(targets ...string) (*link, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	k := &link{listener: l, targets: targets, pairs: map[*pair]struct{}{}}
	k.open.Go(k.accept)
	return k, nil
}

func (k *link) addr() string { return k.listener.Addr().String() }

// set changes the weather.
func (k *link) set(w weather) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now = w
}

func (k *link) weather() weather {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

// cut closes what is open; the next connection may come at once.
func (k *link) cut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for p := range k.pairs {
		p.close()
	}
}

// close ends the link and waits for what it had open.
func (k *link) close() {
	k.mu.Lock()
	k.gone = true
	k.mu.Unlock()
	k.listener.Close()
	k.cut()
	k.open.Wait()
}

func (k *link) accept() {
	for {
		client, err := k.listener.Accept()
		if err != nil {
			return
		}
		server, err := k.dial()
		if err != nil {
			client.Close()
			continue
		}
		p := &pair{client, server}
		if !k.keep(p) {
			p.close()
			return
		}
		k.open.Go(func() { k.carry(p) })
	}
}

// dial connects to the next target that accepts.
func (k *link) dial() (server net.Conn, err error) {
	for range k.targets {
		target := k.targets[k.next]
		k.next = (k.next + 1) % len(k.targets)
		if server, err = net.DialTimeout("tcp", target, 2*time.Second); err == nil {
			return server, nil
		}
	}
	return nil, err
}

func (k *link) keep(p *pair) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.gone {
		return false
	}
	k.pairs[p] = struct{}{}
	return true
}

// carry passes bytes both ways until one side closes or the link is cut.
func (k *link) carry(p *pair) {
	var down sync.WaitGroup
	down.Go(func() { k.pump(p, p.server, p.client, false) })
	k.pump(p, p.client, p.server, true)
	down.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.pairs, p)
}

// sprung reports whether the link has a trap, which works once.
func (k *link) sprung() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	sprung := k.now.trap
	k.now.trap = false
	return sprung
}

// pump passes bytes one way. It ends with both connections closed. A connection
// that has swallowed anything stays deaf: TCP loses no bytes in the middle.
func (k *link) pump(p *pair, from, to net.Conn, up bool) {
	defer p.close()
	buf := make([]byte, 8<<10)
	deaf := false
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		w := k.weather()
		if w.delay > 0 {
			time.Sleep(w.delay)
		}
		if deaf = deaf || up && w.deafUp || !up && w.deafDown; deaf {
			continue
		}
		if err := w.write(to, buf[:n]); err != nil || up && k.sprung() {
			return
		}
	}
}

// slowPiece is how much a slow link passes in each of its steps.
const slowPiece = 512

// write passes a piece on, in the weather's own time.
func (w weather) write(to net.Conn, piece []byte) error {
	for w.slow && len(piece) > slowPiece {
		if _, err := to.Write(piece[:slowPiece]); err != nil {
			return err
		}
		piece = piece[slowPiece:]
		time.Sleep(20 * time.Millisecond)
	}
	_, err := to.Write(piece)
	return err
}
