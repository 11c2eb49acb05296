package engine

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/skein-im/skein"
)

// There are three sets of read connections. The callers look up the app and the client of a
// call, which every command needs. The readers read rows by key. A search or listing may read
// many rows: it begins on a reader, where most finish quickly, and if it takes long it starts
// again on a searcher. Apps share the searchers by the time that they use, and a search ends
// when its time is up.

// A search that takes longer than quickTime on a reader starts again on a searcher. One that
// takes longer than searchTime there is refused. One app gets at most half of the searchers,
// and fewer if others need them.
const (
	callerReaders = 2
	searchers     = 4
	quickTime     = 5 * time.Millisecond
	searchTime    = time.Second
)

// Caller reads the app or the client of a call.
func (e *Engine) Caller(ctx context.Context, app string, read func(*Conn) error) error {
	return e.callers.lend(ctx, app, 0, read)
}

// Read reads rows by a key.
func (e *Engine) Read(ctx context.Context, app string, read func(*Conn) error) error {
	return e.readers.lend(ctx, app, 0, read)
}

// Snapshot is Read in which all queries see the same state.
func (e *Engine) Snapshot(ctx context.Context, app string, read func(*Conn) error) error {
	return e.Read(ctx, app, inSnapshot(read))
}

// Walk is Snapshot for reads of many rows, without a time limit. read may run twice.
func (e *Engine) Walk(ctx context.Context, app string, read func(*Conn) error) error {
	return e.look(ctx, app, 0, inSnapshot(read))
}

// Search is Walk with a time limit. Errors: also ErrRateLimited, about what.
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

// retrySearch is how long a caller must wait before it repeats a search that took too long.
const retrySearch = time.Second

// look reads with a reader and, if that takes long, again with a searcher.
func (e *Engine) look(ctx context.Context, app string, limit time.Duration, read func(*Conn) error) error {
	err := e.readers.lend(ctx, app, e.quickTime, read)
	if errors.Is(err, errLong) {
		err = e.searchers.lend(ctx, app, limit, read)
	}
	return err
}
