package engine

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/skein-im/skein"
)

// Three sets of connections read. What every command needs, the app and who calls,
// has one of its own. What is found by a key has the readers. What may look at much,
// a search or a listing, begins with the readers too, where most are done at once; one
// that is not goes to the searchers, which an app shares with the others by the time
// its searches take, and there it ends when it has had its time.

// A search that takes longer than quickTime is begun anew by a searcher, and one that
// takes longer than searchTime there is too much work. No app has more than half of the
// searchers while it is alone, and fewer beside others.
const (
	callerReaders = 2
	searchers     = 4
	quickTime     = 5 * time.Millisecond
	searchTime    = time.Second
)

// Caller reads what is to be known about who calls.
func (e *Engine) Caller(ctx context.Context, app string, read func(*Conn) error) error {
	return e.callers.lend(ctx, app, 0, read)
}

// Read reads what is found by a key.
func (e *Engine) Read(ctx context.Context, app string, read func(*Conn) error) error {
	return e.readers.lend(ctx, app, 0, read)
}

// Snapshot is Read for several queries that are to see the same state.
func (e *Engine) Snapshot(ctx context.Context, app string, read func(*Conn) error) error {
	return e.Read(ctx, app, inSnapshot(read))
}

// Walk is Snapshot for a read of much; read may run twice. It takes what it takes.
func (e *Engine) Walk(ctx context.Context, app string, read func(*Conn) error) error {
	return e.look(ctx, app, 0, inSnapshot(read))
}

// Search is Walk for what may be too much. Errors: also ErrRateLimited, about what.
func (e *Engine) Search(ctx context.Context, app, what string, read func(*Conn) error) error {
	start := time.Now()
	err := e.look(ctx, app, e.searchTime, inSnapshot(read))
	if !errors.Is(err, errLong) {
		return err
	}
	e.metrics.long.Inc()
	e.ended.Log(e.log, start, "searches are ended: too much work", slog.String("app", app), slog.String("search", what),
		slog.Duration("waited_and_ran", time.Since(start)))
	return &skein.Fault{
		Err: skein.ErrRateLimited, Field: what, Retry: retrySearch,
		Detail: "too much work for one call: ask for less, or use fewer or simpler conditions",
	}
}

// retrySearch is when to come back with a search that was too much.
const retrySearch = time.Second

// look reads with a reader and, if that takes long, anew with a searcher.
func (e *Engine) look(ctx context.Context, app string, limit time.Duration, read func(*Conn) error) error {
	err := e.readers.lend(ctx, app, e.quickTime, read)
	if errors.Is(err, errLong) {
		err = e.searchers.lend(ctx, app, limit, read)
	}
	return err
}
