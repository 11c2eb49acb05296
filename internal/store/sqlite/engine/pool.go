package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein/internal/share"
)

// readers is a fixed set of read-only connections, each used by one call at a time. Waiting
// calls take turns so that apps get equal shares of the readers' time.
type readers struct {
	places *share.Places
	queue  *share.Queue
	damage *damage

	mu   sync.Mutex
	idle []*Conn // guarded by mu
}

// openReaders opens n connections. An app may have at most weight times as many as are free;
// zero: no bound.
func openReaders(path string, n, weight int, queue *share.Queue) (*readers, error) {
	r := &readers{places: share.NewPlaces(n, weight), queue: queue}
	for range n {
		c, err := OpenConn(path, sqlite3.OPEN_READONLY, ReaderSettings)
		if err != nil {
			return nil, errors.Join(err, r.close())
		}
		r.idle = append(r.idle, c)
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

// acquire waits for a connection. release returns it. Errors: ErrUnavailable, and the context's.
func (r *readers) acquire(ctx context.Context, app string) (*Conn, error) {
	switch err := r.places.Enter(ctx, app, r.queue); {
	case errors.Is(err, share.ErrClosed):
		return nil, errClosed
	case err != nil:
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.idle[len(r.idle)-1]
	r.idle = r.idle[:len(r.idle)-1]
	return c, nil
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
	r.idle = append(r.idle, c)
	r.mu.Unlock()
	r.places.Leave(app, took, r.queue)
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
	r.places.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs error
	for _, c := range r.idle {
		errs = errors.Join(errs, c.Close())
	}
	r.idle = nil
	return errs
}
