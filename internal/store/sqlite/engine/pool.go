package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein/internal/share"
)

// readers is a fixed set of read-only connections, each used by one call at a time. Waiting
// calls take turns so that apps get equal shares of the readers' time.
type readers struct {
	size    int
	damage  *damage
	parted  bool                // an app may use at most as many connections as it leaves free
	waited  prometheus.Observer // seconds
	mu      sync.Mutex
	returns sync.Cond      // signalled when a connection is released after close
	idle    []*Conn        // guarded by mu, as all below
	lent    map[string]int // connections, by app
	waiting share.Turns[*readerTurn]
	closed  bool
}

// readerTurn is a call waiting for a connection.
type readerTurn struct {
	got  chan *Conn // nil: closed
	over bool       // the call stopped waiting; guarded by the readers' mu
}

func openReaders(path string, n int, parted bool, waited prometheus.Observer) (*readers, error) {
	r := &readers{size: n, parted: parted, waited: waited, lent: make(map[string]int), waiting: share.NewTurns[*readerTurn]()}
	r.returns.L = &r.mu
	for range n {
		c, err := OpenConn(path, sqlite3.OPEN_READONLY, ReaderSettings)
		if err != nil {
			return nil, errors.Join(err, r.close())
		}
		r.idle = append(r.idle, c)
		r.size = len(r.idle)
	}
	return r, nil
}

// lend lets an app read on a connection. The read is interrupted when ctx ends, or after limit
// unless that is zero. Errors: those of read, errLong after the limit, ErrUnavailable, and the
// context's.
func (r *readers) lend(ctx context.Context, app string, limit time.Duration, read func(*Conn) error) error {
	defer share.Pause(ctx).Resume()
	c, err := r.acquire(ctx, app)
	if err != nil {
		return err
	}
	start := time.Now()
	defer func() { r.release(c, app, time.Since(start)) }()
	c.meter = meter{Context: ctx}
	if limit > 0 {
		c.meter.until = start.Add(limit)
	}
	c.DB.SetInterrupt(&c.meter)
	err = read(c)
	if errors.Is(err, sqlite3.INTERRUPT) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return errLong
	}
	r.damage.note(err)
	return Unavailable("read", err)
}

// errLong is the error of a read that exceeded its limit.
var errLong = errors.New("read takes long")

// meter is the context of a read, which SQLite checks before each row and after every thousand
// steps of its virtual machine. It ends with the call or when its time is up.
type meter struct {
	context.Context //nolint:containedctx // it is a context itself, for one read

	until time.Time // zero: no limit
}

// Err is why the read must end; nil: it may continue.
func (m *meter) Err() error {
	if err := m.Context.Err(); err != nil {
		return err
	}
	if !m.until.IsZero() && time.Now().After(m.until) {
		return errLong
	}
	return nil
}

func (r *readers) acquire(ctx context.Context, app string) (*Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil, errClosed
	}
	if r.waiting.Next(nil) == nil && r.may(app) {
		c := r.hand(app)
		r.mu.Unlock()
		return c, nil
	}
	turn, since := &readerTurn{got: make(chan *Conn, 1)}, time.Now()
	r.waiting.Push(app, turn)
	r.serve() // perhaps all waiting calls are of other apps that have their share
	r.mu.Unlock()
	select {
	case c := <-turn.got:
		r.waited.Observe(time.Since(since).Seconds())
		if c == nil {
			return nil, errClosed
		}
		return c, nil
	case <-ctx.Done():
		r.leave(turn, app)
		return nil, ctx.Err()
	}
}

// leave ends the wait of a call. The call may have got a connection at the same moment.
func (r *readers) leave(turn *readerTurn, app string) {
	r.mu.Lock()
	turn.over = true
	r.mu.Unlock()
	select {
	case c := <-turn.got:
		if c != nil {
			r.release(c, app, 0)
		}
	default:
	}
}

// may reports whether an app may get a connection now. mu is held.
func (r *readers) may(app string) bool {
	if len(r.idle) == 0 {
		return false
	}
	return !r.parted || r.lent[app] < len(r.idle)
}

// hand lends an idle connection. mu is held.
func (r *readers) hand(app string) *Conn {
	c := r.idle[len(r.idle)-1]
	r.idle = r.idle[:len(r.idle)-1]
	r.lent[app]++
	return c
}

// serve lends idle connections to waiting calls. mu is held.
func (r *readers) serve() {
	for len(r.idle) > 0 {
		line := r.waiting.Next(r.may)
		if line == nil {
			return
		}
		turn := r.waiting.Take(line, 0)
		line.Release()
		if !turn.over {
			turn.got <- r.hand(line.App())
		}
	}
}

// release takes a connection back, ends its transaction, and charges the app for the time.
func (r *readers) release(c *Conn, app string, took time.Duration) {
	c.DB.SetInterrupt(context.Background())
	c.meter = meter{}
	if !c.DB.GetAutocommit() {
		// Nothing was written, so nothing should fail. If it does, the next BEGIN fails too.
		_ = c.Exec(`ROLLBACK`)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, c)
	if r.lent[app]--; r.lent[app] == 0 {
		delete(r.lent, app)
	}
	r.waiting.Charge(r.waiting.Of(app), took)
	if r.closed {
		r.returns.Broadcast()
		return
	}
	r.serve()
}

func inSnapshot(read func(*Conn) error) func(*Conn) error {
	return func(c *Conn) error {
		if err := c.Exec(`BEGIN`); err != nil {
			return err
		}
		return read(c) // release ends the transaction
	}
}

// close refuses the waiting calls and waits until every connection was released. A second
// close does nothing.
func (r *readers) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for line := r.waiting.Next(nil); line != nil; line = r.waiting.Next(nil) {
		if turn := r.waiting.Take(line, 0); !turn.over {
			turn.got <- nil
		}
	}
	for len(r.idle) < r.size {
		r.returns.Wait()
	}
	var errs error
	for _, c := range r.idle {
		errs = errors.Join(errs, c.Close())
	}
	r.idle, r.size = nil, 0
	return errs
}
