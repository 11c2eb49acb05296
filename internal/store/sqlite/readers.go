package sqlite

import (
	"context"
	"errors"
	"sync"

	"github.com/ncruces/go-sqlite3"
)

// readers is a fixed set of read-only connections, each used by one call at a
// time.
type readers struct {
	idle   chan *connection
	closed chan struct{}
	once   sync.Once
}

func openReaders(path string, n int) (*readers, error) {
	r := &readers{idle: make(chan *connection, n), closed: make(chan struct{})}
	for range n {
		c, err := openConnection(path, sqlite3.OPEN_READONLY, readerSettings)
		if err != nil {
			return nil, errors.Join(err, r.closeIdle())
		}
		r.idle <- c
	}
	return r, nil
}

// do lends a connection to read, which is interrupted when ctx ends. Errors:
// those of read, ErrUnavailable, and the context's.
func (r *readers) do(ctx context.Context, read func(*connection) error) error {
	c, err := r.acquire(ctx)
	if err != nil {
		return err
	}
	defer r.release(c)
	c.db.SetInterrupt(ctx)
	err = read(c)
	if errors.Is(err, sqlite3.INTERRUPT) && ctx.Err() != nil {
		return ctx.Err()
	}
	return unavailable("read", err)
}

func (r *readers) acquire(ctx context.Context) (*connection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-r.closed:
		return nil, errClosed
	default:
	}
	select {
	case c := <-r.idle:
		return c, nil
	case <-r.closed:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// release takes a connection back, out of its transaction and out of reach of the
// call's context.
func (r *readers) release(c *connection) {
	c.db.SetInterrupt(context.Background())
	if !c.db.GetAutocommit() {
		// Nothing was written, so there is nothing that could fail; if it did, the
		// next BEGIN would say so.
		_ = c.exec(`ROLLBACK`)
	}
	r.idle <- c
}

// snapshot is do for a read of several queries that are to see the same state.
func (r *readers) snapshot(ctx context.Context, read func(*connection) error) error {
	return r.do(ctx, func(c *connection) error {
		if err := c.exec(`BEGIN`); err != nil {
			return err
		}
		return read(c) // release ends the transaction
	})
}

// close waits until every connection has come back.
func (r *readers) close() error {
	var errs error
	r.once.Do(func() {
		close(r.closed)
		for range cap(r.idle) {
			errs = errors.Join(errs, (<-r.idle).close())
		}
	})
	return errs
}

func (r *readers) closeIdle() error {
	var errs error
	for len(r.idle) > 0 {
		errs = errors.Join(errs, (<-r.idle).close())
	}
	return errs
}
